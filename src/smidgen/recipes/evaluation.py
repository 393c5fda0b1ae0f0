"""What a recipe is scored on, and what its authors reported."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """Names of the tasks. Those that need files which are absent are skipped with a line that says so."""

    tasks: tuple[str, ...] = ("bits-per-byte",)
    # Context of scoring where it differs from the design's (Atom-2.7m: 548).
    max_length: int | None = None


@dataclass(frozen=True, kw_only=True)
class PublishedScore:
    """A score as its authors reported it, as a percentage unless the metric is a perplexity or a loss."""

    task: str
    metric: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the published model's card states, for comparison: parameters, tokens seen, scores, licence."""

    parameters: int | None = None
    # False where the card rounds, so that the count to the digit is our inference.
    parameters_exact: bool = True
    tokens: int | None = None
    license: str = ""
    scores: tuple[PublishedScore, ...] = ()
