// Runs `sim serve`: the Worker in workerd between its simulated peers.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { root } from "../scripts/run.mjs";

/** Addresses and secrets, as `sim serve` prints them, and `stop`. */
export async function startRig() {
  const child = spawn("cargo", ["run", "--quiet", "--package", "orderline-sim", "--", "serve"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = once(child, "exit").then(([code]) => {
    throw new Error(`sim serve ended (${code})`);
  });
  exit.catch(() => {});
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), exit]);
  const stop = async () => {
    child.stdin.end();
    await exit.catch(() => {});
  };
  return { ...JSON.parse(line), stop };
}
