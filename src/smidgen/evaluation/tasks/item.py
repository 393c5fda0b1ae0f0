"""What is scored: a choice between endings, the completion of a text, or a whole document."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One multiple-choice item.

    ``contexts`` holds one text for all endings, or one for each (WinoGrande fills the blank in the context).
    ``endings`` are scored as they stand, delimiter included; ``texts`` are the same without it, whose characters
    and bytes normalise ``acc_norm`` and ``acc_bytes``. ``labels`` are the indices of the right endings: one, or
    several where a task accepts any of them (TruthfulQA-mc2). ``key`` names the item within its task and stays the
    same between runs, so that two models can be paired; ``groups`` are the parts of the task that it counts towards.

    Raises ``ValueError`` for an empty ending, a label out of range or lengths that disagree.
    """

    key: str
    contexts: tuple[str, ...]
    endings: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[int, ...]
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.endings) < 2 or len(self.texts) != len(self.endings):
            raise ValueError(
                f"item {self.key}: {len(self.endings)} endings with {len(self.texts)} texts, at least two"
            )
        if len(self.contexts) not in (1, len(self.endings)):
            raise ValueError(f"item {self.key}: {len(self.contexts)} contexts for {len(self.endings)} endings")
        if not all(self.endings):
            raise ValueError(f"item {self.key}: ending {self.endings.index('') + 1} is empty")
        outside = [label for label in self.labels if not 0 <= label < len(self.endings)]
        if outside or not self.labels:
            raise ValueError(f"item {self.key}: label {outside or 'missing'}, expected 0 to {len(self.endings) - 1}")

    def pairs(self) -> list[tuple[str, str]]:
        """Context and ending of each choice."""
        contexts = self.contexts * len(self.endings) if len(self.contexts) == 1 else self.contexts
        return list(zip(contexts, self.endings, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A continuation to predict: right when each of its tokens is the most probable one (LAMBADA)."""

    key: str
    context: str
    continuation: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text scored from its first token to its last (WikiText).

    ``text`` is what the model reads, ``original`` what perplexities per word and per byte are divided by.
    """

    key: str
    text: str
    original: str
    groups: tuple[str, ...] = ()


Item = Choice | Completion | Document


@dataclass(frozen=True, kw_only=True)
class Task:
    """A named benchmark with its items, all of one kind.

    ``metrics`` come with the one to quote first. ``jointly`` says whether context and ending are tokenised as one
    text and split (lm-eval) or apart (ArithMark's own script); ``token_mean`` that ``acc_norm`` divides by tokens
    instead of characters (ArithMark 3); ``probability_mass`` that ``acc`` is the share of probability on right
    endings instead of the choice of one (TruthfulQA-mc2). ``files`` are the hashes of the data read, ``source`` says
    in words where it came from. ``baselines`` are what trivial rules reach on these items.
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    items: Sequence[Item]
    jointly: bool = True
    token_mean: bool = False
    probability_mass: bool = False
    source: str = ""
    files: dict[str, str]
    baselines: dict[str, float]
