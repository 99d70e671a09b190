// A bridge between Twilio and OpenAI Realtime as tutorials have it: audio both ways, marks, and a
// reply that is cut off where the newest timestamp of the phone says. No signatures, no tools.

import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const { PORT, OPENAI_API_KEY, OPENAI_BASE_URL } = process.env;

const server = createServer((_request, response) => response.end("ok"));
const phones = new WebSocketServer({ server, path: "/media-stream" });

phones.on("connection", (phone) => {
  let streamSid = null;
  let latestTimestamp = 0;
  let replyStartedAt = null;
  let itemId = null;
  let marks = [];

  const url = `${OPENAI_BASE_URL.replace(/^http/, "ws")}/realtime?model=gpt-realtime-2.1`;
  const model = new WebSocket(url, { headers: { Authorization: `Bearer ${OPENAI_API_KEY}` } });
  const tell = (event) => model.readyState === WebSocket.OPEN && model.send(JSON.stringify(event));

  model.on("open", () =>
    tell({
      type: "session.update",
      session: {
        type: "realtime",
        output_modalities: ["audio"],
        instructions: "You order food by phone.",
        audio: {
          input: { format: { type: "audio/pcmu" }, turn_detection: { type: "server_vad" } },
          output: { format: { type: "audio/pcmu" }, voice: "marin" },
        },
      },
    }),
  );

  model.on("message", (data) => {
    const event = JSON.parse(data);
    if (event.type === "response.output_audio.delta") {
      phone.send(JSON.stringify({ event: "media", streamSid, media: { payload: event.delta } }));
      if (replyStartedAt === null) replyStartedAt = latestTimestamp;
      itemId = event.item_id;
      phone.send(JSON.stringify({ event: "mark", streamSid, mark: { name: "part" } }));
      marks.push("part");
    } else if (event.type === "input_audio_buffer.speech_started" && marks.length > 0 && replyStartedAt !== null) {
      const heard = latestTimestamp - replyStartedAt;
      tell({ type: "conversation.item.truncate", item_id: itemId, content_index: 0, audio_end_ms: heard });
      phone.send(JSON.stringify({ event: "clear", streamSid }));
      marks = [];
      itemId = null;
      replyStartedAt = null;
    }
  });

  phone.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.event === "media") {
      latestTimestamp = Number(message.media.timestamp);
      tell({ type: "input_audio_buffer.append", audio: message.media.payload });
    } else if (message.event === "mark") {
      marks.shift();
    } else if (message.event === "start") {
      streamSid = message.start.streamSid;
    }
  });

  model.on("error", () => phone.close());
  model.on("close", () => phone.close());
  phone.on("close", () => model.close());
});

server.listen(Number(PORT), "127.0.0.1");
