// A text in parts that each belong to one token, in the order in which they are shown.

// What takes the place of the pictures of control characters; the first two are the case markers of text_rules.js.
// Others get their numbers, because few fonts have the pictures.
const SIGNS = { "\u240e": "\u21e7", "\u240f": "\u21ea", "\u240a": "\u21b5", "\u240d": "\u21b5", "\u2409": "\u21e5" };

// { index, text } of each part, with `isMark` for control tokens and `breaks` where a line ends behind it. As text,
// digits stand in the order of people and a marker has no part of its own; as tokens, all is as the model writes it.
export function segments(tokenizer, ids, { view, running }) {
  return view === "tokens" ? asTokens(tokenizer, ids) : asText(tokenizer, ids, running);
}

function asTokens(tokenizer, ids) {
  return ids.map((id, index) => {
    const text = shownPiece(tokenizer, id);
    return { index, text, isMark: tokenizer.isSpecial(id), breaks: text.includes("\u21b5") };
  });
}

// A token's characters, with signs for those that cannot be seen.
export function shownPiece(tokenizer, id) {
  return tokenizer.piece(id).replace(/[\u2400-\u2421]/g, (picture) => SIGNS[picture] ?? numbered(picture));
}

function numbered(picture) {
  const code = picture === "\u2421" ? 0x7f : picture.charCodeAt(0) - 0x2400;
  return `\\x${code.toString(16).padStart(2, "0")}`;
}

function asText(tokenizer, ids, running) {
  const pairs = tokenizer.pairs(ids);
  // A character that is still being written.
  while (running && pairs.at(-1)?.[0] === "\ufffd") pairs.pop();
  const parts = [];
  for (const [character, index] of pairs) {
    const newest = parts.at(-1);
    if (newest?.index === index) newest.text += character;
    else parts.push({ index, text: character });
  }
  return parts;
}
