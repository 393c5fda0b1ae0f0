"""What the "word-problems" generator writes."""

from dataclasses import asdict, dataclass
from typing import Any

MOST_PROBLEMS = 1_000


@dataclass(frozen=True, kw_only=True)
class WordProblemSettings:
    """Settings of a source with ``generator = "word-problems"``.

    A document holds ``problems`` of them, one a line. ``formula_share`` of them show how the result comes about:
    "Ada now has 12 + 5 = 17 shells." instead of "Ada now has 17 shells."
    """

    problems: int = 8
    formula_share: float = 0.0

    def __post_init__(self) -> None:
        # Plain data may hold 1 for 1.0, and names of documents are made of it.
        object.__setattr__(self, "formula_share", float(self.formula_share))
        if not 1 <= self.problems <= MOST_PROBLEMS:
            raise ValueError(f"problems={self.problems} must lie between 1 and {MOST_PROBLEMS:,}")
        if not 0 <= self.formula_share <= 1:
            raise ValueError(f"formula_share={self.formula_share} must lie between 0 and 1")

    def changes(self) -> dict[str, Any]:
        """What differs from the defaults, as plain data, so that a key that comes later changes no name."""
        defaults = asdict(WordProblemSettings())
        return {key: value for key, value in asdict(self).items() if value != defaults[key]}
