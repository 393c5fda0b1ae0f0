"""Everything that decides which ids a text gets, as plain data."""

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property

from tokenizers import AddedToken, decoders, models
from tokenizers import Tokenizer as BytePairEncoder

from smidgen.recipes.tokenizer import SpecialTokens
from smidgen.records.fingerprint import sha256_of_json
from smidgen.tokenization.byte_symbols import byte_symbols
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import TextRules


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A trained tokenizer. ``tokens`` are in the order of their ids and written in byte symbols: first the special
    tokens, then the 256 bytes, then what the ``merges`` make.

    Raises ``ValueError`` unless that is so. It is also the proof that text never becomes a control token: no merge
    makes one.
    """

    special_tokens: SpecialTokens
    splits: Splits
    rules: TextRules
    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        special = self.special_tokens.present
        made = {left + right for left, right in self.merges}
        from_text = {*byte_symbols(), *made}
        clash = [token for token in special if token in from_text]
        if clash:
            raise ValueError(
                f'special token "{clash[0]}" also comes out of ordinary text; "<|{clash[0]}|>" would not'
            )
        if self.tokens[: len(special)] != special:
            raise ValueError(f"the first tokens are {self.tokens[: len(special)]} instead of {special}")
        repeated = [token for token, count in Counter(self.tokens).items() if count > 1]
        wrong = repeated or sorted(from_text.symmetric_difference(self.tokens[len(special) :]))
        if wrong:
            raise ValueError(f'token "{wrong[0]}" does not stand for exactly one byte or merge')
        unknown = {part for merge in self.merges for part in merge} - from_text
        if unknown:
            raise ValueError(f'a merge uses "{min(unknown)}", which is no token')

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content: equal fingerprints give equal ids, whatever file they were read from."""
        return sha256_of_json({**asdict(self), "splits": self.splits.as_dict(), "rules": self.rules.as_dict()})

    def encoder(self) -> BytePairEncoder:
        """The same as an object of the ``tokenizers`` library, which knows nothing of the text rules."""
        ids = {token: token_id for token_id, token in enumerate(self.tokens)}
        encoder = BytePairEncoder(models.BPE(vocab=ids, merges=list(self.merges)))
        encoder.pre_tokenizer = self.splits.pre_tokenizer()
        encoder.decoder = decoders.ByteLevel()
        encoder.add_special_tokens(special_added_tokens(self.special_tokens))
        # Without it "<|endoftext|>" in a document would become the control token. It is not part of tokenizer.json
        # and does not survive pickling, hence it is set where the object is made.
        encoder.encode_special_tokens = True
        return encoder


def special_added_tokens(special_tokens: SpecialTokens) -> list[AddedToken]:
    return [AddedToken(token, special=True, normalized=False) for token in special_tokens.present]
