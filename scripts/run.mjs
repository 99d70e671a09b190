// What the other scripts share: where the project is, child processes, and step lines.
// Built-in modules only: it runs before anything is installed.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const inRoot = (...parts) => join(root, ...parts);

const started = Date.now();

/** Prints what happens now, after the time since this script began. */
export function step(text) {
  const seconds = Math.floor((Date.now() - started) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  console.log(`[${clock.padStart(5)}] ${text}`);
}

/** Ends the script with a message for people. */
export function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

/** Runs a command with the terminal attached; its failure is named and ends the script. */
export function run(command, args, options = {}) {
  const result = spawn(command, args, { stdio: "inherit", ...options });
  if (result.status !== 0) fail(`failed (${reason(result)}): ${[command, ...args].join(" ")}`);
}

/** What a command prints, or undefined when it is missing or fails. */
export function output(command, args) {
  const result = spawn(command, args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** The Node that wrangler runs on: the pinned one where there is one for this platform. */
export function pinnedNode() {
  const pinned = inRoot("node_modules/.bin/node");
  return existsSync(pinned) ? pinned : process.execPath;
}

/** One digest of files and folders (by name and content) and of further texts. */
export function digest(paths, texts = []) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap(files)) {
    hash.update(`${relative(root, file)}\0`).update(readFileSync(file)).update("\0");
  }
  for (const text of texts) hash.update(`${text}\0`);
  return hash.digest("hex");
}

function files(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort().flatMap((name) => files(join(path, name)));
}

function spawn(command, args, options) {
  return spawnSync(command, args, { cwd: root, ...options });
}

function reason({ error, signal, status }) {
  return error?.code === "ENOENT" ? "not found" : (error?.message ?? signal ?? `exit ${status}`);
}
