// Token after token, each read once.

import { choose, seeded } from "./sampling.js";

// The tokens that a decoder can see. When a text outgrows the context, the newer half of it is kept and read again,
// as in decoding.py; a prompt that is longer than the context keeps its last tokens.
export class SlidingWindow {
  constructor(decoder) {
    this.decoder = decoder;
    this.seen = [];
  }

  get contextLength() {
    return this.decoder.config.context_length;
  }

  // Logits after a new text; what it has in common with the one before is not read again. `onLogits` hears those
  // after every token, for which all are read.
  start(ids, onLogits = null) {
    const seen = ids.slice(-this.contextLength);
    let common = 0;
    while (!onLogits && common < seen.length - 1 && seen[common] === this.seen[common]) common++;
    this.decoder.rewind(common);
    this.seen = seen;
    return this.decoder.read(this.seen, onLogits);
  }

  // Logits after one more token.
  add(id) {
    this.seen.push(id);
    if (this.seen.length > this.contextLength) {
      this.decoder.rewind(0);
      this.seen = this.seen.slice(-Math.max(1, this.contextLength >> 1));
    }
    return this.decoder.read(this.seen);
  }
}

// Continue `ids`, which must not be empty, until a stop token or `max_new_tokens`. Yields what `choose` says about
// each token; the stop token is not among them. Returns "stop" or "length".
export function* complete(window, ids, settings, seed, stopIds) {
  const random = seeded(seed);
  const history = [...ids];
  let logits = settings.max_new_tokens ? window.start(ids) : null;
  for (let n = 1; n <= settings.max_new_tokens; n++) {
    const chosen = choose(logits, history, settings, random);
    if (stopIds.has(chosen.id)) return "stop";
    history.push(chosen.id);
    yield chosen;
    if (n < settings.max_new_tokens) logits = window.add(chosen.id);
  }
  return "length";
}
