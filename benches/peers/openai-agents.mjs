// @openai/agents with the Twilio transport of @openai/agents-extensions, as its example has it,
// against a Realtime server of ours.

import websocket from "@fastify/websocket";
import { RealtimeAgent, RealtimeSession } from "@openai/agents/realtime";
import { TwilioRealtimeTransportLayer } from "@openai/agents-extensions";
import Fastify from "fastify";

const { PORT, OPENAI_API_KEY, OPENAI_BASE_URL } = process.env;
const url = `${OPENAI_BASE_URL.replace(/^http/, "ws")}/realtime?model=gpt-realtime-2.1`;

const agent = new RealtimeAgent({ name: "Caller", instructions: "You order food by phone." });

const app = Fastify();
await app.register(websocket);
app.get("/healthz", async () => "ok");
app.register(async (routes) => {
  routes.get("/media-stream", { websocket: true }, async (twilioWebSocket) => {
    const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket });
    const session = new RealtimeSession(agent, { transport, model: "gpt-realtime-2.1" });
    session.on("error", (error) => console.error(error));
    await session.connect({ apiKey: OPENAI_API_KEY, url });
  });
});
await app.listen({ port: Number(PORT), host: "127.0.0.1" });
