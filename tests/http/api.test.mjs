// The API over HTTP in real workerd: who may ask, what bad input gets, and that a repeated request
// never rings twice.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startRig } from "../rig.mjs";

let rig;
before(async () => (rig = await startRig()));
after(() => rig?.stop());

// The scenario whose line is busy: a call that is over at once.
const BUSY = { to: "+13105550109", orderHint: "one large pepperoni" };

function post(body, headers = {}, path = "/api/call") {
  const defaults = { authorization: `Bearer ${rig.apiToken}`, "content-type": "application/json" };
  return fetch(rig.url + path, { method: "POST", headers: { ...defaults, ...headers }, body });
}

test("who has no token, or a wrong one, gets nothing", async () => {
  for (const authorization of ["", "Bearer", "Bearer x", `Basic ${rig.apiToken}`, `Bearer ${rig.apiToken}x`]) {
    const reply = await post(JSON.stringify(BUSY), { authorization });
    assert.equal(reply.status, 401, authorization);
    assert.equal(reply.headers.get("content-type"), "application/problem+json");
    assert.equal(reply.headers.get("www-authenticate"), "Bearer");
  }
});

test("bad bodies are refused with what is wrong and where", async () => {
  const big = JSON.stringify({ ...BUSY, orderHint: "x".repeat(70_000) });
  assert.equal((await post(big)).status, 413);
  assert.equal((await post("a=1", { "content-type": "application/x-www-form-urlencoded" })).status, 415);
  for (const [body, pointers] of [
    ["{", [""]],
    ["[]", [""]],
    ["{}", ["/to", "/order"]],
    [JSON.stringify({ ...BUSY, to: "3105550109" }), ["/to"]],
    [JSON.stringify({ ...BUSY, timezone: "Mars/Base" }), ["/timezone"]],
    [JSON.stringify({ ...BUSY, tip: 1 }), ["/tip"]],
    // Nothing could be signed: this Worker has no secret.
    [JSON.stringify({ ...BUSY, callbackUrl: "https://shop.example.com/" }), ["/callbackUrl"]],
    [JSON.stringify({ ...BUSY, callbackUrl: "http://shop.example.com/" }), ["/callbackUrl"]],
    [JSON.stringify({ to: BUSY.to, order: { items: [] } }), ["/order"]],
    [JSON.stringify({ ...BUSY, order: { customer: { name: "4111 1111 1111 1111" } } }), ["/order/customer/name"]],
    [JSON.stringify({ to: BUSY.to, order: { items: [{ size: "huge" }] } }), ["/order/items/0/size"]],
  ]) {
    const reply = await post(body);
    const problem = await reply.json();
    assert.equal(reply.status, 422, body);
    assert.deepEqual(problem.errors.map((error) => error.pointer), pointers, body);
  }
});

test("a call that is not allowed is refused with its reasons, and a dry run only asks", async () => {
  const to = "+19005550100";
  const refused = await post(JSON.stringify({ ...BUSY, to }));
  const { reasons, type } = await refused.json();
  assert.deepEqual([refused.status, type], [422, "urn:orderline:not-allowed"]);
  assert.deepEqual([reasons[0].code, reasons[0].pointer], ["premium_rate", "/to"]);
  const asked = await post(JSON.stringify({ ...BUSY, to, dryRun: true }));
  assert.deepEqual([asked.status, await asked.json()], [200, { allowed: false, reasons }]);
  const allowed = await post(JSON.stringify({ ...BUSY, dryRun: true }));
  assert.deepEqual([allowed.status, await allowed.json()], [200, { allowed: true, reasons: [] }]);
});

test("other paths are not found, other methods not allowed", async () => {
  assert.equal((await fetch(`${rig.url}/api/calls`)).status, 404);
  const reply = await fetch(`${rig.url}/api/call`);
  assert.deepEqual([reply.status, reply.headers.get("allow")], [405, "POST"]);
  const unknown = await fetch(`${rig.url}/api/calls/CA${"0".repeat(32)}`, { headers: { authorization: `Bearer ${rig.apiToken}` } });
  assert.equal(unknown.status, 404);
  assert.equal((await fetch(`${rig.url}/ws/media/CA${"0".repeat(32)}/x`)).status, 426);
});

test("health is open and shows no value", async () => {
  const reply = await fetch(`${rig.url}/healthz`);
  assert.deepEqual([reply.status, (await reply.json()).status], [200, "ready"]);
});

test("twenty requests under one key at the same time place one call", async () => {
  const headers = { "idempotency-key": "order 17" };
  const replies = await Promise.all(Array.from({ length: 20 }, () => post(JSON.stringify(BUSY), headers)));
  const placed = replies.filter((reply) => reply.status === 201);
  assert.ok(placed.length >= 1);
  const sids = new Set(await Promise.all(placed.map(async (reply) => (await reply.json()).sid)));
  assert.equal(sids.size, 1, "one call");
  for (const reply of replies.filter((reply) => reply.status !== 201)) {
    assert.equal(reply.status, 409);
    assert.ok(reply.headers.get("retry-after"), "the first is still under way");
  }

  const again = await post(JSON.stringify(BUSY), headers);
  assert.deepEqual([again.status, again.headers.get("idempotent-replayed")], [201, "true"]);
  assert.ok(sids.has((await again.json()).sid));
  const other = await post(JSON.stringify({ ...BUSY, orderHint: "two" }), headers);
  assert.equal(other.status, 409);
  assert.equal((await post(JSON.stringify(BUSY), { "idempotency-key": "x".repeat(300) })).status, 422);
});

test("a request that Twilio refused gives its key back", async () => {
  const headers = { "idempotency-key": "order 18" };
  const nobody = JSON.stringify({ ...BUSY, to: "+13105559999" });
  for (let attempt = 0; attempt < 2; attempt++) {
    const reply = await post(nobody, headers);
    const problem = await reply.json();
    assert.deepEqual([reply.status, problem.twilioCode], [502, 21211]);
    assert.ok(!problem.detail.includes("3105559999"), problem.detail);
  }
});
