// Installs what the project needs, once: the wasm target, the npm packages of package-lock.json,
// and in .tools the two Cargo tools that build the Worker; with `fuzz` also cargo-fuzz, which needs a
// C++ compiler for libFuzzer and no nightly, and with `valgrind` that, out of Debian's package, where
// the system has none. What is there is skipped.
//
// npm runs with --ignore-scripts: every binary (esbuild, workerd, node) is a locked package of its
// own, so nothing is fetched that package-lock.json does not name. That is also why Node is pinned
// as node-linux-*: the package called `node` fetches those at install time, past the lock.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digest, fail, inRoot, output, pinnedNode, run, step } from "./run.mjs";

const WORKER_BUILD = "0.8.7";
const CARGO_FUZZ = "0.13.1";
const RUST = [1, 91];
const NODE_FOR_SCRIPTS = [18, 0];
const NODE_FOR_WRANGLER = [22, 12];
const WASM = "wasm32-unknown-unknown";

checkPrerequisites();
addRustParts();
installPackages();
installTool("worker-build", WORKER_BUILD, ["--locked"]);
// Not --locked: the lock file published with the CLI names a release that is gone.
installTool("wasm-bindgen", lockedVersion("wasm-bindgen"), [], "wasm-bindgen-cli");
if (process.argv.includes("fuzz")) {
  if (!output("c++", ["--version"])) fail("A C++ compiler (c++) is missing: apt-get install build-essential");
  installTool("cargo-fuzz", CARGO_FUZZ, ["--locked"]);
}
if (process.argv.includes("valgrind")) unpackValgrind();

function checkPrerequisites() {
  const rust = version(output("rustc", ["--version"]));
  const missing = [
    !atLeast(version(process.version), NODE_FOR_SCRIPTS) &&
      `Node ${process.version} is too old: install Node 18 or newer from https://nodejs.org`,
    !output("npm", ["--version"]) && "npm is missing: it comes with Node from https://nodejs.org (Debian: apt-get install npm)",
    (!rust || !output("cargo", ["--version"])) &&
      "Rust is missing: install rustup from https://rustup.rs, then: rustup default stable",
    rust && !atLeast(rust, RUST) && `Rust ${rust.join(".")} is older than ${RUST.join(".")}: rustup update stable`,
    !output("cc", ["--version"]) &&
      "A C compiler (cc) is missing: apt-get install build-essential (macOS: xcode-select --install)",
  ].filter(Boolean);
  if (missing.length > 0) fail(`Something this project needs is missing:\n  ${missing.join("\n  ")}`);
}

function addRustParts() {
  if (!existsSync(output("rustc", ["--print", "target-libdir", "--target", WASM]) ?? "")) {
    step(`Adding the Rust target ${WASM}`);
    rustup(["target", "add", WASM]);
  }
  for (const [component, command] of [["rustfmt", "fmt"], ["clippy", "clippy"]]) {
    if (output("cargo", [command, "--version"])) continue;
    step(`Adding the Rust component ${component}`);
    rustup(["component", "add", component]);
  }
}

function rustup(args) {
  if (!output("rustup", ["--version"])) fail("rustup is missing: install it from https://rustup.rs");
  run("rustup", args);
}

function installPackages() {
  const stamp = inRoot("node_modules/.installed");
  const wanted = digest([inRoot("package-lock.json"), inRoot("package.json")], [process.platform, process.arch]);
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    step("Installing npm packages");
    run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    writeFileSync(stamp, wanted);
  }
  const node = output(pinnedNode(), ["--version"]);
  if (!atLeast(version(node) ?? [0], NODE_FOR_WRANGLER)) {
    fail(`wrangler needs Node ${NODE_FOR_WRANGLER.join(".")} or newer, and no Node is pinned for ` +
      `${process.platform}-${process.arch} (found ${node}): install it from https://nodejs.org`);
  }
}

function installTool(binary, wanted, flags, crate = binary) {
  const path = inRoot(".tools/bin", binary);
  const found = version(existsSync(path) ? output(path, ["--version"]) : undefined);
  if (found?.join(".") === wanted) return;
  step(`Installing ${crate} ${wanted} into .tools (once; some minutes)`);
  // Not optimised: that takes half the time, and costs half a second of each build of the Worker.
  run("cargo", ["install", crate, "--version", wanted, "--debug", "--bin", binary, "--root", inRoot(".tools"),
    "--target-dir", inRoot("target/tools"), "--force", ...flags],
  { env: { ...process.env, CARGO_PROFILE_DEV_DEBUG: "false" } });
}

// For benches/instructions.rs, which counts on x86-64 Linux only and looks for it here, too.
function unpackValgrind() {
  const folder = inRoot(".tools/valgrind");
  const counts = process.platform === "linux" && process.arch === "x64";
  if (!counts || output("valgrind", ["--version"]) || existsSync(join(folder, "usr/bin/valgrind"))) return;
  if (!output("apt-get", ["--version"])) fail("Valgrind is missing: install it from https://valgrind.org");
  step("Unpacking Debian's valgrind into .tools");
  mkdirSync(folder, { recursive: true });
  const download = ["apt-get", ["download", "-qq", "valgrind"], { cwd: folder }];
  if (spawnSync(...download).status !== 0) {
    // The lists of a machine that is new are empty.
    run("apt-get", ["update", "-qq"]);
    run(...download);
  }
  const [archive] = readdirSync(folder).filter((name) => name.endsWith(".deb"));
  run("dpkg-deb", ["-x", archive, "."], { cwd: folder });
}

function lockedVersion(crate) {
  const lock = readFileSync(inRoot("Cargo.lock"), "utf8");
  const found = lock.match(new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`));
  return found ? found[1] : fail(`Cargo.lock names no ${crate}`);
}

function version(text) {
  return text?.match(/(\d+)\.(\d+)\.(\d+)/)?.slice(1).map(Number);
}

function atLeast([major, minor = 0], [needMajor, needMinor]) {
  return major > needMajor || (major === needMajor && minor >= needMinor);
}
