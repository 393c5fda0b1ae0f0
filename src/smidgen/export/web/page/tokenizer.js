// Text to token ids and back: byte-level BPE with reversible text rules around it.

import { Splits } from "./splits.js";
import { closingDigit, TextRules } from "./text_rules.js";

const PICTURES = 0x2400; // of control characters

export class Tokenizer {
  // `special` are the control tokens, which have the first ids; `byte_ids` are the ids of the 256 bytes; `merges` are
  // three ids each in the order of their rank: left, right, made of both.
  constructor({ special, byte_ids, merges, rules, splits, classes, end_of_text_id }) {
    this.special = special;
    this.endOfTextId = end_of_text_id;
    this.rules = new TextRules(rules);
    this.splits = new Splits(splits, classes);
    this.idOfByte = byte_ids;
    this.contents = special.map(utf8);
    byte_ids.forEach((id, byte) => (this.contents[id] = Uint8Array.of(byte)));
    this.mergeOf = new Map(); // left id and right id -> [rank, id made]
    for (let i = 0; i < merges.length; i += 3) {
      const [left, right, made] = merges.slice(i, i + 3);
      this.contents[made] ??= joined(this.contents[left], this.contents[right]);
      this.mergeOf.set(left * SHIFT + right, [i, made]);
    }
    this.remembered = new Map(); // pieces that have been encoded
  }

  get size() {
    return this.contents.length;
  }

  // The ids of a text. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD.
  encode(text) {
    const ids = [];
    for (const piece of this.splits.pieces(this.rules.apply(wellFormed(text)))) {
      for (const id of this.#encodedPiece(piece)) ids.push(id);
    }
    return ids;
  }

  isSpecial(id) {
    return id < this.special.length;
  }

  // The text of ids; control tokens are left out and end what stands before them.
  decode(ids) {
    return this.pairs(ids).map(([character]) => character).join("");
  }

  // The characters of the text, each with the index of the token that it comes from: [character, index].
  pairs(ids) {
    const text = [];
    for (let start = 0; start < ids.length; ) {
      let end = start;
      while (end < ids.length && !this.isSpecial(ids[end])) end++;
      for (const pair of this.rules.invert(this.#characters(ids, start, end))) text.push(pair);
      start = end + 1;
    }
    return text;
  }

  // What a token stands for, to be shown: text rules stay applied, parts of a character appear as \xNN, control
  // characters as their pictures and the closing mark of a number as its digit with a sign.
  piece(id) {
    const { characters } = decodeUtf8(this.#content(id));
    const shown = characters.map(({ character, bytes }) => {
      if (bytes) return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
      const code = character.codePointAt(0);
      const digit = this.rules.closeNumbers ? closingDigit(character) : undefined;
      if (digit) return `${digit}\u27e9`;
      return code < 0x20 ? String.fromCharCode(PICTURES + code) : code === 0x7f ? "\u2421" : character;
    });
    return shown.join("");
  }

  // A model may have more ids than there are tokens; those stand for nothing.
  #content(id) {
    return this.contents[id] ?? NOTHING;
  }

  #encodedPiece(piece) {
    const known = this.remembered.get(piece);
    if (known) return known;
    const ids = this.#merged(Array.from(utf8(piece), (byte) => this.idOfByte[byte]));
    if (this.remembered.size > 20000) this.remembered.clear();
    this.remembered.set(piece, ids);
    return ids;
  }

  // The earliest merge that applies anywhere, everywhere it applies, until none does.
  #merged(ids) {
    while (ids.length > 1) {
      let best = null;
      for (let i = 0; i + 1 < ids.length; i++) {
        const merge = this.mergeOf.get(ids[i] * SHIFT + ids[i + 1]);
        if (merge && (!best || merge[0] < best[0])) best = merge;
      }
      if (!best) break;
      const shorter = [];
      for (let i = 0; i < ids.length; i++) {
        const merge = i + 1 < ids.length ? this.mergeOf.get(ids[i] * SHIFT + ids[i + 1]) : undefined;
        shorter.push(merge === best ? best[1] : ids[i]);
        if (merge === best) i++;
      }
      ids = shorter;
    }
    return ids;
  }

  // Pairs as the model sees them: a character belongs to the token that completes it.
  #characters(ids, start, end) {
    const contents = ids.slice(start, end).map((id) => this.#content(id));
    const owners = contents.flatMap((content, i) => Array(content.length).fill(start + i));
    const { characters } = decodeUtf8(joined(...contents));
    return characters.map(({ character, end: after }) => [character, owners[after - 1]]);
  }
}

const SHIFT = 1 << 20; // more than any vocabulary has
const NOTHING = new Uint8Array();

// The characters of bytes, each with where it ends; those that are no UTF-8 become U+FFFD as the Encoding Standard
// and Python do it, and come with their `bytes`.
export function decodeUtf8(bytes) {
  const characters = [];
  let start = 0;
  while (start < bytes.length) {
    const { length, code } = scalarAt(bytes, start);
    const end = start + length;
    if (code < 0) characters.push({ character: "\ufffd", end, bytes: bytes.slice(start, end) });
    else characters.push({ character: String.fromCodePoint(code), end });
    start = end;
  }
  return { characters };
}

// The scalar that begins here, or code -1 with the length of the longest beginning of one.
function scalarAt(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return { length: 1, code: first };
  if (first < 0xc2 || first > 0xf4) return { length: 1, code: -1 };
  const needed = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  let code = first & (0x3f >> needed);
  for (let n = 1; n <= needed; n++) {
    const next = bytes[at + n];
    const [low, high] = n === 1 ? secondByteRange(first) : [0x80, 0xbf];
    if (next === undefined || next < low || next > high) return { length: n, code: -1 };
    code = (code << 6) | (next & 0x3f);
  }
  return { length: needed + 1, code };
}

// Narrower where the bytes would say a surrogate, something too large, or something shorter ones can say.
function secondByteRange(first) {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  if (first === 0xf4) return [0x80, 0x8f];
  return [0x80, 0xbf];
}

function wellFormed(text) {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}

function utf8(text) {
  return new TextEncoder().encode(text);
}

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
