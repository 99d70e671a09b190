// The Worker's entry: what worker-build makes, with a short way for the phone's messages (phone_socket.rs).

import worker, { AccountLedger, CallSession as Built, PhoneSocket } from "worker-build";

// worker-build's own: whether the instance of the module is broken and must be made anew.
const instance = globalThis.__worker_init_state;
const take = PhoneSocket.message;

export class CallSession {
  constructor(state, env) {
    this.state = state;
    this.object = new Built(state, env);
  }

  fetch(request) {
    return this.object.fetch(request);
  }

  alarm() {
    return this.object.alarm();
  }

  webSocketMessage(socket, message) {
    if (typeof message === "string" && !instance.criticalError) {
      try {
        if (take(this.state.orderlineKey, message)) return;
      } catch (error) {
        instance.criticalError ||= error instanceof WebAssembly.RuntimeError;
        throw error;
      }
    }
    return this.object.webSocketMessage(socket, message);
  }

  webSocketClose(socket, code, reason, wasClean) {
    return this.object.webSocketClose(socket, code, reason, wasClean);
  }

  webSocketError(socket, error) {
    return this.object.webSocketError(socket, error);
  }
}

export { AccountLedger, worker as default };
