"""The splits with their classes of characters written out, for tokenizer.json.

By name, letters, numbers and blanks are another set in every program: JavaScript counts U+FEFF among the blanks and
U+0085 not, and each has its own version of Unicode. (November 2026: 4,644 letters and 13 numbers more in Node 20 than
in tokenizers 0.23.3.) So the sets are asked of the library that trained the tokenizer.
"""

from tokenizers import PreTokenizedString, Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence, Split

from smidgen.tokenization.splits import CLOSING_MARKS, OPERATORS, Splits

LINE_BREAKS = "\r\n"
# White_Space of Unicode without them. Written out, as it has not changed since 2013.
BLANKS = "\t\x0b\x0c \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# Planes 4 to 13 of Unicode are empty, the others beyond hold tags and private characters.
_END_OF_LETTERS = 0x40000


def pre_tokenizer(splits: Splits) -> PreTokenizer:
    """What ``splits.pre_tokenizer()`` does today, whoever reads it. Takes 0.1 s of one core."""
    white, parts = LINE_BREAKS + BLANKS, []
    if splits.whitespace:
        parts.append(f"[{LINE_BREAKS}]+|[{BLANKS}]+|[^{white}]+")
    if splits.operators:
        parts.append(_alone(OPERATORS))
    if splits.digits:
        parts.append(_alone(f"[{_ranges(_digits())}]"))
    if splits.closing:
        parts.append(_alone(CLOSING_MARKS))
    letters, numbers = _ranges(_matches(r"\p{L}+")), _ranges(_matches(r"\p{N}+"))
    # GPT-2's regular expression.
    words = f" ?[{letters}]+| ?[{numbers}]+| ?[^{white}{letters}{numbers}]+"
    parts.append(f"'s|'t|'re|'ve|'m|'ll|'d|{words}|[{white}]+(?![^{white}])|[{white}]+")
    # Each matches everything, and the matches are kept: "isolated" takes JavaScript five times as long.
    kept: list[PreTokenizer] = [Split(Regex(part), "removed", invert=True) for part in parts]
    return Sequence([*kept, ByteLevel(add_prefix_space=False, use_regex=False)])


def _alone(characters: str) -> str:
    """Each of the characters in brackets, and runs of all others."""
    return f"{characters}|[^{characters[1:]}+"


def _ranges(runs: list[str]) -> str:
    """Runs of neighbours as they stand in the brackets of a regular expression."""
    return "".join(run if len(run) < 3 else f"{run[0]}-{run[-1]}" for run in runs)


def _matches(pattern: str) -> list[str]:
    return _pieces(Split(Regex(pattern), "removed", invert=True))


def _digits() -> list[str]:
    # Runs of digits and of others in turn, beginning with NUL.
    return _pieces(Digits(individual_digits=False))[1::2]


def _pieces(split: PreTokenizer) -> list[str]:
    """What becomes of all scalars in a row. Letters and numbers mean nothing else inside brackets."""
    scalars = PreTokenizedString("".join(map(chr, (*range(0xD800), *range(0xE000, _END_OF_LETTERS)))))
    split.pre_tokenize(scalars)
    # In bytes, because offsets in characters take ten times as long.
    return [piece for piece, *_ in scalars.get_splits(offset_referential="normalized", offset_type="byte")]
