// The Worker's signature check and TwiML against Twilio's own package (`twilio`): requests are
// signed with its helper, and the TwiML must be what its builder makes.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import twilio from "twilio";
import { startRig } from "../rig.mjs";

let rig;
before(async () => (rig = await startRig()));
after(() => rig?.stop());

const SID = `CA${"0123456789abcdef".repeat(2)}`;
const callParams = () => ({
  AccountSid: rig.accountSid,
  ApiVersion: "2010-04-01",
  CallSid: SID,
  CallStatus: "ringing",
  Called: rig.fromNumber,
  Caller: "+13105550177",
  Direction: "inbound",
  From: "+13105550177",
  To: rig.fromNumber,
});
const statusParams = () => ({ ...callParams(), CallStatus: "completed", CallDuration: "3", SequenceNumber: "3" });

test("a webhook without a signature, or with a wrong one, is refused", async () => {
  const path = "/twilio/status";
  const params = statusParams();
  const good = signature(path, params);
  const refused = [
    ["none", undefined, [400, 403]],
    ["empty", "", [400, 403]],
    ["no base64", "nonsense", [403]],
    ["of another token", sign("another-token", path, params), [403]],
    ["of another path", signature("/twilio/voice", params), [403]],
    ["of other params", signature(path, { ...params, CallStatus: "busy" }), [403]],
    ["with its last character changed", good.slice(0, -2) + (good.at(-2) === "A" ? "B=" : "A="), [403]],
  ];
  for (const [what, header, expected] of refused) {
    const reply = await post(path, params, header);
    assert.ok(expected.includes(reply.status), `signature ${what}: ${reply.status}`);
  }
  const { CallSid, ...missing } = params;
  const added = await post(path, { ...missing, CallSid, Extra: "1" }, good);
  assert.equal(added.status, 403, "a parameter that was not signed");
});

test("a webhook that the twilio package signed is accepted, whatever its parameters", async () => {
  const odd = {
    "extra parameter": { Unheard: "of" },
    "empty parameter": { ToZip: "", FromCity: "" },
    "unicode": { CallerName: "Zoë Müller 🍕 李" },
    "reserved characters": { CallerName: "a+b & c=d %20 \"e\" ~!*'()" },
    "sorted by code unit": { A_: "1", B: "2", a: "3", Aa: "4" },
    "spaces at the ends": { CallerName: "  x  " },
    "repeated": { Repeated: ["5678", "1234", "1234"] },
  };
  for (const [what, extra] of Object.entries(odd)) {
    const params = { ...statusParams(), ...extra };
    const reply = await post("/twilio/status", params, signature("/twilio/status", params));
    assert.ok(reply.ok, `${what}: ${reply.status} ${await reply.text()}`);
  }
});

test("a call that was lost before it began has an outcome all the same", async () => {
  const sid = `CA${"0011223344556677".repeat(2)}`;
  const params = { ...statusParams(), CallSid: sid, Direction: "outbound-api", To: "+13105550142" };
  const reply = await post("/twilio/status", params, signature("/twilio/status", params));
  assert.ok(reply.ok, `${reply.status} ${await reply.text()}`);
  const headers = { authorization: `Bearer ${rig.apiToken}` };
  const outcome = await (await fetch(`${rig.url}/api/calls/${sid}`, { headers })).json();
  assert.deepEqual([outcome.callId, outcome.status, outcome.endReason], [sid, "failed", "crashed"]);
});

test("a media upgrade needs the signature", async () => {
  const path = `/ws/media/${SID}/${"0".repeat(32)}`;
  for (const header of [undefined, sign("another-token", path, {})]) {
    const status = await upgrade(path, header);
    assert.ok([400, 403].includes(status), `${header ? "wrong" : "no"} signature: ${status}`);
  }
  // The right signature does not open the stream of a call that does not exist.
  assert.notEqual(await upgrade(path, sign(rig.authToken, path, {}, "ws")), 101);
});

test("the voice webhook answers with the TwiML that the twilio package builds", async () => {
  const sid = `CA${"fedcba9876543210".repeat(2)}`;
  const params = { ...callParams(), CallSid: sid };
  const reply = await post("/twilio/voice", params, signature("/twilio/voice", params));
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  assert.match(reply.headers.get("content-type"), /^(text|application)\/xml\b/);

  const answer = parse(text);
  assert.deepEqual(answer, parse(built(answer)), "rebuilt with VoiceResponse");

  assert.equal(answer.name, "Response");
  const connect = answer.children.find((verb) => verb.name === "Connect");
  assert.ok(connect, text);
  assert.equal(new URL(connect.attributes.action, rig.url).pathname, "/twilio/stream-ended");
  const [stream, ...others] = connect.children;
  assert.deepEqual([stream.name, others.length], ["Stream", 0]);
  const url = new URL(stream.attributes.url);
  assert.equal(url.protocol, "ws:");
  assert.equal(url.host, new URL(rig.url).host);
  assert.equal(url.search, "", "Twilio drops the query of a stream's URL");
  assert.match(url.pathname, new RegExp(`^/ws/media/${sid}/[A-Za-z0-9_-]{20,}$`));
  for (const parameter of stream.children) {
    assert.equal(parameter.name, "Parameter");
    assert.deepEqual(Object.keys(parameter.attributes).sort(), ["name", "value"]);
  }
});

function sign(token, path, params, scheme = "http") {
  const url = rig.url.replace(/^http/, scheme) + path;
  return twilio.getExpectedTwilioSignature(token, url, params);
}

function signature(path, params) {
  return sign(rig.authToken, path, params);
}

function post(path, params, header) {
  const pairs = Object.entries(params).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  const headers = header === undefined ? {} : { "X-Twilio-Signature": header };
  return fetch(rig.url + path, { method: "POST", body: new URLSearchParams(pairs), headers });
}

function upgrade(path, header) {
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": Buffer.alloc(16).toString("base64"),
    ...(header && { "x-twilio-signature": header }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(rig.url + path, { headers });
    sent.on("response", (reply) => resolve(reply.resume().statusCode));
    sent.on("upgrade", (reply, socket) => resolve(socket.destroy() && reply.statusCode));
    sent.on("error", reject);
    sent.end();
  });
}

/** The document built verb by verb with VoiceResponse; a verb or noun it does not know fails. */
function built(document) {
  const response = new twilio.twiml.VoiceResponse();
  const add = (parent, { name, attributes, text, children }) => {
    const method = name[0].toLowerCase() + name.slice(1);
    assert.equal(typeof parent[method], "function", `<${name}> does not belong there`);
    const node = text ? parent[method](attributes, text) : parent[method](attributes);
    children.forEach((child) => add(node, child));
  };
  document.children.forEach((child) => add(response, child));
  return response.toString();
}

/** XML of elements, attributes and text, as a tree; attributes in no order. */
function parse(xml) {
  const unescaped = (text) =>
    text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => ({ lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" })[name]);
  const top = { children: [] };
  const open = [top];
  for (const [, closing, name, attributes, empty, text] of xml.matchAll(/<(\/?)([A-Za-z]+)([^<>]*?)(\/?)>|([^<>]+)/g)) {
    if (text !== undefined) open.at(-1).text = (open.at(-1).text ?? "") + unescaped(text).trim();
    else if (closing) assert.equal(open.pop().name, name, `badly nested: ${xml}`);
    else {
      const pairs = [...attributes.matchAll(/([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)];
      const node = {
        name,
        attributes: Object.fromEntries(pairs.map(([, key, a, b]) => [key, unescaped(a ?? b)])),
        text: "",
        children: [],
      };
      open.at(-1).children.push(node);
      if (!empty) open.push(node);
    }
  }
  assert.deepEqual([open.length, top.children.length], [1, 1], `not one document: ${xml}`);
  return top.children[0];
}
