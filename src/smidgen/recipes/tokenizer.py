"""What the tokenizer of a recipe is."""

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class SpecialTokens:
    """The control tokens, in the order of their ids; an empty string leaves one out.

    ``end_of_text`` separates documents in the training stream and starts an empty context in scoring.
    """

    pad: str = ""
    bos: str = ""
    eos: str = ""
    unk: str = ""
    end_of_text: str = "<|endoftext|>"

    def __post_init__(self) -> None:
        if not self.end_of_text:
            raise ValueError('end_of_text="" must name a token such as "<|endoftext|>": it separates documents')
        if len(set(self.present)) != len(self.present):
            raise ValueError(f"special tokens {', '.join(self.present)} must all be different")

    @property
    def present(self) -> tuple[str, ...]:
        """The tokens that exist, in the order of their ids from 0."""
        return tuple(token for token in asdict(self).values() if token)


@dataclass(frozen=True, kw_only=True)
class TokenizerSettings:
    """A byte-level BPE and the reversible text rules around it.

    ``digits``: "merged" treats them as other characters; "single" makes each digit a token of its own;
    "reversed" also writes every run of ASCII digits least-significant first (Atom-2.7m card).
    ``isolate_operators``: each of + - * / = ( ) is a token of its own. ``isolate_whitespace``: blanks never
    merge with text. ``case_mapping``: capitals become markers before lower-case letters (AtomixS2-5M card).
    ``close_numbers``: the digit of each number that is written last has a token of its own kind, so that no number's
    tokens are a beginning of another's.
    The vocabulary's size is ``design.vocab_size``.
    """

    family: Literal["byte-level-bpe"] = "byte-level-bpe"
    special_tokens: SpecialTokens = SpecialTokens()
    digits: Literal["merged", "single", "reversed"] = "merged"
    isolate_operators: bool = False
    isolate_whitespace: bool = False
    case_mapping: bool = False
    close_numbers: bool = False
    # Text to learn the merges from, taken from the sources in proportion to their share of the mixture.
    training_bytes: int = 50_000_000

    def __post_init__(self) -> None:
        if self.training_bytes < 1:
            raise ValueError(f"training_bytes={self.training_bytes} must be positive; 50_000_000 is usual")
        if self.close_numbers and self.digits == "merged":
            raise ValueError(
                'close_numbers=true needs a token for each digit; digits="reversed" or digits="single" would work'
            )
