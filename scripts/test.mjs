// Everything that must hold, in the order that finds mistakes soonest. Ends with the time of each step.

import { inRoot, pinnedNode, run, step } from "./run.mjs";

const DENY = ["--", "-D", "warnings"];
const SIM = ["run", "--quiet", "--package", "orderline-sim", "--"];

const steps = [
  ["Format", "cargo", ["fmt", "--all", "--check"]],
  ["Clippy, host", "cargo", ["clippy", "--workspace", "--all-targets", ...DENY]],
  ["Clippy, Worker", "cargo", ["clippy", "--package", "orderline", "--target", "wasm32-unknown-unknown", ...DENY]],
  ["Tests on the host", "cargo", ["test", "--workspace"]],
  ["Instructions per message", "cargo", ["bench", "--quiet", "--package", "orderline", "--bench", "instructions"]],
  ["Fuzzing, some seconds each", process.execPath, [inRoot("scripts/fuzz.mjs")]],
  ["Worker build", pinnedNode(), [inRoot("scripts/build.mjs")]],
  ["Scenarios in workerd", "cargo", [...SIM, "e2e"]],
  ["Worker build that panics", pinnedNode(), [inRoot("scripts/build.mjs"), "--panic-switch"]],
  ["Chaos in workerd, a few of each", "cargo", [...SIM, "chaos", "--quick"]],
  ["Figures of scale", pinnedNode(), [inRoot("scripts/scale.mjs"), "--check"]],
  ["HTTP, and the vendors’ own packages", pinnedNode(), ["--test", "tests/*/*.test.mjs"]],
];

const times = steps.map(([name, command, args]) => {
  step(name);
  const from = Date.now();
  run(command, args);
  return `${((Date.now() - from) / 1000).toFixed(1).padStart(7)} s  ${name}`;
});
step("All steps passed");
console.log(times.join("\n"));
