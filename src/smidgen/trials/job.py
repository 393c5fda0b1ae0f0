"""What a worker is asked to do, in plain values, which travel between processes as JSON."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Kind = Literal["machine", "store", "rate", "density", "trials"]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What to train, measure or prepare: a trial with its folder's name, a variant, or a store with its scales.

    ``store`` is the folder of tokenizer and data. A trial stops, to be continued, once it has seen ``max_tokens``.
    """

    name: str
    recipe: dict[str, Any]
    store: str = ""
    variant: str = ""
    seed: int = 0
    scale: float = 1.0
    scales: tuple[float, ...] = ()
    max_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One piece of work, for a process of its own. Of several trials it takes the first and whatever suits it.

    ``folder`` is the ablation's. ``gpu`` is what ``CUDA_VISIBLE_DEVICES`` is set to where it is not empty,
    ``threads`` are those of torch (0: as it likes), ``log`` is the file that gets whatever is printed.
    """

    kind: Kind
    works: tuple[Work, ...] = ()
    folder: str = ""
    device: str | None = None
    gpu: str = ""
    threads: int = 0
    log: str = ""
    cache: str | None = None
    eval_data: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        works = tuple(Work(**{**work, "scales": tuple(work["scales"])}) for work in content["works"])
        return cls(**{**content, "works": works})
