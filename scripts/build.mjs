// Builds the Worker into build/ with the pinned tools, unless nothing that goes into it changed.
// Also wrangler's [build] command, so `wrangler dev` and `wrangler deploy` never serve an old one.
// With `--list` it builds in any case, and prints what the bytes are.
//
// PANIC_UNWIND=1 builds the variant in which a panic ends its handler and not the instance; it needs
// nightly Rust. `--panic-switch` builds, into build/panic-switch/, a Worker that a test can break.

import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { shortenNames } from "./bundle-names.mjs";
import { nameByPlace } from "./bundle-order.mjs";
import { printParts } from "./bundle-parts.mjs";
import { digest, fail, inRoot, output, pinnedNode, run, step } from "./run.mjs";

const SCRIPTS = ["build", "bundle-names", "bundle-order", "wasm-module"].map((name) => `scripts/${name}.mjs`);
const INPUTS = ["Cargo.lock", "Cargo.toml", ".cargo", "src", "audio", "silero", "wire", ...SCRIPTS, "package-lock.json"];
const WASM_OPT = inRoot("node_modules/binaryen/bin/wasm-opt");
const LIST = process.argv.includes("--list");
const SWITCH = process.argv.includes("--panic-switch");
const UNWIND = process.env.PANIC_UNWIND === "1";
// Bytes gzipped. Of them 95 kB are the weights of silero/; size is start-up time.
const LIMIT = UNWIND ? 560_000 : 450_000;
const NIGHTLY = "nightly";
const OUT = SWITCH ? "build/panic-switch" : "build";
const PARTS = [`${OUT}/index.js`, `${OUT}/index_bg.wasm`];

const stamp = inRoot(OUT, ".inputs");
const rust = output("rustc", UNWIND ? [`+${NIGHTLY}`, "--version"] : ["--version"]) ?? "";
const inputs = digest(INPUTS.map((path) => inRoot(path)), [rust, `unwind: ${UNWIND}`]);
if (LIST || ![...PARTS.map((part) => inRoot(part)), stamp].every((part) => existsSync(part)) || readFileSync(stamp, "utf8") !== inputs) {
  step(["Building the Worker", SWITCH && "that can be broken", UNWIND && "with unwinding panics"].filter(Boolean).join(" "));
  build();
  writeFileSync(stamp, inputs);
}
checkSize();

function build() {
  // worker-build downloads whichever of the two it is not pointed at (platform.md §1.8).
  const tools = {
    WASM_BINDGEN_BIN: inRoot(".tools/bin/wasm-bindgen"),
    ESBUILD_BIN: inRoot("node_modules/@esbuild", `${process.platform}-${process.arch}`, "bin/esbuild"),
  };
  for (const path of [...Object.values(tools), WASM_OPT]) {
    if (!existsSync(path)) fail(`${path} is missing; run: node scripts/setup.mjs`);
  }
  const options = ["--release", "--no-opt", "--out-dir", OUT];
  if (UNWIND) options.push("--panic-unwind");
  if (SWITCH) options.push("--features", "panic-switch");
  const toolchain = UNWIND ? { RUSTUP_TOOLCHAIN: nightly() } : {};
  // Minified, what is not used is one statement with what is. To completion: on Cloudflare a client that
  // hangs up ends its request half-way, with a call that rings and that nobody knows; locally it does not.
  const env = { ...process.env, ...tools, ...toolchain, ...withoutPaths(), NO_MINIFY: "1", RUN_TO_COMPLETION: "1" };
  run(inRoot(".tools/bin/worker-build"), options, { env });
  addEntry(tools.ESBUILD_BIN);
  shrink(...PARTS.map((part) => inRoot(part)));
  if (!readFileSync(inRoot(PARTS[0]), "utf8").includes(".ctx.waitUntil(")) fail("worker-build no longer runs requests to completion.");
}

// src/worker/entry.js around what worker-build made, without the classes that are there for others: once
// esbuild knows that nothing comes of making them ready, it leaves them out.
function addEntry(esbuild) {
  const [made, built] = [inRoot(OUT, "index.js"), inRoot(OUT, "worker-build.js")];
  const withoutEffect = readFileSync(made, "utf8").replace(/new (Proxy|FinalizationRegistry)\(/g, "/* @__PURE__ */ $&");
  writeFileSync(built, withoutEffect);
  const options = ["--bundle", "--format=esm", "--minify", "--external:*.wasm", "--external:cloudflare:*", "--log-level=warning"];
  options.push("--define:Symbol.dispose=undefined", "--allow-overwrite");
  run(esbuild, [inRoot("src/worker/entry.js"), `--alias:worker-build=${built}`, `--outfile=${made}`, ...options]);
  rmSync(built);
}

// A panic tells its file. Of a crate that is its name and version; where the builder keeps it is 40 texts
// of the bundle, and nobody's business. Cargo adds this to the flags of .cargo/config.toml.
function withoutPaths() {
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  const registries = existsSync(sources) ? readdirSync(sources) : [];
  const flags = registries.map((registry) => `--remap-path-prefix=${join(sources, registry)}/=`);
  // Flags are parted by spaces.
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: flags.filter((flag) => !flag.includes(" ")).join(" ") };
}

function nightly() {
  if (output("rustc", [`+${NIGHTLY}`, "--version"]) === undefined) fail(`PANIC_UNWIND needs ${NIGHTLY} Rust: rustup toolchain install ${NIGHTLY}`);
  run("rustup", ["component", "add", "rust-src", "--toolchain", NIGHTLY]);
  run("rustup", ["target", "add", "wasm32-unknown-unknown", "--toolchain", NIGHTLY]);
  return NIGHTLY;
}

// Instead of worker-build's own wasm-opt, which keeps the names of all functions: 48 kB gzipped. Without
// them a stack in JavaScript has numbers for names; a panic still tells its message, file and line.
function shrink(js, wasm) {
  const named = inRoot(OUT, "named.wasm");
  // SIMD and what else rustc used is noted in the module; exceptions come from wasm-bindgen, which notes nothing.
  const opt = (from, to, ...passes) => run(pinnedNode(), [WASM_OPT, from, "-o", to, "--enable-exception-handling", ...passes]);
  const shortened = shortenNames(readFileSync(js, "utf8"), readFileSync(wasm));
  writeFileSync(js, shortened.js);
  writeFileSync(wasm, shortened.wasm);
  // For speed, but for one thing: a large function within its only caller, as -O3 has it, is packed worse
  // by gzip, 26 kB in all, and no faster.
  opt(wasm, named, "--debuginfo", "-O3", "--one-caller-inline-max-function-size", "20");
  if (LIST) printParts(readFileSync(named));
  writeFileSync(named, nameByPlace(readFileSync(named)));
  opt(named, wasm, "--reorder-functions-by-name", "--strip-producers", "--strip-target-features");
  rmSync(named);
}

function checkSize() {
  const parts = PARTS.map((part) => readFileSync(inRoot(part)));
  const raw = parts.reduce((sum, part) => sum + part.length, 0);
  const gzipped = parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
  const kb = (bytes) => `${Math.round(bytes / 1000)} kB`;
  step(`Worker bundle: ${kb(raw)}, ${kb(gzipped)} gzipped`);
  // What only tests build may be a little larger.
  if (gzipped > LIMIT && !SWITCH) fail(`The Worker is too big: ${kb(gzipped)} gzipped, ${kb(LIMIT)} allowed.`);
}
