// Reversible rewriting of text around the tokenizer: digit order and capitals. The same as text_rules.py.

const TITLE = "\x0e", ALLCAPS = "\x0f", ESCAPE = "\x10";
const SIGN_OF = { [ESCAPE]: "!", [TITLE]: "^", [ALLCAPS]: "_" };
const MEANT_BY = { "!": ESCAPE, "^": TITLE, _: ALLCAPS };
const CAPITALS = / ?(?:[A-Z]{2,}(?![a-z])|[A-Z])|[\x0e-\x10]/g;

const isDigit = (character) => character.length === 1 && character >= "0" && character <= "9";
const isLetter = (character) => /^[A-Za-z]$/.test(character);

export class TextRules {
  // `reverse_digits` and `map_case` are the rules, the limits how long a run each of them takes.
  constructor({ reverse_digits, map_case, most_digits, most_capitals }) {
    this.reverseDigits = reverse_digits;
    this.mapCase = map_case;
    this.mostDigits = most_digits;
    this.mostCapitals = most_capitals;
  }

  // The text as the tokenizer sees it.
  apply(text) {
    const cased = this.mapCase ? text.replace(CAPITALS, (found) => this.#marked(found)) : text;
    return this.reverseDigits ? cased.replace(/[0-9]+/g, (run) => this.#turned([...run]).join("")) : cased;
  }

  // The text as people see it: characters in, characters out, each a pair [character, what it belongs to].
  invert(pairs) {
    const digits = this.reverseDigits ? this.#turnedRuns(pairs) : pairs;
    return this.mapCase ? this.#unmarked(digits) : digits;
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

  #marked(found) {
    if (found < " ") return ESCAPE + SIGN_OF[found];
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
      if (character === TITLE) upper(1);
      else if (character === ALLCAPS) upper(this.mostCapitals);
      else if (character !== ESCAPE) text.push([character, owner]);
      else if (i < pairs.length && pairs[i][0] in MEANT_BY) text.push([MEANT_BY[pairs[i++][0]], owner]);
    }
    return text;
  }
}
