// Builds the Worker into build/ with the pinned tools, unless nothing that goes into it changed.
// Also wrangler's [build] command, so `wrangler dev` and `wrangler deploy` never serve an old one.
// With `--list` it builds in any case, and prints what the bytes are.
//
// PANIC_UNWIND=1 builds the variant in which a panic ends its handler and not the instance; it needs
// nightly Rust. `--panic-switch` builds, into build/panic-switch/, a Worker that a test can break.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { printParts } from "./bundle-parts.mjs";
import { digest, fail, inRoot, output, pinnedNode, run, step } from "./run.mjs";

const INPUTS = ["Cargo.lock", "Cargo.toml", ".cargo", "src", "silero", "scripts/build.mjs", "package-lock.json"];
const WASM_OPT = inRoot("node_modules/binaryen/bin/wasm-opt");
const LIST = process.argv.includes("--list");
const SWITCH = process.argv.includes("--panic-switch");
const UNWIND = process.env.PANIC_UNWIND === "1";
// Bytes gzipped. Of them 115 kB are the weights of silero/; size is start-up time.
const LIMIT = UNWIND ? 560_000 : 495_000;
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
  run(inRoot(".tools/bin/worker-build"), options, { env: { ...process.env, ...tools, ...toolchain } });
  addEntry(tools.ESBUILD_BIN);
  shrink(inRoot(OUT, "index_bg.wasm"));
}

// src/worker/entry.js around what worker-build made.
function addEntry(esbuild) {
  const [made, built] = [inRoot(OUT, "index.js"), inRoot(OUT, "worker-build.js")];
  renameSync(made, built);
  const options = ["--bundle", "--format=esm", "--minify", "--external:*.wasm", "--external:cloudflare:*", "--log-level=warning"];
  run(esbuild, [inRoot("src/worker/entry.js"), `--alias:worker-build=${built}`, `--outfile=${made}`, ...options]);
  rmSync(built);
}

function nightly() {
  if (output("rustc", [`+${NIGHTLY}`, "--version"]) === undefined) fail(`PANIC_UNWIND needs ${NIGHTLY} Rust: rustup toolchain install ${NIGHTLY}`);
  run("rustup", ["component", "add", "rust-src", "--toolchain", NIGHTLY]);
  run("rustup", ["target", "add", "wasm32-unknown-unknown", "--toolchain", NIGHTLY]);
  return NIGHTLY;
}

// Instead of worker-build's own wasm-opt, which keeps the names of all functions: 48 kB gzipped. Without
// them a stack in JavaScript has numbers for names; a panic still tells its message, file and line.
function shrink(wasm) {
  // SIMD and what else rustc used is noted in the module; exceptions come from wasm-bindgen, which notes nothing.
  const features = ["--enable-exception-handling"];
  // Sorted by name, what generics made alike stands side by side, where gzip sees it: 8 kB.
  const passes = ["-O", "--converge", "--reorder-functions-by-name"];
  const opt = (to, ...names) => run(pinnedNode(), [WASM_OPT, wasm, "-o", to, ...features, ...passes, ...names]);
  if (LIST) {
    const named = inRoot(OUT, "named.wasm");
    opt(named, "--debuginfo");
    printParts(readFileSync(named));
    rmSync(named);
  }
  opt(wasm);
}

function checkSize() {
  const parts = PARTS.map((part) => readFileSync(inRoot(part)));
  const raw = parts.reduce((sum, part) => sum + part.length, 0);
  const gzipped = parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
  const kb = (bytes) => `${Math.round(bytes / 1000)} kB`;
  step(`Worker bundle: ${kb(raw)}, ${kb(gzipped)} gzipped`);
  if (gzipped > LIMIT) fail(`The Worker is too big: ${kb(gzipped)} gzipped, ${kb(LIMIT)} allowed.`);
}
