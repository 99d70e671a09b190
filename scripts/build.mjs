// Builds the Worker into build/ with the pinned tools, unless nothing that goes into it changed.
// Also wrangler's [build] command, so `wrangler dev` and `wrangler deploy` never serve an old one.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { dirname, delimiter } from "node:path";
import { digest, fail, inRoot, output, pinnedNode, run, step } from "./run.mjs";

const LIMIT = 1_000_000;
const INPUTS = ["Cargo.lock", "Cargo.toml", ".cargo", "src", "silero", "scripts/build.mjs", "package-lock.json"];
const PARTS = ["build/index.js", "build/index_bg.wasm"];

const stamp = inRoot("build/.inputs");
const inputs = digest(INPUTS.map((path) => inRoot(path)), [output("rustc", ["--version"]) ?? ""]);
if (![...PARTS, "build/.inputs"].every((part) => existsSync(inRoot(part))) || readFileSync(stamp, "utf8") !== inputs) {
  step("Building the Worker");
  build();
  writeFileSync(stamp, inputs);
}
checkSize();

function build() {
  // worker-build downloads any of the three that it is not pointed at (platform.md §1.8).
  const tools = {
    WASM_BINDGEN_BIN: inRoot(".tools/bin/wasm-bindgen"),
    WASM_OPT_BIN: inRoot("node_modules/binaryen/bin/wasm-opt"),
    ESBUILD_BIN: inRoot("node_modules/@esbuild", `${process.platform}-${process.arch}`, "bin/esbuild"),
  };
  for (const [name, path] of Object.entries(tools)) {
    if (!existsSync(path)) fail(`${name}: ${path} is missing; run: node scripts/setup.mjs`);
  }
  // wasm-opt is a Node program and takes the first `node` on the path.
  const PATH = [dirname(pinnedNode()), process.env.PATH].join(delimiter);
  run(inRoot(".tools/bin/worker-build"), ["--release"], { env: { ...process.env, ...tools, PATH } });
}

function checkSize() {
  const parts = PARTS.map((part) => readFileSync(inRoot(part)));
  const raw = parts.reduce((sum, part) => sum + part.length, 0);
  const gzipped = parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
  const kb = (bytes) => `${Math.round(bytes / 1000)} kB`;
  step(`Worker bundle: ${kb(raw)}, ${kb(gzipped)} gzipped`);
  if (gzipped > LIMIT) fail(`The Worker is too big: ${kb(gzipped)} gzipped, ${kb(LIMIT)} allowed.`);
}
