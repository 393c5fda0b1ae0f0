"""Where the text of a recipe comes from and in what proportions over the run."""

import itertools
from dataclasses import dataclass, field
from typing import Literal

from smidgen.recipes.arithmetic import ArithmeticSettings
from smidgen.recipes.quality import QualitySettings
from smidgen.recipes.word_problems import WordProblemSettings


def written_by_people(generator: str) -> bool:
    """Whether a source is text of people rather than of a generator; "" stands for hub datasets and files."""
    return generator in ("", "installed-docs")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One stream of documents: a hub dataset, local files or a built-in generator (exactly one of the three).

    ``text`` is the key or column that holds the text in JSON lines and parquet. ``purpose`` and ``license`` are
    for the card. ``arithmetic`` and ``word_problems`` are settings of the generators of these names.
    """

    hub: str = ""
    config: str = ""
    split: str = "train"
    revision: str = ""
    files: tuple[str, ...] = ()
    generator: Literal["", "installed-docs", "arithmetic", "word-problems", "grammar"] = ""
    arithmetic: ArithmeticSettings | None = None
    word_problems: WordProblemSettings | None = None
    text: str = "text"
    license: str = ""
    purpose: str = ""

    def __post_init__(self) -> None:
        given = [kind for kind in ("hub", "files", "generator") if getattr(self, kind)]
        if len(given) != 1:
            raise ValueError(
                f"a source needs exactly one of hub, files and generator, given {' and '.join(given) or 'none'}"
            )
        for table, generator in (("arithmetic", "arithmetic"), ("word_problems", "word-problems")):
            if getattr(self, table) is not None and self.generator != generator:
                raise ValueError(
                    f"{table} are settings of the generator {generator!r}, and this source is {self.origin}; "
                    "remove them or name that generator"
                )

    @property
    def is_text(self) -> bool:
        """Whether this is text written by people, which ``--data text=PATH`` may replace."""
        return written_by_people(self.generator)

    @property
    def origin(self) -> str:
        """Where the documents come from, in a few words."""
        if self.hub:
            return f"{self.hub}{f' ({self.config})' if self.config else ''}"
        return f"built-in: {self.generator}" if self.generator else ", ".join(self.files)


@dataclass(frozen=True, kw_only=True)
class CurriculumPoint:
    """Weights of the sources at a fraction of the training tokens; between points they change linearly."""

    at: float
    weights: dict[str, float]

    def __post_init__(self) -> None:
        if not 0 <= self.at <= 1:
            raise ValueError(f"at={self.at} must lie between 0 (start) and 1 (end of training)")
        for name, weight in self.weights.items():
            if not weight >= 0:
                raise ValueError(f"weight {weight} of source {name!r} must not be negative")
        if not sum(self.weights.values()) > 0:
            raise ValueError(f"the weights at {self.at} sum to zero; at least one source must be positive")


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """The sources and their curriculum.

    ``held_out_fraction`` of the documents, chosen by the hash of their id, are never trained on. ``quality`` says
    which documents are left out.
    """

    sources: dict[str, Source]
    curriculum: tuple[CurriculumPoint, ...] = field(default=())
    held_out_fraction: float = 0.01
    quality: QualitySettings = field(default_factory=QualitySettings)

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("data.sources is empty; name at least one source")
        by_letters: dict[str, str] = {}
        for name in self.sources:
            # Each is a folder of built data, and not every file system tells upper from lower case.
            other = by_letters.setdefault(name.lower(), name)
            if other != name:
                raise ValueError(f"sources {other!r} and {name!r} have the same name but for upper and lower case")
        if not 0 < self.held_out_fraction < 0.5:
            raise ValueError(f"held_out_fraction={self.held_out_fraction} must lie between 0 and 0.5; 0.01 is usual")
        if not self.curriculum:
            if len(self.sources) > 1:
                raise ValueError("several sources need data.curriculum with their weights at at = 0.0")
            only = CurriculumPoint(at=0.0, weights=dict.fromkeys(self.sources, 1.0))
            object.__setattr__(self, "curriculum", (only,))
        for point in self.curriculum:
            for name in point.weights:
                if name not in self.sources:
                    raise ValueError(
                        f"the curriculum weighs {name!r}, which is no source; sources are {', '.join(self.sources)}"
                    )
        positions = [point.at for point in self.curriculum]
        if positions != sorted(set(positions)):
            raise ValueError(f"curriculum points must stand in rising order of `at`, given {positions}")
        unused = [name for name in self.sources if not any(point.weights.get(name) for point in self.curriculum)]
        if unused:
            raise ValueError(f"source {unused[0]!r} has no weight anywhere in the curriculum; weigh it or remove it")

    def shares_at(self, fraction: float) -> dict[str, float]:
        """Planned share of each source at a fraction of the training tokens; the shares sum to 1."""
        before = [point for point in self.curriculum if point.at <= fraction] or [self.curriculum[0]]
        after = [point for point in self.curriculum if point.at > fraction] or [self.curriculum[-1]]
        first, second = self._shares(before[-1]), self._shares(after[0])
        span = after[0].at - before[-1].at
        progress = min(1.0, max(0.0, (fraction - before[-1].at) / span)) if span > 0 else 0.0
        return {name: first[name] + (second[name] - first[name]) * progress for name in self.sources}

    def mean_shares(self) -> dict[str, float]:
        """Planned share of each source over the whole run: the integral of the curriculum."""
        knots = sorted({0.0, 1.0, *(point.at for point in self.curriculum)})
        total = dict.fromkeys(self.sources, 0.0)
        for start, end in itertools.pairwise(knots):
            first, second = self.shares_at(start), self.shares_at(end)
            for name in total:
                total[name] += (end - start) * (first[name] + second[name]) / 2
        return total

    def _shares(self, point: CurriculumPoint) -> dict[str, float]:
        total = sum(point.weights.values())
        return {name: point.weights.get(name, 0.0) / total for name in self.sources}
