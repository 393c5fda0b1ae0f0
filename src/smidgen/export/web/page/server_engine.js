// What writes: the model behind the server that this page came from. The same interface as WorkerEngine.

export class ServerEngine {
  // `address` is that of the model's description; questions go to its neighbours.
  constructor(address) {
    this.address = address;
    this.abort = null;
  }

  async load() {}

  async complete(prompt, settings, seed, handlers) {
    this.abort = new AbortController();
    const began = performance.now();
    let first = 0, count = 0;
    try {
      const answer = await this.#asked("complete", { ...prompt, settings, seed }, this.abort.signal);
      for await (const { kind, ...content } of events(answer)) {
        const now = performance.now();
        if (kind === "token") {
          first ||= now;
          count++;
          content.seconds = (now - began) / 1000;
        }
        if (kind === "end") return { ...content, seconds: (now - began) / 1000, speed: speed(count, first, now) };
        handlers[kind]?.(content);
      }
      throw new Error("the server went away");
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      const now = performance.now();
      return { reason: "stopped", seconds: (now - began) / 1000, speed: speed(count, first, now) };
    }
  }

  async inspect(ids) {
    return (await this.#asked("inspect", { ids })).json();
  }

  async attention(ids) {
    return (await this.#asked("attend", { ids })).json();
  }

  stop() {
    this.abort?.abort();
  }

  async #asked(question, body, signal) {
    const answer = await fetch(new URL(question, this.address), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    }).catch((error) => {
      throw error.name === "AbortError" ? error : new Error("the server cannot be reached");
    });
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => null);
    throw new Error(told?.error?.message ?? `the server answers ${answer.status}`);
  }
}

function speed(count, first, now) {
  return count > 1 ? ((count - 1) * 1000) / (now - first) : null;
}

// The JSON objects of a stream of server-sent events.
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const parts = (waiting + part.value).split("\n\n");
    waiting = parts.pop();
    for (const event of parts) {
      if (event === "data: [DONE]") return;
      const content = JSON.parse(event.slice("data: ".length));
      if (content.error) throw new Error(content.error.message);
      yield content;
    }
  }
}
