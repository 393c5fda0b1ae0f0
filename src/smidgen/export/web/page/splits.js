// Where a text is cut before merges are applied: GPT-2's expression, inside what the other splits leave.
//
//     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// Written out, with the classes of characters that the tokenizer was trained with: a browser's own tables are of
// another version of Unicode, and its \s is not that of the expression.

import { FIRST_CLOSING, LAST_CLOSING } from "./text_rules.js";

const LETTER = 0, NUMBER = 1, OTHER = 2, WHITE = 3, ALONE = 4;
const NUMERIC = 4; // a bit beside the class
const CLASS_BITS = 3;
const OPERATORS = "-+*/=()";
const CONTRACTIONS = ["s", "t", "re", "ve", "m", "ll", "d"];

export class Splits {
  // `classes` are runs of all scalars from 0 on: length, class, length, class ...
  constructor({ digits, operators, whitespace, closing = false }, classes) {
    this.isolateWhitespace = whitespace;
    this.classes = new Uint8Array(0x110000);
    let start = 0;
    for (let i = 0; i < classes.length; i += 2) {
      const kind = digits && classes[i + 1] & NUMERIC ? ALONE : classes[i + 1] & CLASS_BITS;
      this.classes.fill(kind, start, (start += classes[i]));
    }
    if (closing) this.classes.fill(ALONE, FIRST_CLOSING, LAST_CLOSING + 1);
    if (operators) for (const sign of OPERATORS) this.classes[sign.codePointAt(0)] = ALONE;
  }

  // The pieces of a text without lone surrogates, in order.
  *pieces(text) {
    const characters = [...text];
    const kinds = characters.map((character) => this.classes[character.codePointAt(0)]);
    for (let start = 0; start < characters.length; ) {
      const end = this.#end(characters, kinds, start);
      yield characters.slice(start, end).join("");
      start = end;
    }
  }

  #end(characters, kinds, start) {
    const kind = kinds[start];
    if (kind === ALONE) return start + 1;
    if (kind !== WHITE) return contractionEnd(characters, start) || runEnd(kinds, start, kind);
    if (this.isolateWhitespace) return blankEnd(characters, kinds, start);
    const end = runEnd(kinds, start, WHITE);
    const next = kinds[end];
    if (next === undefined || next === ALONE) return end;
    // The last blank of several is left for the word behind them.
    if (end - start > 1) return end - 1;
    return characters[start] === " " ? runEnd(kinds, end, next) : end;
  }
}

function runEnd(kinds, start, kind) {
  let end = start;
  while (kinds[end] === kind) end++;
  return end;
}

function contractionEnd(characters, start) {
  if (characters[start] !== "'") return 0;
  const two = (characters[start + 1] ?? "") + (characters[start + 2] ?? "");
  const found = CONTRACTIONS.find((ending) => two.startsWith(ending));
  return found ? start + 1 + found.length : 0;
}

// Line breaks and other blanks apart from each other.
function blankEnd(characters, kinds, start) {
  const isBreak = (i) => characters[i] === "\n" || characters[i] === "\r";
  let end = start;
  while (kinds[end] === WHITE && isBreak(end) === isBreak(start)) end++;
  return end;
}
