"""``samples.json``: what the model writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, optional, plain, sequence, text, whole


@dataclass(frozen=True, kw_only=True)
class Sample:
    """``text`` is what the model added after the prompt; ``is_loop`` says that it ended in a repetition."""

    prompt: str
    text: str
    finish_reason: str
    tokens: int | None
    is_loop: bool


@dataclass(frozen=True, kw_only=True)
class SampleSet:
    settings: dict[str, Any]
    samples: tuple[Sample, ...]

    @property
    def loops(self) -> int:
        return sum(sample.is_loop for sample in self.samples)


def read_samples(path: Path) -> SampleSet | None:
    with damage_named(path):
        stored = read_object(path)
        if not stored:
            return None
        samples = read_each(stored["samples"])
        settings = plain(mapping(stored.get("settings") or {}))
        return SampleSet(settings=settings, samples=samples) if samples else None


def read_each(samples: Any) -> tuple[Sample, ...]:
    """A list of samples, as ``samples.json`` and measurements hold it."""
    return tuple(_sample(mapping(sample)) for sample in sequence(samples))


def _sample(sample: dict[str, Any]) -> Sample:
    return Sample(
        prompt=text(sample["prompt"]),
        text=text(sample["text"]),
        finish_reason=optional(text, sample.get("finish_reason"), ""),
        tokens=optional(whole, sample.get("tokens")),
        is_loop=bool(sample.get("loop")),
    )
