"""A public benchmark: where its documents lie, how a document becomes an item, and what is reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smidgen.evaluation.tasks.item import Choice, Item
from smidgen.evaluation.tasks.row import Row

# As the harness reports them; the first is the one that model cards quote.
NORMALISED = ("acc_norm", "acc", "acc_bytes")
PLAIN = ("acc",)


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """``dataset``, ``configs`` and ``split`` are those of lm-evaluation-harness 0.4.13 on the Hugging Face hub.

    ``files`` are the places below a folder of evaluation data, best first and without their ending; ``{config}``
    stands for each of the configs. ``to_item`` takes a document and its number in the split (from 0) and raises
    ``ValueError`` for a malformed one. ``metrics`` and ``probability_mass`` are those of ``Task``. ``licence`` is as
    the authors or the dataset's card state it.
    """

    name: str
    title: str
    dataset: str
    configs: tuple[str | None, ...] = (None,)
    split: str
    files: tuple[str, ...]
    to_item: Callable[[Row, int], Item]
    metrics: tuple[str, ...]
    probability_mass: bool = False
    licence: str
    paper: str

    @property
    def card(self) -> str:
        """Address of the dataset's card."""
        return f"https://huggingface.co/datasets/{self.dataset}"


def question(
    key: str | int, context: str, texts: Sequence[str], *labels: int, groups: tuple[str, ...] = ()
) -> Choice:
    """An item whose endings are ``texts``, each after one space (the harness's ``target_delimiter``).

    Raises ``ValueError`` for an empty text or a label out of range.
    """
    for place, text in enumerate(texts, start=1):
        if not text.strip():
            raise ValueError(f"ending {place} is empty")
    return Choice(
        key=str(key),
        contexts=(context,),
        endings=tuple(f" {text}" for text in texts),
        texts=tuple(texts),
        labels=labels,
        groups=groups,
    )
