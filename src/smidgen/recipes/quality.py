"""What text is left out of training: filters, near duplicates, overlap with evaluation sets."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a document must keep to; a limit that is not given is that of the set of filters, if it has one.

    Words are runs of letters and digits. Shares lie between 0 and 1. "Characters" of duplicates are those of words.
    A bullet or an ellipsis counts at a line's start and end; a duplicate is a line or paragraph that came before.
    ``max_top_ngram_shares`` are for the most frequent run of 2, 3 and 4 words, ``max_duplicate_ngram_shares`` for all
    that stands in runs of 5, 6 ... 10 words which come more than once. ``max_damaged_share``: replacement and control
    characters, and UTF-8 read as Latin-1 ("Ã©").
    """

    min_characters: int | None = None
    max_characters: int | None = None
    min_words: int | None = None
    max_words: int | None = None
    min_mean_word_characters: float | None = None
    max_mean_word_characters: float | None = None
    min_lettered_word_share: float | None = None
    max_symbol_share: float | None = None
    max_hashes_per_word: float | None = None
    max_ellipses_per_word: float | None = None
    max_bullet_line_share: float | None = None
    max_ellipsis_line_share: float | None = None
    max_duplicate_line_share: float | None = None
    max_duplicate_line_character_share: float | None = None
    max_duplicate_paragraph_share: float | None = None
    max_duplicate_paragraph_character_share: float | None = None
    max_top_ngram_shares: tuple[float, ...] | None = None
    max_duplicate_ngram_shares: tuple[float, ...] | None = None
    max_damaged_share: float | None = None

    def __post_init__(self) -> None:
        for name, given in self.given.items():
            shares = given if isinstance(given, tuple) else (given,)
            if not all(share >= 0 for share in shares):
                raise ValueError(f"{name}={given} must not be negative")
            if "share" in name and not all(share <= 1 for share in shares):
                raise ValueError(f"{name}={given} must lie between 0 and 1: it is a share")
        for name, count, sizes in (
            ("max_top_ngram_shares", 3, "2, 3 and 4"),
            ("max_duplicate_ngram_shares", 6, "5, 6 ... 10"),
        ):
            given = getattr(self, name)
            if given is not None and len(given) != count:
                raise ValueError(f"{name} has {len(given)} numbers and needs {count}, for runs of {sizes} words")
        for name in ("characters", "words", "mean_word_characters"):
            least, most = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if least is not None and most is not None and least > most:
                raise ValueError(f"min_{name}={least} is more than max_{name}={most}: every document would go")

    @property
    def given(self) -> dict[str, Any]:
        """The limits that are set: numbers, or one for each size of n-gram."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


# Assumed. Damaged is 1 character in 200: a few quoted signs pass, a page that was decoded wrongly does not. A text of
# ten million characters is a dump; to look for repetitions and evaluation sets takes 17 bytes of memory for each.
MILD = Limits(max_characters=10_000_000, max_damaged_share=0.005)
# Gopher, arXiv:2112.11446, appendix A1.1 with table A1. Its list of English words that must occur is left out, so
# that the rules hold for any language.
GOPHER = Limits(
    max_characters=10_000_000,
    min_words=50,
    max_words=100_000,
    min_mean_word_characters=3.0,
    max_mean_word_characters=10.0,
    min_lettered_word_share=0.8,
    max_hashes_per_word=0.1,
    max_ellipses_per_word=0.1,
    max_bullet_line_share=0.9,
    max_ellipsis_line_share=0.3,
    max_duplicate_line_share=0.3,
    max_duplicate_line_character_share=0.2,
    max_duplicate_paragraph_share=0.3,
    max_duplicate_paragraph_character_share=0.2,
    max_top_ngram_shares=(0.20, 0.18, 0.16),
    max_duplicate_ngram_shares=(0.15, 0.14, 0.13, 0.12, 0.11, 0.10),
    max_damaged_share=0.005,
)
FILTERS = {"none": Limits(), "mild": MILD, "gopher": GOPHER}


@dataclass(frozen=True, kw_only=True)
class QualitySettings:
    """What is rejected beside exact duplicates, which always are.

    ``filters`` is a set of limits for text written by people (generators are left alone), and ``limits`` changes
    single ones of them. ``near_duplicates`` is the similarity from which a document counts as a repetition of an
    earlier one: what two share of their runs of 5 words; 0 does not look. ``contamination``: what happens to
    documents that share words with evaluation sets, where these are given (--eval-data): "report" counts and lists
    them, "drop" leaves them out as well, "off" does not look. ``contamination_tasks`` are the tasks and suites to
    look for.
    """

    filters: Literal["none", "mild", "gopher"] = "mild"
    limits: Limits = field(default_factory=Limits)
    near_duplicates: float = 0.0
    contamination: Literal["off", "report", "drop"] = "report"
    contamination_tasks: tuple[str, ...] = ("open-slm",)

    def __post_init__(self) -> None:
        if self.near_duplicates and not 0.5 <= self.near_duplicates <= 1:
            raise ValueError(
                f"near_duplicates={self.near_duplicates} must be 0 (off) or lie between 0.5 and 1; 0.8 is usual"
            )
        if self.contamination != "off" and not self.contamination_tasks:
            raise ValueError('contamination_tasks is empty; name a task or suite, or set contamination = "off"')
        # Limits that fit alone may contradict those of the set.
        _ = self.limits_in_force

    @property
    def limits_in_force(self) -> Limits:
        """Those of the set of filters, with the given ones over them."""
        return Limits(**{**FILTERS[self.filters].given, **self.limits.given})
