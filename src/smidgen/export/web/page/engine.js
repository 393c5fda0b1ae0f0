// What writes: the model in a worker of this page.

export class WorkerEngine {
  constructor(address, options = {}) {
    this.address = address;
    this.options = options;
    this.requests = new Map();
    this.number = 0;
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.#heard(data);
    this.worker.onerror = (event) => this.#failed(event.message || "the worker could not be started");
  }

  // Resolves once the model is there; `onProgress` hears the share of the weights that has come.
  load(onProgress = () => {}) {
    return this.#ask({ kind: "load", address: this.address, options: this.options }, { progress: onProgress });
  }

  // Continue a `text`, or `ids` as they are. `begin` hears the prompt's ids and how many of them are out of the
  // model's sight, `token` each token as it comes. Resolves with reason, seconds and speed.
  complete(prompt, settings, seed, handlers) {
    return this.#ask({ kind: "complete", ...prompt, settings, seed }, handlers);
  }

  // What the model held likely before each of these tokens.
  inspect(ids) {
    return this.#ask({ kind: "inspect", ids });
  }

  // What the newest of these tokens reads.
  attention(ids) {
    return this.#ask({ kind: "attend", ids });
  }

  stop() {
    this.worker.postMessage({ kind: "stop", request: this.number });
  }

  #ask(message, handlers = {}) {
    const request = ++this.number;
    return new Promise((resolve, reject) => {
      this.requests.set(request, { resolve, reject, handlers });
      this.worker.postMessage({ ...message, request });
    });
  }

  #heard({ request, kind, ...content }) {
    const asked = this.requests.get(request);
    if (!asked) return;
    if (asked.handlers[kind]) return asked.handlers[kind](content);
    this.requests.delete(request);
    if (kind === "error") asked.reject(new Error(content.message));
    else asked.resolve(content);
  }

  #failed(message) {
    for (const { reject } of this.requests.values()) reject(new Error(message));
    this.requests.clear();
  }
}
