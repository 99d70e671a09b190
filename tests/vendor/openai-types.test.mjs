// Every client event that the Worker sent in the end-to-end run must fit OpenAI's own TypeScript
// types (package `openai`). `sim e2e` leaves one example of each shape in target/e2e.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { inRoot } from "../../scripts/run.mjs";

const EVENTS = inRoot("target/e2e/client-events.json");

test("every client event type-checks as a RealtimeClientEvent", () => {
  const events = JSON.parse(readFileSync(EVENTS, "utf8"));
  const types = new Set(events.map((event) => event.type));
  // Without these a call cannot have taken place, and the check would prove nothing.
  for (const type of ["session.update", "input_audio_buffer.append", "response.create", "conversation.item.create"]) {
    assert.ok(types.has(type), `no ${type} among the recorded events`);
  }
  assert.deepEqual(complaints("client-events", events), []);
});

test("the check notices events of the beta, misspelt fields and wrong types", () => {
  const wrong = [
    { type: "response.create", response: { modalities: ["audio"] } },
    { type: "session.update", session: { type: "realtime", input_audio_format: "g711_ulaw" } },
    { type: "session.update", session: { type: "realtime", audio: { input: { format: { type: "audio/mulaw" } } } } },
    { type: "conversation.item.truncate", item_id: "item_1", content_index: 0, audio_end_ms: "1500" },
    { type: "conversation.item.truncate", item_id: "item_1", content_index: 0 },
    { type: "input_audio_buffer.append", data: "////" },
    { type: "session.start" },
  ];
  const noticed = new Set(complaints("planted", wrong).map((complaint) => complaint.index));
  assert.deepEqual([...noticed].sort(), wrong.map((_, index) => index));
});

/** What the compiler says about each event; one event per line of the file, after the import. */
function complaints(name, events) {
  const folder = inRoot("target/vendor");
  const file = `${folder}/${name}.ts`;
  const lines = events.map((event, index) => `export const e${index}: RealtimeClientEvent = ${JSON.stringify(event)};`);
  mkdirSync(folder, { recursive: true });
  const types = 'import type { RealtimeClientEvent } from "openai/resources/realtime/realtime";';
  writeFileSync(file, [types, ...lines, ""].join("\n"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2024", "--module", "nodenext", "--pretty", "false"];
  const run = spawnSync(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), ...options, "--types", "", file], {
    cwd: folder,
    encoding: "utf8",
  });
  const output = run.stdout + run.stderr;
  const found = [...output.matchAll(/^.*?\((\d+),\d+\): error (.*)$/gm)].map(([, line, text]) => ({
    index: Number(line) - 2,
    event: events[Number(line) - 2],
    text,
  }));
  assert.equal(run.status === 0, found.length === 0, `the compiler itself failed:\n${output}`);
  return found;
}
