//! A Worker in plain workerd: a configuration in Cap'n Proto's text form, and the folder it is served
//! from. No development proxy, no inspector.

use crate::rig::root;
use anyhow::Context;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the configuration is made of.
pub struct Served<'a> {
    /// Files of the Worker; the first is the main module.
    pub modules: Vec<PathBuf>,
    pub compatibility_date: String,
    /// Durable Objects: binding and class.
    pub objects: Vec<(String, String)>,
    /// KV namespaces: bindings.
    pub kv: Vec<String>,
    pub variables: Vec<(&'a str, String)>,
    /// Of V8.
    pub flags: Vec<&'a str>,
}

/// Name of the configuration in its folder.
pub const CONFIG: &str = "config.capnp";

/// KV for one run, in memory; what it costs is counted to the Worker, and is little: only the newest
/// values are kept.
const KV: &str = r#"const kept = new Map();
export default {
  async fetch(request) {
    const key = new URL(request.url).pathname;
    if (request.method === "PUT") {
      kept.set(key, await request.arrayBuffer());
      if (kept.size > 500) kept.delete([...kept.keys()].find((key) => !key.includes("line")));
    }
    else if (request.method === "DELETE") kept.delete(key);
    else return kept.has(key) ? new Response(kept.get(key)) : new Response(null, { status: 404 });
    return new Response(null);
  },
};
"#;

/// Runs workerd with this configuration. The binary itself: npm's `workerd` is a script that starts it.
pub fn command(config: &Path) -> Command {
    let machine = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "64"
    };
    let path = format!("node_modules/@cloudflare/workerd-linux-{machine}/bin/workerd");
    let mut command = Command::new(root().join(path));
    command.arg("serve").arg("--experimental").arg(config);
    command
}

impl Served<'_> {
    /// A Worker with one class of objects and no storage to speak of.
    pub fn plain(module: PathBuf, variables: Vec<(&str, String)>) -> Served<'_> {
        Served {
            modules: vec![module],
            compatibility_date: "2026-10-01".to_owned(),
            objects: vec![("CALLS".to_owned(), "Call".to_owned())],
            kv: Vec::new(),
            variables,
            flags: Vec::new(),
        }
    }

    /// What `wrangler.toml` in `root` would serve.
    pub fn wrangler<'a>(
        root: &Path,
        variables: Vec<(&'a str, String)>,
    ) -> anyhow::Result<Served<'a>> {
        let text = fs::read_to_string(root.join("wrangler.toml"))?;
        let config: toml::Table = text.parse()?;
        let main = config
            .get("main")
            .and_then(toml::Value::as_str)
            .context("main")?;
        let main = root.join(main);
        let date = config
            .get("compatibility_date")
            .and_then(toml::Value::as_str);
        let list = |value: Option<&toml::Value>, key: &str| -> Vec<String> {
            let rows = value.and_then(toml::Value::as_array).into_iter().flatten();
            rows.filter_map(|row| Some(row.get(key)?.as_str()?.to_owned()))
                .collect()
        };
        let objects = config
            .get("durable_objects")
            .and_then(|all| all.get("bindings"));
        let names = list(objects, "name");
        Ok(Served {
            modules: vec![main.clone(), main.with_file_name("index_bg.wasm")],
            compatibility_date: date.context("compatibility_date")?.to_owned(),
            objects: names.into_iter().zip(list(objects, "class_name")).collect(),
            kv: list(config.get("kv_namespaces"), "binding"),
            variables,
            flags: Vec::new(),
        })
    }

    /// Writes the folder; the path of its configuration.
    pub fn write(&self, folder: &Path, port: u16) -> anyhow::Result<PathBuf> {
        let storage = folder.join("storage");
        fs::create_dir_all(&storage)?;
        fs::write(folder.join("kv.js"), KV)?;
        let mut modules = String::new();
        for module in &self.modules {
            let name = module
                .file_name()
                .and_then(|name| name.to_str())
                .context("a name")?;
            fs::copy(module, folder.join(name))
                .with_context(|| format!("{} is missing; run: npm run build", module.display()))?;
            let is_wasm = Path::new(name)
                .extension()
                .is_some_and(|kind| kind == "wasm");
            let kind = if is_wasm { "wasm" } else { "esModule" };
            write!(modules, "(name = {name:?}, {kind} = embed {name:?}), ")?;
        }
        let (mut bindings, mut classes) = (String::new(), String::new());
        for (name, class) in &self.objects {
            write!(
                bindings,
                "(name = {name:?}, durableObjectNamespace = {class:?}), "
            )?;
            write!(
                classes,
                "(className = {class:?}, uniqueKey = {class:?}, enableSql = true), "
            )?;
        }
        for name in &self.kv {
            write!(bindings, "(name = {name:?}, kvNamespace = \"kv\"), ")?;
        }
        for (name, value) in &self.variables {
            write!(bindings, "(name = {name:?}, text = {value:?}), ")?;
        }
        let (date, flags) = (&self.compatibility_date, &self.flags);
        let storage = storage.to_string_lossy();
        let text = format!(
            r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = {flags:?},
  services = [
    (name = "main", worker = .main),
    (name = "kv", worker = (modules = [(name = "kv.js", esModule = embed "kv.js")], compatibilityDate = "{date}")),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "storage", disk = (path = {storage:?}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [{modules}],
  compatibilityDate = "{date}",
  bindings = [{bindings}],
  durableObjectNamespaces = [{classes}],
  durableObjectStorage = (localDisk = "storage"),
);
"#
        );
        let path = folder.join(CONFIG);
        fs::write(&path, text)?;
        Ok(path)
    }
}
