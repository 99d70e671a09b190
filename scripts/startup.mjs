// What a Worker that starts costs: CPU of the start itself, by wrangler's profile, and how long the first
// request to a fresh workerd takes against the second. Fails above what is allowed.

import { spawn, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { mkdirSync, writeFileSync } from "node:fs";
import { fail, inRoot, pinnedNode, step } from "./run.mjs";

const MOST_CPU_MS = 50;
const MOST_FIRST_MS = 100;
const RUNS = 5;
const PORT = 8795;
const FOLDER = inRoot("target/startup");
const WORKERD = inRoot(`node_modules/@cloudflare/workerd-linux-${process.arch === "x64" ? "64" : "arm64"}/bin/workerd`);

mkdirSync(FOLDER, { recursive: true });
const cpu = median(Array.from({ length: RUNS }, profiled));
const requests = [];
for (let n = 0; n < RUNS; n += 1) requests.push(await timed());
const first = median(requests.map(([ms]) => ms));
const second = median(requests.map(([, ms]) => ms));
step(`Start-up: ${cpu.toFixed(1)} ms of CPU (${MOST_CPU_MS} allowed); first request ${first.toFixed(1)} ms ` +
  `(${MOST_FIRST_MS} allowed), second ${second.toFixed(1)} ms; medians of ${RUNS}`);
if (cpu > MOST_CPU_MS || first > MOST_FIRST_MS) fail("The Worker starts too slowly.");

// A profile has a sample every millisecond or so: it is told to that.
function profiled() {
  const command = ["scripts/wrangler.mjs", "check", "startup", "--outfile", `${FOLDER}/start.cpuprofile`];
  const { stdout, stderr } = spawnSync(pinnedNode(), command, { cwd: inRoot(), encoding: "utf8" });
  const active = stdout.match(/Active: ([\d.]+) ms/);
  return active ? Number(active[1]) : fail(`wrangler printed no profile:\n${stdout}${stderr}`);
}

async function timed() {
  writeFileSync(`${FOLDER}/config.capnp`, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (compatibilityDate = "2026-10-01", modules = [
    (name = "index.js", esModule = embed "../../build/index.js"),
    (name = "index_bg.wasm", wasm = embed "../../build/index_bg.wasm")]))],
  sockets = [(name = "http", address = "127.0.0.1:${PORT}", http = (), service = "main")]);
`);
  const server = spawn(WORKERD, ["serve", `${FOLDER}/config.capnp`], { stdio: "ignore" });
  try {
    while (!(await listens())) await new Promise((done) => setTimeout(done, 5));
    return [await asked(), await asked()];
  } finally {
    server.kill();
    await new Promise((done) => server.once("exit", done));
  }
}

function listens() {
  return new Promise((done) => {
    const socket = connect(PORT, "127.0.0.1", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function asked() {
  const from = performance.now();
  await (await fetch(`http://127.0.0.1:${PORT}/healthz`)).text();
  return performance.now() - from;
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
