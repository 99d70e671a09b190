// The floor: what a Durable Object in JavaScript costs that only passes messages. It listens to
// nothing, keeps nothing, and is no agent: no signature, no token, no record of what was heard.

export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") return new Response("ok");
    return env.CALLS.get(env.CALLS.newUniqueId()).fetch(request);
  },
};

const SESSION = JSON.stringify({
  type: "session.update",
  session: {
    type: "realtime",
    output_modalities: ["audio"],
    audio: { input: { format: { type: "audio/pcmu" } }, output: { format: { type: "audio/pcmu" } } },
  },
});

export class Call {
  constructor(state, env) {
    this.state = state;
    this.env = env;
  }

  async fetch() {
    // The key is the same for all; a real one is a secret.
    const answer = await fetch(`${this.env.OPENAI_BASE_URL}/realtime?model=gpt-realtime-2.1`, {
      headers: { Upgrade: "websocket", Authorization: "Bearer sk-bench" },
    });
    this.model = answer.webSocket;
    this.model.addEventListener("message", (event) => this.fromModel(event.data));
    this.model.addEventListener("close", () => this.phone.close());
    this.model.accept();
    this.model.send(SESSION);
    const [client, phone] = Object.values(new WebSocketPair());
    this.phone = phone;
    if (this.env.HIBERNATABLE) {
      this.state.acceptWebSocket(phone);
    } else {
      phone.addEventListener("message", (event) => this.fromPhone(event.data));
      phone.addEventListener("close", () => this.model.close());
      phone.accept();
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(_socket, text) {
    this.fromPhone(text);
  }

  webSocketClose() {
    this.model.close();
  }

  fromPhone(text) {
    const message = JSON.parse(text);
    if (message.event === "media") {
      this.model.send(JSON.stringify({ type: "input_audio_buffer.append", audio: message.media.payload }));
    } else if (message.event === "start") {
      this.streamSid = message.streamSid;
    }
  }

  fromModel(text) {
    const event = JSON.parse(text);
    if (event.type === "response.output_audio.delta") {
      this.phone.send(
        JSON.stringify({ event: "media", streamSid: this.streamSid, media: { payload: event.delta } }),
      );
    } else if (event.type === "input_audio_buffer.speech_started") {
      this.phone.send(JSON.stringify({ event: "clear", streamSid: this.streamSid }));
    }
  }
}
