// Events and erasure over HTTP in real workerd.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { startRig } from "../rig.mjs";

let rig;
before(async () => (rig = await startRig()));
after(() => rig?.stop());

// The scenario whose line is busy: a call that is over at once.
const BUSY = { to: "+13105550109", orderHint: "one large pepperoni" };

function api(method, path, body) {
  const headers = { authorization: `Bearer ${rig.apiToken}`, "content-type": "application/json" };
  return fetch(`${rig.url}/api/${path}`, { method, headers, body });
}

async function finished() {
  const { sid } = await (await api("POST", "call", JSON.stringify(BUSY))).json();
  for (;;) {
    const reply = await api("GET", `calls/${sid}`);
    const state = await reply.json();
    if (state.schemaVersion) return state;
  }
}

test("the events of a call are a chain that ends in its outcome", async () => {
  const outcome = await finished();
  const reply = await api("GET", `calls/${outcome.callId}/events`);
  assert.equal(reply.headers.get("content-type"), "application/x-ndjson");
  const lines = (await reply.text()).trimEnd().split("\n");
  let prev = "0".repeat(64);
  for (const line of lines) {
    const event = JSON.parse(line);
    assert.equal(event.prev, prev);
    const body = line.replace(/,"hash":"[0-9a-f]{64}"\}$/, "}");
    prev = createHash("sha256").update(body).digest("hex");
    assert.equal(event.hash, prev);
  }
  assert.deepEqual(outcome.events, { count: lines.length, head: prev });
  const unknown = await api("GET", `calls/CA${"0".repeat(32)}/events`);
  assert.equal(unknown.status, 404);
});

async function recording(sid, headers = { authorization: `Bearer ${rig.apiToken}` }) {
  for (;;) {
    const reply = await fetch(`${rig.url}/api/calls/${sid}/recording.ndjson`, { headers });
    if (reply.status !== 404) return reply;
  }
}

test("what came in during a recorded call is there for who may use the API", async () => {
  const { callId } = await finished();
  assert.equal((await recording(callId, {})).status, 401);
  const lines = (await (await recording(callId)).text()).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines[0].record.sid, callId);
  assert.equal(lines.at(-1).in, "status");
  const secrets = [rig.apiToken, rig.authToken];
  assert.ok(secrets.every((secret) => !JSON.stringify(lines[0].variables).includes(secret)));
});

/** When KV drops each key, in days from now; nothing where it never does. */
function expirations() {
  const folder = join(rig.state, "v3/kv/miniflare-KVNamespaceObject");
  const file = readdirSync(folder).find((name) => /^[0-9a-f]+\.sqlite$/.test(name));
  const kv = new DatabaseSync(join(folder, file), { readOnly: true });
  const rows = kv.prepare("SELECT key, expiration FROM _mf_entries").all();
  kv.close();
  const days = ({ expiration }) => expiration && (expiration / 1000 - Date.now() / 1000) / 86_400;
  return new Map(rows.map((row) => [row.key, days(row)]));
}

test("what is kept of a call expires after OUTCOME_TTL_DAYS", async () => {
  const { callId } = await finished();
  const until = Date.now() + 20_000;
  let kept;
  do {
    await api("GET", `calls/${callId}`);
    kept = expirations();
  } while (!kept.has(`call:${callId}`) && Date.now() < until);
  for (const key of [`call:${callId}`, `events:${callId}`]) {
    assert.equal(Math.round(kept.get(key)), 30, key);
  }
});

test("an erased call leaves a tombstone and nothing else", async () => {
  const { callId } = await finished();
  assert.equal((await recording(callId)).status, 200);
  const anybody = await fetch(`${rig.url}/api/calls/${callId}`, { method: "DELETE" });
  assert.equal(anybody.status, 401);
  const erased = await api("DELETE", `calls/${callId}`);
  const tombstone = await erased.json();
  assert.deepEqual(Object.keys(tombstone).sort(), ["callId", "erasedAt", "status"]);
  assert.deepEqual([erased.status, tombstone.status, tombstone.callId], [200, "erased", callId]);
  for (const path of [`calls/${callId}`, `calls/${callId}/events`, `calls/${callId}/recording.ndjson`]) {
    const gone = await api("GET", path);
    assert.deepEqual([gone.status, await gone.json()], [410, tombstone], path);
  }
  const again = await api("DELETE", `calls/${callId}`);
  assert.deepEqual([again.status, await again.json()], [200, tombstone], "once is enough");
  assert.equal((await api("DELETE", `calls/CA${"0".repeat(32)}`)).status, 404);
});

test("a call that still runs is not erased", async () => {
  const happy = { to: "+13105550101", orderHint: "one large pepperoni" };
  const { sid } = await (await api("POST", "call", JSON.stringify(happy))).json();
  const reply = await api("DELETE", `calls/${sid}`);
  assert.deepEqual([reply.status, (await reply.json()).type], [409, "urn:orderline:still-running"]);
});
