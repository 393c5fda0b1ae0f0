"""The sampling settings that a study tries."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from itertools import product
from typing import Any

from smidgen.errors import BadInput
from smidgen.recipes.sampling import SamplingSettings

# What is usual on cards (0.3 to 0.8) and its neighbours; each filter alone, as cards advise one, never two.
TEMPERATURES = (0.5, 0.7, 0.85, 1.0)
FILTERS: tuple[dict[str, Any], ...] = ({}, {"top_p": 0.9}, {"top_k": 40}, {"min_p": 0.1})
REPETITION_PENALTIES = (1.0, 1.1, 1.3)
# More than these take hours even for a model of a million parameters.
MOST_SETTINGS = 500
# What only random sampling uses.
_UNUSED_WHEN_GREEDY = ("top_k", "top_p", "min_p")
# The length is the study's own: texts of unequal length do not loop equally often.
_KINDS = {field.name: field.type for field in fields(SamplingSettings) if field.name != "max_new_tokens"}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """``names`` say who recommends these settings: cards by their recipe, "recipe" for the model's own."""

    settings: SamplingSettings
    names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        values = asdict(self.settings)
        return {"names": list(self.names), **{name: values[name] for name in _KINDS}}


def default_grid() -> list[SamplingSettings]:
    """Temperature x filter x repetition penalty, and greedy with each penalty."""
    drawn = [
        SamplingSettings(temperature=temperature, repetition_penalty=penalty, **only)
        for temperature, only, penalty in product(TEMPERATURES, FILTERS, REPETITION_PENALTIES)
    ]
    return [SamplingSettings(temperature=0.0, repetition_penalty=one) for one in REPETITION_PENALTIES] + drawn


def grid_of(axes: Sequence[str]) -> list[SamplingSettings]:
    """Every combination of ``KEY=V1,V2,...``; what is not named is off. Raises ``BadInput``."""
    values: dict[str, list[float]] = {}
    for axis in axes:
        name, found = _axis(axis)
        if name in values:
            raise BadInput(f"--grid names {name} twice; give all its values at once, as in {name}=V1,V2")
        values[name] = found
    combinations = product(*values.values())
    try:
        return [SamplingSettings(**dict(zip(values, combination, strict=True))) for combination in combinations]  # type: ignore[arg-type]
    except ValueError as error:
        raise BadInput(f"--grid: {error}") from error


def candidates(
    grid: Sequence[SamplingSettings], named: Mapping[str, SamplingSettings], *, new_tokens: int
) -> list[Candidate]:
    """The grid and the named settings, each once and all of one length. Raises ``BadInput`` for too many."""
    names: dict[SamplingSettings, list[str]] = {}
    for settings in grid:
        names.setdefault(_comparable(settings, new_tokens), [])
    for name, settings in named.items():
        names.setdefault(_comparable(settings, new_tokens), []).append(name)
    if len(names) > MOST_SETTINGS:
        raise BadInput(f"the grid has {len(names)} settings; at most {MOST_SETTINGS} are measured, name fewer values")
    return [Candidate(settings=settings, names=tuple(by)) for settings, by in names.items()]


def _axis(axis: str) -> tuple[str, list[float]]:
    name, _, listed = axis.partition("=")
    name = name.strip().replace("-", "_")
    if name not in _KINDS:
        near = get_close_matches(name, _KINDS, n=1)
        raise BadInput(
            f"--grid {axis!r} must be KEY=V1,V2 with one of {', '.join(_KINDS)}"
            + (f"; did you mean {near[0]}?" if near else "")
        )
    try:
        kind = int if _KINDS[name] is int else float
        values = [kind(value) for value in listed.split(",")]
    except ValueError as error:
        raise BadInput(f"--grid {axis!r} must be numbers separated by commas, as in temperature=0.5,0.8") from error
    return name, list(dict.fromkeys(values))


def _comparable(settings: SamplingSettings, new_tokens: int) -> SamplingSettings:
    """Settings that do the same are the same."""
    off = SamplingSettings()
    unused = {name: getattr(off, name) for name in _UNUSED_WHEN_GREEDY} if settings.is_greedy else {}
    return replace(settings, max_new_tokens=new_tokens, **unused)
