//! The built Worker under `wrangler dev`, or in workerd alone, with variables of our own.
//!
//! It is served from a generated folder: a copy of `wrangler.toml` without `[build]`, the variables
//! as `.dev.vars` (wrangler prints those as hidden, and a developer's own `.dev.vars` stays out),
//! and fresh storage. The folder goes when the Worker goes.

use crate::bench::workerd::{self, Served};
use anyhow::{Context, bail};
use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const START_LIMIT: Duration = Duration::from_secs(90);
/// V8 collects garbage early: left to itself it waits for some hundred calls, then for more, and what
/// the process holds says when that was and not what is in use.
const TIDY: [&str; 2] = ["--max-semi-space-size=1", "--heap-growing-percent=10"];
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Nothing of a test run may ask, wait for a terminal, or leave the machine (platform.md §3.2).
const QUIET: [(&str, &str); 7] = [
    ("WRANGLER_SEND_METRICS", "false"),
    ("WRANGLER_SEND_ERROR_REPORTS", "false"),
    ("WRANGLER_HIDE_BANNER", "true"),
    ("WRANGLER_NO_SKILLS_UPDATE_PROMPTS", "true"),
    ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
    ("CI", "1"),
    ("NO_COLOR", "1"),
];

/// A running Worker; dropping it ends every process of it.
pub struct Worker {
    /// Where it listens, without a slash at the end.
    pub url: String,
    /// Everything wrangler and the Worker printed.
    pub log: PathBuf,
    child: Mutex<Child>,
    folder: PathBuf,
    port: u16,
    runtime: Runtime,
}

/// What runs the Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// `wrangler dev`, as a developer has it: KV and queues as Cloudflare's, behind a proxy.
    Wrangler,
    /// workerd and nothing else, for what is measured: wrangler's proxy, which holds nothing of ours,
    /// grows by hundreds of KiB with every call.
    Plain,
}

/// Below the ports that systems give to outgoing connections, one of which could take a port between
/// our look and the server's start.
const PORTS: Range<u16> = 20_000..32_000;

/// A port of the loopback interface that nobody listens on, and that is given once.
pub fn free_port() -> anyhow::Result<u16> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes at the same time begin apart.
    let first = std::process::id().wrapping_mul(101);
    for _ in PORTS {
        let nth = first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + u16::try_from(nth % PORTS.len() as u32)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {} to {} is free", PORTS.start, PORTS.end)
}

impl Worker {
    /// Serves the Worker built in `root`, or another one with this main module, on this port, and
    /// waits until it answers.
    pub async fn start(
        root: &Path,
        main: Option<&str>,
        port: u16,
        variables: &[(&str, String)],
        log: &Path,
        runtime: Runtime,
    ) -> anyhow::Result<Self> {
        let folder = generate(root, main, port, variables)?;
        if runtime == Runtime::Plain {
            let mut served = Served::wrangler(root, variables.to_vec())?;
            served.flags.extend(TIDY);
            served.write(&folder, port)?;
        }
        fs::write(log, "").with_context(|| format!("cannot write {}", log.display()))?;
        let worker = Self {
            url: format!("http://127.0.0.1:{port}"),
            log: log.to_owned(),
            child: Mutex::new(spawn(root, &folder, port, log, runtime)?),
            folder,
            port,
            runtime,
        };
        worker.wait_until_ready().await?;
        Ok(worker)
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all of it at once: nothing is said goodbye to, and nothing written that was not yet.
    pub fn kill(&self) {
        self.signal("-KILL");
        let _ = self.child().wait();
    }

    /// Starts a killed Worker again, on the same port and with the same storage.
    pub async fn restart(&self, root: &Path) -> anyhow::Result<()> {
        *self.child() = spawn(root, &self.folder, self.port, &self.log, self.runtime)?;
        self.wait_until_ready().await
    }

    /// Memory that the process with the Worker's isolate holds, in bytes: the largest workerd of
    /// the group. 0 where there is no `/proc`.
    pub fn resident_bytes(&self) -> u64 {
        let group = self.child().id().to_string();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let resident = processes.filter_map(|process| {
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            let (name, fields) = stat.rsplit_once(')')?;
            let ours = fields.split_whitespace().nth(2)? == group && name.contains("workerd");
            let status = fs::read_to_string(process.path().join("status")).ok()?;
            let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
            let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            ours.then_some(kib * 1024)
        });
        resident.max().unwrap_or(0)
    }

    /// Where the runtime keeps KV and the storage of Durable Objects.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// What the Worker and wrangler printed so far.
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let (http, url) = (reqwest::Client::new(), format!("{}/healthz", self.url));
        let deadline = Instant::now() + START_LIMIT;
        let mut answer = String::from("nothing answers");
        while Instant::now() < deadline {
            let ended = self.child().try_wait()?;
            if let Some(status) = ended {
                bail!("the runtime ended ({status}):\n{}", self.log_text());
            }
            if let Ok(reply) = http.get(&url).send().await {
                if reply.status() == 200 {
                    return Ok(());
                }
                answer = format!(
                    "it answers {}: {}",
                    reply.status(),
                    reply.text().await.unwrap_or_default()
                );
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!(
            "the Worker is not ready after {} s: {answer}\n{}",
            START_LIMIT.as_secs(),
            self.log_text()
        )
    }

    /// wrangler, its esbuild and workerd share one process group.
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child().id());
        let _ = Command::new("kill")
            .args([name, "--", &group])
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.signal("-TERM");
        let deadline = std::time::Instant::now() + STOP_LIMIT;
        while matches!(self.child().try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.signal("-KILL");
        let _ = self.child().wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts what runs the Worker, and with wrangler workerd.
fn spawn(
    root: &Path,
    folder: &Path,
    port: u16,
    log: &Path,
    runtime: Runtime,
) -> anyhow::Result<Child> {
    let output = OpenOptions::new()
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = match runtime {
        Runtime::Wrangler => wrangler(root, folder, port),
        Runtime::Plain => workerd::command(&folder.join(workerd::CONFIG)),
    };
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    command
        .spawn()
        .context("the runtime does not start; run: node scripts/setup.mjs")
}

fn wrangler(root: &Path, folder: &Path, port: u16) -> Command {
    let modules = root.join("node_modules");
    let pinned = modules.join(".bin/node");
    let mut command = Command::new(if pinned.exists() {
        pinned.as_path()
    } else {
        Path::new("node")
    });
    command
        .arg(modules.join("wrangler/bin/wrangler.js"))
        .args([
            "dev",
            "--local",
            "--ip",
            "127.0.0.1",
            "--inspector-port",
            "0",
        ])
        .args([
            "--show-interactive-dev-session=false",
            "--port",
            &port.to_string(),
        ])
        .arg("--config")
        .arg(folder.join("wrangler.toml"))
        .arg("--persist-to")
        .arg(folder.join("state"))
        .envs(QUIET)
        .env("WRANGLER_LOG_PATH", folder.join("logs"))
        .env("WRANGLER_REGISTRY_PATH", folder.join("registry"))
        .current_dir(folder);
    command
}

/// Writes the folder that wrangler serves from.
fn generate(
    root: &Path,
    main: Option<&str>,
    port: u16,
    variables: &[(&str, String)],
) -> anyhow::Result<PathBuf> {
    let source = root.join("wrangler.toml");
    let text =
        fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let mut config: toml::Table = text.parse().with_context(|| source.display().to_string())?;
    config.remove("build");
    let built = config.get("main").and_then(toml::Value::as_str);
    let main = root.join(main.or(built).unwrap_or_default());
    if !main.is_file() {
        bail!("{} is missing; run: npm run build", main.display());
    }
    config.insert(
        "main".to_owned(),
        main.to_string_lossy().into_owned().into(),
    );
    let folder = root.join(format!("target/worker/{}-{port}", std::process::id()));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("wrangler.toml"), toml::to_string(&config)?)?;
    let lines: Vec<String> = variables
        .iter()
        .map(|(name, value)| format!("{name}={}\n", quoted(value)))
        .collect();
    fs::write(folder.join(".dev.vars"), lines.concat())?;
    Ok(folder)
}

/// A value as dotenv reads it back literally: in quotes that do not occur in it.
fn quoted(value: &str) -> String {
    let quote = ['\'', '`', '"']
        .into_iter()
        .find(|&quote| !value.contains(quote))
        .unwrap_or('\'');
    format!("{quote}{value}{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_given_is_free_and_given_once() {
        let [a, b] = [(); 2].map(|()| free_port().unwrap());
        assert!(PORTS.contains(&a) && PORTS.contains(&b) && a != b);
        let taken = TcpListener::bind(("127.0.0.1", b.wrapping_add(1)));
        let c = free_port().unwrap();
        assert!(taken.is_err() || c != b.wrapping_add(1));
    }

    #[test]
    fn a_json_value_keeps_its_double_quotes() {
        assert_eq!(quoted(r#"{"a":1}"#), r#"'{"a":1}'"#);
        assert_eq!(quoted(r#"{"a":"it's"}"#), r#"`{"a":"it's"}`"#);
    }
}
