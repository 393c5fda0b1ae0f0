"""A sweep: which keys of the recipe are searched, how, and how many of the best are confirmed under other seeds."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from smidgen.errors import BadInput
from smidgen.lab.ablation.halving import check_fractions
from smidgen.lab.ablation.identity import decisive
from smidgen.lab.ablation.sweep_axis import Axis, Choices, axes_in, axis_of
from smidgen.recipes.recipe import Recipe

# What variants must not be called: trials of the sweep and those that are confirmed are "sweep-007", "sweep-1st".
NAME_PREFIX = "sweep-"
# Keys whose values each need a tokenizer or shards of their own.
_NEEDS_DATA = ("tokenizer.", "data.", "design.vocab_size", "design.context_length")

Settings = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SweepFile:
    """The form of the file's [sweep]; ``axes`` are checked with the recipes."""

    axes: dict[str, Any]
    trials: int = 20
    seed: int = 0
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    pruner: Literal["median", "halving", "none"] = "median"
    at: tuple[float, ...] = (0.25, 0.5)
    confirm: int = 2

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise ValueError(f"trials={self.trials} tries nothing; 20 is usual for two or three axes")
        if self.confirm < 0:
            raise ValueError(f"confirm={self.confirm} must not be negative; 2 is usual, 0 gives no verdict")
        if self.seed < 0:
            raise ValueError(f"seed={self.seed} must be a whole number from 0")
        check_fractions(self.at)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Settings of ``axes`` are tried under one ``seed`` and with the ablation's budget; the ``confirm`` best of them
    are then variants under its seeds. Trials that the ``pruner`` does not think well of at a fraction of their
    training in ``at`` stop there."""

    axes: tuple[Axis, ...]
    trials: int
    seed: int
    sampler: Literal["tpe", "random", "grid"]
    pruner: Literal["median", "halving", "none"]
    at: tuple[float, ...]
    confirm: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "axes": [axis.as_dict() for axis in self.axes],
            "trials": self.trials,
            "seed": self.seed,
            "sampler": self.sampler,
            "pruner": self.pruner,
            "at": list(self.at),
            "confirm": self.confirm,
        }

    @property
    def combinations(self) -> int | None:
        """How many settings there are, ``None`` where they cannot be counted."""
        counts = [None if axis.values is None else len(axis.values) for axis in self.axes]
        known = [count for count in counts if count is not None]
        return math.prod(known) if len(known) == len(counts) else None

    @property
    def planned(self) -> int:
        """How many settings will be tried: never more than there are."""
        return self.trials if self.combinations is None else min(self.trials, self.combinations)

    def grid(self) -> Iterator[Settings]:
        """All settings of axes that can be counted, the last axis changing fastest."""
        for values in itertools.product(*(axis.values or () for axis in self.axes)):
            yield {axis.key: value for axis, value in zip(self.axes, values, strict=True)}

    def extremes(self) -> Iterator[Settings]:
        """Settings between which all others lie: what each needs of text is needed by one of these.

        Every value where each needs data of its own; of the others every end alone, all lowest and all highest.
        """
        wide = [axis for axis in self.axes if needs_data(axis.key)]
        plain = [axis for axis in self.axes if not needs_data(axis.key)]
        alone: list[Settings] = [{}, *({axis.key: end} for axis in plain for end in axis.ends)]
        together = [{axis.key: axis.ends[place] for axis in plain} for place in (0, -1)]
        for values in itertools.product(*(axis.ends for axis in wide)):
            chosen = {axis.key: value for axis, value in zip(wide, values, strict=True)}
            yield from ({**chosen, **others} for others in [*alone, *together])


def read_sweep(
    file: SweepFile, base: Recipe, resolved: Callable[[Settings, str], Recipe], *, seeds: Sequence[int], origin: str
) -> Sweep:
    """The sweep of a file whose base is ``base``; ``resolved`` gives the recipe with some settings changed, and
    names its second argument in errors.

    Raises ``BadInput`` for axes that cannot be swept, and for a seed that the confirmation uses.
    """
    if file.seed in seeds:
        raise BadInput(
            f"{origin}: sweep.seed={file.seed} is also among the seeds, under which the best are confirmed free of "
            f"the winner's luck; sweep.seed={next(one for one in itertools.count() if one not in seeds)} would work"
        )
    stated = axes_in(file.axes)
    if not stated:
        raise BadInput(f'{origin}: [sweep.axes] is empty; name a key, such as "training.peak_learning_rate"')
    own = base.as_dict()
    axes = tuple(
        _checked(key, values, own, resolved, origin=f"{origin}, sweep.axes, {key}") for key, values in stated.items()
    )
    sweep = Sweep(
        axes=axes,
        trials=file.trials,
        seed=file.seed,
        sampler=file.sampler,
        pruner=file.pruner,
        at=file.at,
        confirm=file.confirm,
    )
    if sweep.sampler == "grid":
        _check_grid(sweep, origin=origin)
    return sweep


def needs_data(key: str) -> bool:
    return key.startswith(_NEEDS_DATA)


def _checked(
    key: str, stated: Any, own: Mapping[str, Any], resolved: Callable[[Settings, str], Recipe], *, origin: str
) -> Axis:
    """The axis, each end of which makes a recipe that differs from the others' in what is trained."""
    value = _value_at(own, key)
    if value is None:
        # Says which key was meant, where there is no such key.
        resolved({key: _any_value(stated)}, origin)
    axis = axis_of(key, stated, value, origin=origin)
    if needs_data(key) and not isinstance(axis, Choices):
        raise BadInput(f"{origin} is a range, and each of its values would need data of its own; list the values")
    recipes = [decisive(resolved({key: end}, f"{origin} = {end!r}")) for end in axis.ends]
    if any(first == second for first, second in itertools.combinations(recipes, 2)):
        raise BadInput(f"{origin} changes nothing that training depends on; leave it out")
    return axis


def _check_grid(sweep: Sweep, *, origin: str) -> None:
    endless = [axis.key for axis in sweep.axes if axis.values is None]
    if endless:
        raise BadInput(
            f'{origin}: sampler="grid" needs values that can be counted, and {endless[0]} is a continuous range; '
            "list its values, give it a step, or choose another sampler"
        )
    combinations = sweep.combinations or 0
    if combinations > sweep.trials:
        raise BadInput(
            f"{origin}: the grid has {combinations:,} settings, more than sweep.trials={sweep.trials}; "
            f'trials = {combinations}, fewer values, or sampler = "random" would work'
        )


def _value_at(content: Any, key: str) -> Any:
    """The value of a dotted key in plain data, ``None`` where there is none."""
    for part in key.split("."):
        if isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        else:
            content = content.get(part) if isinstance(content, Mapping) else None
    return content


def _any_value(stated: Any) -> Any:
    if isinstance(stated, Mapping):
        return stated.get("low", 0)
    return stated[0] if isinstance(stated, list) and stated else stated
