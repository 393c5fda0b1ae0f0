"""Where a text is cut before merges are learned or applied: no token reaches across a cut.

The last cut is always GPT-2's regular expression, so that GGUF knows it by name: alone as "gpt-2", after single
digits as "smollm". With isolated operators, whitespace or closing marks no name in GGUF fits.
"""

from dataclasses import asdict, dataclass
from typing import Self

from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence, Split

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.text_rules import CLOSING

# Line breaks and other blanks apart from each other too, so that a token of blanks is wholly one or the other.
_WHITESPACE = r"[\r\n]+|[^\S\r\n]+"
OPERATORS = r"[-+*/=()]"
CLOSING_MARKS = f"[{CLOSING[0]}-{CLOSING[-1]}]"


@dataclass(frozen=True, kw_only=True)
class Splits:
    """``digits``: each digit of any script alone. ``operators``: each of + - * / = ( ) alone. ``whitespace``: runs of
    blanks and runs of line breaks apart from text. ``closing``: each closing mark of a number alone.
    """

    digits: bool = False
    operators: bool = False
    whitespace: bool = False
    closing: bool = False

    @classmethod
    def of(cls, settings: TokenizerSettings) -> Self:
        return cls(
            digits=settings.digits != "merged",
            operators=settings.isolate_operators,
            whitespace=settings.isolate_whitespace,
            closing=settings.close_numbers,
        )

    def as_dict(self) -> dict[str, bool]:
        """Plain data, without a split that came later where it is off, as ``TextRules.as_dict``."""
        splits = asdict(self)
        return splits if self.closing else {name: splits[name] for name in splits if name != "closing"}

    def pre_tokenizer(self) -> PreTokenizer:
        gpt2 = ByteLevel(add_prefix_space=False, use_regex=True)
        parts: list[PreTokenizer] = []
        if self.whitespace:
            parts.append(Split(Regex(_WHITESPACE), "isolated"))
        if self.operators:
            parts.append(Split(Regex(OPERATORS), "isolated"))
        if self.digits:
            parts.append(Digits(individual_digits=True))
        if self.closing:
            parts.append(Split(Regex(CLOSING_MARKS), "isolated"))
        return Sequence([*parts, gpt2]) if parts else gpt2
