// Builds the network for the Worker's target and runs it in this Node's V8. Prints two numbers: µs
// per 20 ms of audio, and kB of the module after gzip -9.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { output, run } from "./run.mjs";

const STEPS = 10_000;
const TARGET = "wasm32-unknown-unknown";

run("cargo", ["build", "--quiet", "--release", "--target", TARGET, "--package", "orderline-silero", "--example", "speed"]);
const { target_directory } = JSON.parse(output("cargo", ["metadata", "--no-deps", "--format-version", "1"]));
const bytes = readFileSync(join(target_directory, TARGET, "release/examples/speed.wasm"));
const { instance } = await WebAssembly.instantiate(bytes, {});
// The first run unpacks the weights and lets V8 optimize; the best of three is what the code takes.
instance.exports.main(0, 0);
const times = [1, 2, 3].map(() => {
  const from = performance.now();
  instance.exports.main(0, 0);
  return performance.now() - from;
});
const microseconds = (Math.min(...times) * 1000) / STEPS;
console.log(`${((microseconds * 20) / 32).toFixed(1)} ${(gzipSync(bytes, { level: 9 }).length / 1000).toFixed(1)}`);
