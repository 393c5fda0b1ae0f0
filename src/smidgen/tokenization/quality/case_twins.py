"""Entries of a vocabulary that spell one word in several ways: "the", "The", " the", " THE".

A vocabulary with capitals has to learn each of them by itself, and each takes a row of the embedding.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from smidgen.tokenization.quality.subject import Subject
from smidgen.tokenization.quality.token_kind import without_markers

Family = list[tuple[int, str]]
EXAMPLES = 8


@dataclass(frozen=True)
class CaseTwins:
    """``words`` are the entries of two bytes and more that hold a letter, by what is left of them without capitals,
    markers and blanks in front: ids and spellings. Bytes are not counted, as no vocabulary can do without them.
    """

    words: dict[str, Family]

    @cached_property
    def by_case(self) -> int:
        """Entries that another one equals but for capitals and markers."""
        return sum(
            len(family) - len({_has_blank(spelling) for _, spelling in family}) for family in self.words.values()
        )

    @cached_property
    def by_blank(self) -> int:
        """Further entries that another one equals but for the blank in front."""
        return sum(len({_has_blank(spelling) for _, spelling in family}) - 1 for family in self.words.values())

    @property
    def examples(self) -> list[Family]:
        """The words with most spellings, those learned first before others."""
        families = sorted(self.words.values(), key=lambda family: (-len(family), family[0][0]))
        return [family for family in families[:EXAMPLES] if len(family) > 1]


def case_twins(subject: Subject) -> CaseTwins:
    words: dict[str, Family] = defaultdict(list)
    for token_id, text in _texts(subject):
        bare = without_markers(text, subject.markers)
        if any(map(str.isalpha, bare)):
            words[bare.lower().lstrip(" ")].append((token_id, text))
    return CaseTwins(dict(words))


def _texts(subject: Subject) -> Sequence[tuple[int, str]]:
    found = []
    for token_id in range(subject.tokenizer.vocab_size):
        content, is_control = subject.tokenizer.content(token_id)
        if len(content) > 1 and not is_control:
            found.append((token_id, content.decode(errors="replace")))
    return [(token_id, text) for token_id, text in found if "\ufffd" not in text]


def _has_blank(spelling: str) -> bool:
    return " " in spelling[:2]
