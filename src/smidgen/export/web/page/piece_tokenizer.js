// A tokenizer of which only the texts of its tokens are known; the server encodes.

export class PieceTokenizer {
  constructor({ pieces, special_ids, end_of_text_id }) {
    this.pieces = pieces;
    this.specialIds = new Set(special_ids);
    this.endOfTextId = end_of_text_id;
    this.rules = { reverseDigits: false, mapCase: false, closeNumbers: false };
  }

  get size() {
    return this.pieces.length;
  }

  isSpecial(id) {
    return this.specialIds.has(id);
  }

  // Empty for an id without a token, of which a model may have some.
  piece(id) {
    return this.pieces[id] ?? "";
  }

  // Every character with the index of its token; control tokens are left out.
  pairs(ids) {
    return ids.flatMap((id, index) => (this.isSpecial(id) ? [] : [...this.piece(id)].map((one) => [one, index])));
  }
}
