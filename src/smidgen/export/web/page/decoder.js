// The decoder: token ids in, logits out. The arithmetic is that of smidgen's model/ in float32; sums may round
// differently.
//
// Everything lies in one memory: weights, keys and values, and what is computed on the way. Rows are filled up with
// zeros to a multiple of four numbers, and so are the rows of a matrix, because products take four at a time; a
// vector that came out of a product therefore ends in zeros.

import { placesAndRoles, tokenClasses } from "./digit_features.js";
import { Products } from "./products.js";

const AT_ONCE = 32; // tokens of a prompt that are read together
const LEAST_SQUARED_VALUE = 1e-20; // as in attention.py

const upTo4 = (length) => (length + 3) & ~3;

export class Decoder {
  // `config` has the names of ModelConfig; `tensors` are by the names of the decoder's state_dict.
  constructor(config, tensors, options = {}) {
    this.config = config;
    this.length = 0; // tokens whose keys and values are known
    this.#plan();
    this.products = new Products(4 * this.#size(tensors), options);
    this.floats = this.products.floats;
    this.#place(tensors);
    this.rotations = rotations(config);
    this.classes = tokenClasses(config.digit_token_ids, config.vocab_size);
  }

  // Forget all tokens from this position on.
  rewind(length) {
    this.length = Math.min(this.length, length);
  }

  // Read the tokens of `ids` that have not been read yet; the logits after the last, valid until the next call.
  // `onLogits(position, logits)` gets those after every token.
  read(ids, onLogits = null) {
    const features = this.config.place_vocab_size ? placesAndRoles(ids.map((id) => this.classes[id])) : null;
    let logits;
    while (this.length < ids.length) {
      const count = Math.min(AT_ONCE, ids.length - this.length);
      this.#embed(ids, features, count);
      for (let layer = 0; layer < this.config.num_layers; layer++) this.#block(layer, count);
      this.length += count;
      for (let n = onLogits ? 0 : count - 1; n < count; n++) {
        if (!onLogits && this.length < ids.length) break;
        logits = this.#logits(n);
        onLogits?.(this.length - count + n, logits);
      }
    }
    return logits;
  }

  #plan() {
    const { head_dim, num_heads, num_kv_heads } = this.config;
    this.C = upTo4(this.config.hidden_size);
    this.D = upTo4(head_dim);
    this.F = upTo4(this.config.intermediate_size);
    this.V = upTo4(this.config.vocab_size);
    this.S = upTo4(this.config.context_length);
    this.queryChannels = upTo4(num_heads * head_dim);
    this.kvChannels = upTo4(num_kv_heads * head_dim);
    this.group = num_heads / num_kv_heads;
  }

  #size(tensors) {
    const { num_layers, num_kv_heads } = this.config;
    let size = 2 * num_layers * num_kv_heads * this.S * this.D;
    for (const { shape } of tensors.values()) size += upTo4(shape[0]) * upTo4(shape[1] ?? 1);
    size += AT_ONCE * (3 * this.C + 2 * this.queryChannels + 2 * this.kvChannels + 2 * this.F);
    return size + this.group * (2 * this.D + this.S) + this.V + 64;
  }

  #place(tensors) {
    let free = 0;
    const take = (numbers) => {
      const start = free;
      free += upTo4(numbers);
      return start;
    };
    this.weights = new Map();
    for (const [name, { shape, values }] of tensors) {
      const columns = shape[1] ?? 1;
      const isVector = shape.length === 1;
      const stride = isVector ? 1 : upTo4(columns);
      const start = take(isVector ? shape[0] : upTo4(shape[0]) * stride);
      for (let row = 0; row < shape[0]; row++) {
        this.floats.set(values.subarray(row * columns, (row + 1) * columns), start + row * stride);
      }
      this.weights.set(name, { start, stride, rows: upTo4(shape[0]) });
    }
    const { num_layers, num_kv_heads } = this.config;
    this.keys = take(num_layers * num_kv_heads * this.S * this.D);
    this.values = take(num_layers * num_kv_heads * this.S * this.D);
    this.x = take(AT_ONCE * this.C);
    this.normed = take(AT_ONCE * this.C);
    this.out = take(AT_ONCE * this.C);
    this.q = take(AT_ONCE * this.queryChannels);
    this.k = take(AT_ONCE * this.kvChannels);
    this.v = take(AT_ONCE * this.kvChannels);
    this.read_ = take(AT_ONCE * this.queryChannels);
    this.gate = take(AT_ONCE * this.F);
    this.up = take(AT_ONCE * this.F);
    this.groupQ = take(this.group * this.D);
    this.groupY = take(this.group * this.D);
    this.scores = take(this.group * this.S);
    this.logits_ = take(this.V);
  }

  #embed(ids, features, count) {
    const tables = [["embed_tokens", ids]];
    if (features) {
      tables.push(["digit_features.embed_place", features.places], ["digit_features.embed_role", features.roles]);
    }
    this.floats.fill(0, this.x, this.x + count * this.C);
    for (const [name, rows] of tables) {
      const { start, stride } = this.weights.get(`${name}.weight`);
      for (let n = 0; n < count; n++) {
        const from = start + rows[this.length + n] * stride, to = this.x + n * this.C;
        for (let c = 0; c < this.C; c++) this.floats[to + c] += this.floats[from + c];
      }
    }
  }

  #block(layer, count) {
    const prefix = `layers.${layer}.`;
    this.#norm(`${prefix}input_layernorm.weight`, this.x, this.normed, count, this.config.hidden_size, this.C);
    this.#attention(layer, `${prefix}self_attn.`, count);
    this.#norm(`${prefix}post_attention_layernorm.weight`, this.x, this.normed, count, this.config.hidden_size, this.C);
    this.#feedForward(`${prefix}mlp.`, count);
  }

  // So many rows of so many channels, each `stride` after the other; `to` may be `from`.
  #norm(name, from, to, count, channels, stride) {
    const { floats } = this;
    const { start: weight } = this.weights.get(name);
    const { rms_norm_eps } = this.config;
    for (let n = 0; n < count; n++, from += stride, to += stride) {
      let squares = 0;
      for (let c = 0; c < channels; c++) squares += floats[from + c] * floats[from + c];
      const scale = 1 / Math.sqrt(squares / channels + rms_norm_eps);
      for (let c = 0; c < channels; c++) floats[to + c] = floats[weight + c] * (floats[from + c] * scale);
    }
  }

  // y = W x + b for so many vectors.
  #project(name, x, y, xStride, yStride, count) {
    const { start, stride, rows } = this.weights.get(`${name}.weight`);
    this.products.run(start, stride, x, xStride, y, yStride, rows, stride, count);
    const bias = this.weights.get(`${name}.bias`);
    if (!bias) return;
    for (let n = 0; n < count; n++) {
      for (let row = 0; row < rows; row++) this.floats[y + n * yStride + row] += this.floats[bias.start + row];
    }
  }

  #add(from, count) {
    for (let i = 0; i < count * this.C; i++) this.floats[this.x + i] += this.floats[from + i];
  }

  #attention(layer, prefix, count) {
    const { C, queryChannels, kvChannels } = this;
    this.#project(`${prefix}q_proj`, this.normed, this.q, C, queryChannels, count);
    this.#project(`${prefix}k_proj`, this.normed, this.k, C, kvChannels, count);
    this.#project(`${prefix}v_proj`, this.normed, this.v, C, kvChannels, count);
    if (this.config.qk_norm) {
      const { num_heads, num_kv_heads, head_dim } = this.config;
      for (let n = 0; n < count; n++) {
        const q = this.q + n * queryChannels, k = this.k + n * kvChannels;
        this.#norm(`${prefix}q_norm.weight`, q, q, num_heads, head_dim, head_dim);
        this.#norm(`${prefix}k_norm.weight`, k, k, num_kv_heads, head_dim, head_dim);
      }
    }
    this.#rotate(this.q, queryChannels, this.config.num_heads, count);
    this.#rotate(this.k, kvChannels, this.config.num_kv_heads, count);
    for (let head = 0; head < this.config.num_kv_heads; head++) {
      for (let n = 0; n < count; n++) this.#remember(layer, head, n);
      for (let n = 0; n < count; n++) this.#attend(layer, head, n);
    }
    this.#project(`${prefix}o_proj`, this.read_, this.out, queryChannels, C, count);
    this.#add(this.out, count);
  }

  // Turn channel r together with channel r + D/2.
  #rotate(start, stride, heads, count) {
    const { floats } = this;
    const { head_dim } = this.config;
    const half = head_dim / 2;
    for (let n = 0; n < count; n++) {
      const angles = (this.length + n) * head_dim;
      for (let head = 0; head < heads; head++) {
        const at = start + n * stride + head * head_dim;
        for (let r = 0; r < half; r++) {
          const cos = this.rotations[angles + r], sin = this.rotations[angles + half + r];
          const first = floats[at + r], second = floats[at + half + r];
          floats[at + r] = first * cos - second * sin;
          floats[at + half + r] = second * cos + first * sin;
        }
      }
    }
  }

  // Keys are stored as the rows of a matrix, values as its columns: both sides of attention are then products.
  #remember(layer, head, n) {
    const { floats, D, S } = this;
    const { head_dim, num_kv_heads } = this.config;
    const start = (layer * num_kv_heads + head) * S * D;
    const position = this.length + n;
    const from = n * this.kvChannels + head * head_dim;
    for (let d = 0; d < head_dim; d++) {
      floats[this.keys + start + position * D + d] = floats[this.k + from + d];
      floats[this.values + start + d * S + position] = floats[this.v + from + d];
    }
  }

  // What the query heads of one group take from the tokens that token n reads.
  #attend(layer, head, n) {
    const { floats, D, S, group } = this;
    const { head_dim, num_kv_heads } = this.config;
    const start = (layer * num_kv_heads + head) * S * D;
    const seen = this.length + n + 1;
    const from = n * this.queryChannels + head * group * head_dim;
    for (let g = 0; g < group; g++) {
      for (let d = 0; d < head_dim; d++) floats[this.groupQ + g * D + d] = floats[this.q + from + g * head_dim + d];
    }
    this.products.run(this.keys + start, D, this.groupQ, D, this.scores, S, upTo4(seen), D, group);
    for (let g = 0; g < group; g++) this.#softmax(this.scores + g * S, seen, 1 / Math.sqrt(head_dim));
    this.onAttention?.(layer, head, this.length + n, this.scores, seen);
    this.products.run(this.values + start, S, this.scores, S, this.groupY, D, D, upTo4(seen), group);
    for (let g = 0; g < group; g++) {
      const y = this.groupY + g * D, to = this.read_ + from + g * head_dim;
      if (this.config.xsa) this.#excludeOwnValue(y, this.v + n * this.kvChannels + head * head_dim);
      for (let d = 0; d < head_dim; d++) floats[to + d] = floats[y + d];
    }
  }

  #softmax(start, length, scale) {
    const { floats } = this;
    let most = -Infinity;
    for (let i = 0; i < length; i++) most = Math.max(most, floats[start + i]);
    let total = 0;
    for (let i = 0; i < length; i++) total += floats[start + i] = Math.exp((floats[start + i] - most) * scale);
    for (let i = 0; i < length; i++) floats[start + i] /= total;
    floats.fill(0, start + length, start + upTo4(length));
  }

  // Exclusive self attention: what lies along the token's own value is taken out.
  #excludeOwnValue(y, v) {
    const { floats } = this;
    const { head_dim } = this.config;
    let along = 0, length = 0;
    for (let d = 0; d < head_dim; d++) {
      along += floats[y + d] * floats[v + d];
      length += floats[v + d] * floats[v + d];
    }
    const share = along / Math.max(length, LEAST_SQUARED_VALUE);
    for (let d = 0; d < head_dim; d++) floats[y + d] -= share * floats[v + d];
  }

  #feedForward(prefix, count) {
    const { floats, C, F } = this;
    this.#project(`${prefix}gate_proj`, this.normed, this.gate, C, F, count);
    this.#project(`${prefix}up_proj`, this.normed, this.up, C, F, count);
    for (let i = 0; i < count * F; i++) {
      const gate = floats[this.gate + i];
      floats[this.gate + i] = (gate / (1 + Math.exp(-gate))) * floats[this.up + i];
    }
    this.#project(`${prefix}down_proj`, this.gate, this.out, F, C, count);
    this.#add(this.out, count);
  }

  #logits(n) {
    const { floats } = this;
    const { tie_embeddings, vocab_size, logit_softcap: cap } = this.config;
    this.#norm("norm.weight", this.x + n * this.C, this.normed, 1, this.config.hidden_size, this.C);
    this.#project(tie_embeddings ? "embed_tokens" : "lm_head", this.normed, this.logits_, this.C, this.V, 1);
    if (cap) {
      for (let i = 0; i < vocab_size; i++) floats[this.logits_ + i] = cap * Math.tanh(floats[this.logits_ + i] / cap);
    }
    return floats.subarray(this.logits_, this.logits_ + vocab_size);
  }
}

// Cosines, then sines, of every position of the context; rounded to float32 where rope.py rounds.
function rotations({ context_length, head_dim, rope_theta }) {
  const half = head_dim / 2;
  const table = new Float32Array(context_length * head_dim);
  for (let r = 0; r < half; r++) {
    const power = Math.fround(rope_theta ** Math.fround((2 * r) / head_dim));
    const turn = Math.fround(1 / power);
    for (let position = 0; position < context_length; position++) {
      const angle = Math.fround(position * turn);
      table[position * head_dim + r] = Math.cos(angle);
      table[position * head_dim + half + r] = Math.sin(angle);
    }
  }
  return table;
}
