// Reversible rewriting of text around the tokenizer: digit order, where numbers end, and capitals. The same as
// text_rules.py.

const TITLE = "\x0e", ALLCAPS = "\x0f", ESCAPE = "\x10";
const CASE_SIGNS = [[TITLE, "^"], [ALLCAPS, "_"]];
// Closing marks, of 0 to 9, are the characters from one to the other.
export const FIRST_CLOSING = 0x12, LAST_CLOSING = 0x1b;
const CLOSING_SIGNS = [...'"#%,:;<>?@'].map((sign, digit) => [String.fromCharCode(FIRST_CLOSING + digit), sign]);
const CAPITALS = / ?(?:[A-Z]{2,}(?![a-z])|[A-Z])/g;
const CONTROLS = /[\x0e-\x1b]/g;

const isDigit = (character) => character.length === 1 && character >= "0" && character <= "9";
// The digit of a closing mark, or undefined.
export function closingDigit(character) {
  const digit = character.length === 1 ? character.charCodeAt(0) - FIRST_CLOSING : -1;
  return digit >= 0 && digit < 10 ? String(digit) : undefined;
}

const isLetter = (character) => /^[A-Za-z]$/.test(character);

export class TextRules {
  // `reverse_digits`, `map_case` and `close_numbers` are the rules, the limits how long a run the first two take.
  constructor({ reverse_digits, map_case, close_numbers = false, most_digits, most_capitals }) {
    this.reverseDigits = reverse_digits;
    this.mapCase = map_case;
    this.closeNumbers = close_numbers;
    const signs = [...(map_case ? CASE_SIGNS : []), ...(close_numbers ? CLOSING_SIGNS : [])];
    if (signs.length) signs.push([ESCAPE, "!"]);
    this.signOf = new Map(signs);
    this.meantBy = new Map(signs.map(([character, sign]) => [sign, character]));
    this.mostDigits = most_digits;
    this.mostCapitals = most_capitals;
  }

  // The text as the tokenizer sees it.
  apply(text) {
    // Escapes first: the markers that come with capitals are none of the text's.
    const escaped = this.signOf.size ? text.replace(CONTROLS, (found) => this.#escaped(found)) : text;
    const cased = this.mapCase ? escaped.replace(CAPITALS, (found) => this.#marked(found)) : escaped;
    const turned = this.reverseDigits ? cased.replace(/[0-9]+/g, (run) => this.#turned([...run]).join("")) : cased;
    return this.closeNumbers ? turned.replace(/[0-9](?![0-9])/g, closed) : turned;
  }

  // The text as people see it: characters in, characters out, each a pair [character, what it belongs to].
  invert(pairs) {
    const opened = this.closeNumbers
      ? pairs.map(([character, owner]) => [closingDigit(character) ?? character, owner])
      : pairs;
    const digits = this.reverseDigits ? this.#turnedRuns(opened) : opened;
    return this.signOf.size ? this.#unmarked(digits) : digits;
  }

  #turned(run) {
    return run.length >= 2 && run.length <= this.mostDigits ? run.reverse() : run;
  }

  #turnedRuns(pairs) {
    const turned = [];
    for (let start = 0; start < pairs.length; ) {
      let end = start;
      while (end < pairs.length && isDigit(pairs[end][0])) end++;
      const run = this.#turned(pairs.slice(start, end));
      for (const pair of run) turned.push(pair);
      if (end < pairs.length) turned.push(pairs[end]);
      start = end + 1;
    }
    return turned;
  }

  #escaped(found) {
    return this.signOf.has(found) ? ESCAPE + this.signOf.get(found) : found;
  }

  #marked(found) {
    const row = found.trimStart();
    if (row.length === 1) return TITLE + found.toLowerCase();
    if (row.length <= this.mostCapitals) return ALLCAPS + found.toLowerCase();
    const border = found.length - this.mostCapitals;
    const alone = found.slice(0, border).replace(/ ?[A-Z]/g, (capital) => TITLE + capital.toLowerCase());
    return alone + ALLCAPS + found.slice(border).toLowerCase();
  }

  #unmarked(pairs) {
    const text = [];
    let i = 0;
    const upper = (most) => {
      if (i < pairs.length && pairs[i][0] === " ") text.push(pairs[i++]);
      for (let n = 0; n < most && i < pairs.length && isLetter(pairs[i][0]); n++, i++) {
        text.push([pairs[i][0].toUpperCase(), pairs[i][1]]);
      }
    };
    while (i < pairs.length) {
      const [character, owner] = pairs[i++];
      if (this.mapCase && character === TITLE) upper(1);
      else if (this.mapCase && character === ALLCAPS) upper(this.mostCapitals);
      else if (character !== ESCAPE) text.push([character, owner]);
      else if (i < pairs.length && this.meantBy.has(pairs[i][0])) text.push([this.meantBy.get(pairs[i++][0]), owner]);
    }
    return text;
  }
}

function closed(digit) {
  return String.fromCharCode(FIRST_CLOSING + Number(digit));
}
