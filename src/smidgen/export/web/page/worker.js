// The model in a thread of its own, so that the page stays alive while it writes. Messages in: load, complete, stop,
// inspect, attend. Messages out carry the `request` they answer.

import { attention } from "./attention.js";
import { SlidingWindow, complete } from "./completion.js";
import { likelihood } from "./sampling.js";
import { openModel, readDescription } from "./model.js";

let model = null;
let window_ = null;
let stopped = 0; // requests up to this number are not wanted any more

const HANDLERS = { load, complete: write, inspect, attend };

// One after the other, because all of them use the one window; a stop is heard at once.
let last = Promise.resolve();
self.onmessage = ({ data }) => {
  if (data.kind === "stop") stopped = data.request;
  else last = last.then(() => answer(data));
};

async function answer(data) {
  try {
    await HANDLERS[data.kind](data);
  } catch (error) {
    self.postMessage({ kind: "error", request: data.request, message: error.message });
  }
}

async function load({ request, address, options }) {
  const onProgress = (share) => self.postMessage({ kind: "progress", request, share });
  model = await openModel(await readDescription(address), address, { ...options, onProgress });
  window_ = new SlidingWindow(model.decoder);
  self.postMessage({ kind: "ready", request, hasVectors: model.decoder.products.hasVectors });
}

// `text` is encoded; `ids`, of a text that goes on, are taken as they are.
async function write({ request, text, ids, settings, seed }) {
  const { tokenizer } = model;
  const given = ids ?? tokenizer.encode(text);
  const prompt = given.length ? given : [tokenizer.endOfTextId];
  const unseen = Math.max(0, prompt.length - window_.contextLength);
  self.postMessage({ kind: "begin", request, ids: given, unseen });
  const began = performance.now();
  const tokens = complete(window_, prompt, settings, seed, new Set([tokenizer.endOfTextId]));
  let reason = null, first = 0, count = 0;
  while (!reason) {
    const { value, done } = tokens.next();
    first ||= performance.now();
    if (done) reason = value;
    else self.postMessage({ kind: "token", request, token: value, seconds: (performance.now() - began) / 1000 });
    count += done ? 0 : 1;
    await othersTurn();
    if (stopped >= request) reason ??= "stopped";
  }
  const now = performance.now();
  // Without the first, which takes as long as the prompt does.
  const speed = count > 1 ? ((count - 1) * 1000) / (now - first) : null;
  self.postMessage({ kind: "end", request, reason, seconds: (now - began) / 1000, speed });
}

// What the model held likely before each of these tokens; null where nothing stands before, or out of sight.
async function inspect({ request, ids }) {
  const first = Math.max(0, ids.length - window_.contextLength);
  const tokens = Array(first + 1).fill(null);
  window_.start(ids, (position, logits) => {
    const next = ids[first + position + 1];
    if (next !== undefined) tokens.push(likelihood(logits, next));
  });
  self.postMessage({ kind: "inspected", request, tokens });
}

async function attend({ request, ids }) {
  self.postMessage({ kind: "attention", request, ...attention(model.decoder, window_, ids) });
}

// Let messages in. Timers would wait 4 ms each.
const channel = new MessageChannel();
function othersTurn() {
  return new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
}
