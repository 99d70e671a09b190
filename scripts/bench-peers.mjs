// Installs the bridges that `npm run bench` compares the Worker with, each from its own lock file.

import { existsSync } from "node:fs";
import { inRoot, run, step } from "./run.mjs";

for (const folder of ["benches/node", "benches/peers"]) {
  if (existsSync(inRoot(folder, "node_modules"))) continue;
  step(`Installing ${folder}`);
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: inRoot(folder) });
}
