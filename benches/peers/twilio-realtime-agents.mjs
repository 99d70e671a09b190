// twilio-realtime-agents as its README has it, against a Realtime server of ours.

import websocket from "@fastify/websocket";
import Fastify from "fastify";
import { Agent, TwilioRealtimeBridge } from "twilio-realtime-agents";
import { openaiRealtime } from "twilio-realtime-agents/openai";

const { PORT, OPENAI_API_KEY, OPENAI_BASE_URL } = process.env;

const bridge = new TwilioRealtimeBridge({
  agent: new Agent({ name: "Caller", instructions: "You order food by phone.", voice: "marin" }),
  provider: openaiRealtime({
    apiKey: OPENAI_API_KEY,
    baseUrl: `${OPENAI_BASE_URL.replace(/^http/, "ws")}/realtime`,
    model: "gpt-realtime-2.1",
  }),
});

const app = Fastify();
await app.register(websocket);
app.get("/healthz", async () => "ok");
app.register(async (routes) => {
  routes.get("/media-stream", { websocket: true }, (socket) => bridge.handleConnection(socket));
});
await app.listen({ port: Number(PORT), host: "127.0.0.1" });
