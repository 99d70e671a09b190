// Writes docs/scale.md: what a call costs and what binds first, from the measured figures in
// docs/bench.json and list prices. With `--check` it only says whether the file is what it would write.

import { readFileSync, writeFileSync } from "node:fs";
import { fail, inRoot } from "./run.mjs";

const FILE = inRoot("docs/scale.md");

// US dollars; Cloudflare's paid plan, Twilio's United States, OpenAI's `gpt-realtime-2.1` per million tokens
// (as in wire/src/realtime/prices.rs), transcription per minute of audio.
const PRICE = {
  workerRequest: 0.3e-6, objectRequest: 0.15e-6, objectGbSecond: 12.5e-6, rowWritten: 1e-6,
  kvWrite: 5e-6, kvRead: 0.5e-6, queueOperation: 0.4e-6,
  twilioMinute: 0.014, streamMinute: 0.0044,
  audioIn: 32e-6, audioCached: 0.4e-6, audioOut: 64e-6, textIn: 4e-6, textCached: 0.4e-6, textOut: 24e-6,
  transcriptionMinute: 0.003,
};
// What a call is taken to be.
const CALL = {
  minutes: 3, talkShare: 0.4, repliesPerMinute: 4, promptTokens: 2300, toolTokensPerMinute: 60,
  // OpenAI counts a token per 100 ms of the shop's audio and per 50 ms of the agent's.
  tokensPerSecondIn: 10, tokensPerSecondOut: 20,
  framesPerSecond: 50, modelEventsPerSecond: 20, messagesPerRequest: 20, objectGb: 0.128, tailSeconds: 10,
  workerRequests: 8, objectRequests: 12, accountRequests: 4, rows: 15, kvWrites: 2, kvReads: 3, queueOperations: 3,
};
// The busiest hour has so many times the average.
const PEAK = 4;
const ISOLATE_MIB = 128;
// What one account object admits at a time (`MAX_CONCURRENT_CALLS`), and simple requests a second it can answer.
const OPEN_CALLS = 1000, OBJECT_REQUESTS = 500;

const bench = JSON.parse(readFileSync(inRoot("docs/bench.json"), "utf8"));
const ours = bench.systems.find(({ name }) => name === "orderline") ?? fail("docs/bench.json has no orderline");
const floor = bench.systems.find(({ name }) => name === ours.floor) ?? fail(`docs/bench.json has no ${ours.floor}`);
const figure = (name, system = ours) => system.figures[name]?.median ?? fail(`docs/bench.json has no ${name} of ${system.name}`);

const cpuMs = figure("cpu_order"), mib = figure("mib_per_call"), appends = figure("appends");

const seconds = CALL.minutes * 60;
const talk = seconds * CALL.talkShare;
const replies = CALL.minutes * CALL.repliesPerMinute;
const fresh = talk * CALL.tokensPerSecondIn, spoken = talk * CALL.tokensPerSecondOut;
// Before the nth reply everything said so far is read again, from the cache but for the newest turn.
const again = (fresh + spoken) * (replies - 1) / 2;

const cost = {
  "OpenAI, the agent's audio": spoken * PRICE.audioOut,
  "OpenAI, the shop's audio": fresh * PRICE.audioIn,
  "OpenAI, what was said, read again": again * PRICE.audioCached,
  "OpenAI, instructions and tools": CALL.promptTokens * (PRICE.textIn + (replies - 1) * PRICE.textCached)
    + CALL.toolTokensPerMinute * CALL.minutes * PRICE.textOut,
  "OpenAI, transcription": talk / 60 * PRICE.transcriptionMinute,
  "Twilio, the call": CALL.minutes * PRICE.twilioMinute,
  "Twilio, the stream": CALL.minutes * PRICE.streamMinute,
  "Cloudflare, the object's time": (seconds + CALL.tailSeconds) * CALL.objectGb * PRICE.objectGbSecond,
  "Cloudflare, messages that come in": seconds * (CALL.framesPerSecond + CALL.modelEventsPerSecond)
    / CALL.messagesPerRequest * PRICE.objectRequest,
  "Cloudflare, requests, rows, KV and queue": CALL.workerRequests * PRICE.workerRequest
    + (CALL.objectRequests + CALL.accountRequests) * PRICE.objectRequest + CALL.rows * PRICE.rowWritten
    + CALL.kvWrites * PRICE.kvWrite + CALL.kvReads * PRICE.kvRead + CALL.queueOperations * PRICE.queueOperation,
};
const total = Object.values(cost).reduce((sum, part) => sum + part, 0);
const of = (who) => Object.entries(cost).filter(([name]) => name.startsWith(who)).reduce((sum, [, part]) => sum + part, 0);

const money = (dollars) => dollars >= 100 ? `$${Math.round(dollars).toLocaleString("en-US")}` : `$${dollars.toPrecision(3)}`;
const number = (value) => value >= 100 ? Math.round(value).toLocaleString("en-US") : Number(value.toPrecision(2)).toString();
const table = (head, rows) => [head, head.map((_, n) => (n ? "---:" : "---")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

const perMinute = Object.entries(cost).map(([name, part]) =>
  [name, `$${(part / CALL.minutes).toFixed(6)}`, `${(100 * part / total).toFixed(1)} %`]);

const days = [1, 100, 1_000, 10_000, 100_000, 1_000_000].map((calls) => {
  const perSecond = calls * PEAK / 86_400, open = perSecond * seconds;
  const account = perSecond * CALL.accountRequests;
  return [number(calls), number(perSecond), number(open), number(account),
    number(calls * CALL.kvWrites), number(perSecond * 60 * CALL.minutes * (fresh + spoken + again) / CALL.minutes),
    number(Math.max(1, open / OPEN_CALLS)), money(30 * calls * of("OpenAI")), money(30 * calls * of("Twilio")),
    money(30 * calls * of("Cloudflare"))];
});

const beside = Object.keys(ours.figures).map((name) => name.match(/^beside_(\d+)_cpu$/)?.[1]).filter(Boolean)
  .map(Number).sort((a, b) => a - b).map((calls) => {
    const at = (name, system) => figure(`beside_${calls}_${name}`, system);
    return [calls, number(at("cpu")), number(at("cpu", floor)), ours.figures[`beside_${calls}_cpu`].ratio.toFixed(2),
      at("in_p99").toFixed(1), at("in_p99", floor).toFixed(1), at("lost_in")];
  });

const most = (perSecondLimit) => number(perSecondLimit * 86_400 / PEAK);
const text = `# Scale, on paper

Computed by \`node scripts/scale.mjs\` from \`docs/bench.json\` (workerd on ${bench.cores} cores, ${bench.calls} calls at a
time) and list prices. Not measured at these sizes, and not on Cloudflare's own machines.

A call is taken to last ${CALL.minutes} minutes, in which shop and agent each speak ${100 * CALL.talkShare} % of the time, with
${CALL.repliesPerMinute} replies a minute. Measured: ${number(cpuMs)} CPU-ms and ${number(appends * 60)} messages to the model per call-minute of an order,
${mib.toFixed(1)} MiB resident per call.

## What a call-minute costs

${table(["part", "per call-minute", "share"], perMinute)}
| **all** | **$${(total / CALL.minutes).toFixed(4)}** | |

A call of ${CALL.minutes} minutes: ${money(total)}. Cloudflare bills an object's time, not its CPU. Twilio rounds every call up to
whole minutes. Free allowances and discounts are left out.

## What a call costs beside others

Measured in one isolate, in an order, with the floor (a Durable Object in JavaScript that only passes messages) beside it in the same run:

${table(["calls at a time", "CPU-ms per call-minute", "the floor's", "ratio", "added inbound, p99 ms", "the floor's", "frames lost"], beside)}

A call costs no more for the others beside it. It costs less, as the floor's does: what the process pays each time it wakes is shared by
all calls whose messages have come meanwhile.

## Calls a day

The busiest hour is taken to have ${PEAK} times the average.

${table(["calls a day", "starts/s, peak", "open at once, peak", "account object, requests/s", "KV writes a day", "OpenAI tokens/min, peak, cached ones included", "deployments", "OpenAI a month", "Twilio a month", "Cloudflare a month"], days)}

## What binds, in this order

1. **Twilio's calls per second.** An account begins with 1, which is ${most(1)} calls a day at such a peak. Calls above
   \`CALLS_PER_SECOND\` wait in the queue for at most 30 minutes. *Do:* have Twilio raise it (its console, or support above 5), and set
   \`CALLS_PER_SECOND\` to the same.
2. **OpenAI's tokens per minute and sessions**, by the tier of the project. A refused session is tried again for 10 s, then the call is
   handed over or ends with an apology. *Do:* compare the table's column with the project's limits page before raising anything else.
3. **Our own account object**, through which every call goes: ${number(OPEN_CALLS)} open calls (\`MAX_CONCURRENT_CALLS\`), which is
   ${most(OPEN_CALLS / seconds)} calls a day; its ${CALL.accountRequests} requests per call alone would allow ${most(OBJECT_REQUESTS / CALL.accountRequests)}. *Do:* one
   deployment and one Twilio account (a subaccount) for each region or brand; calls share nothing else.
4. **Memory of an isolate**: ${ISOLATE_MIB} MiB hold about ${Math.floor(ISOLATE_MIB / mib)} calls by the resident memory measured here, of which most is
   workerd's own for two sockets. Cloudflare spreads objects over isolates; nothing is to be set.
5. **KV**: one write a second per key. Every call has keys of its own, so no number of calls meets it; what lists outcomes may lag by a
   minute. Greetings share a key, written once.
6. **Durable Object requests**: an object answers ${OBJECT_REQUESTS} to 1,000 simple ones a second; a call sends its object ${CALL.framesPerSecond + CALL.modelEventsPerSecond}.
`;

if (!process.argv.includes("--check")) writeFileSync(FILE, text);
else if (readFileSync(FILE, "utf8") !== text) fail("docs/scale.md is not what docs/bench.json says: node scripts/scale.mjs");
