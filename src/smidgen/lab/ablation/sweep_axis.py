"""One axis of a sweep: a key of the recipe with a range of numbers, or with a list of values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from smidgen.errors import BadInput
from smidgen.recipes.validation import validated

# Of a range, in its own scale: what lies so near to an end may have its best beyond it (assumed).
EDGE = 0.05
# As many digits as anybody would write.
DIGITS = 4

End = Literal["low", "high"]


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from ``low`` to ``high``, both included, on a logarithmic scale with ``log``, else in steps of ``step``
    where there are any. Those of a key that takes whole numbers ``are_whole``."""

    key: str
    low: float
    high: float
    log: bool = False
    step: float | None = None
    are_whole: bool = False

    @property
    def ends(self) -> list[float]:
        return [self.low, self.high]

    @property
    def values(self) -> list[float] | None:
        """All that there are, ``None`` where they cannot be counted."""
        step = self.step or (1 if self.are_whole and not self.log else None)
        if step is None:
            return None
        return [self.nearest(self.low + number * step) for number in range(round((self.high - self.low) / step) + 1)]

    def nearest(self, value: float) -> float:
        """A suggestion as it is used: a whole number, or one of few digits inside the range."""
        if self.are_whole:
            return round(value)
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def edge(self, value: float) -> End | None:
        """The end that a value lies at; nought is a limit rather than an end that could be moved."""
        low, high, place = (math.log(one) if self.log else one for one in (self.low, self.high, value))
        share = (place - low) / (high - low)
        if share >= 1 - EDGE:
            return "high"
        return "low" if share <= EDGE and self.low != 0 else None

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Values of any kind; rising numbers have an order that a sampler can use."""

    key: str
    values: tuple[Any, ...]

    @property
    def ends(self) -> list[Any]:
        return list(self.values)

    @property
    def are_ordered(self) -> bool:
        are_numbers = all(is_number(value) for value in self.values)
        return are_numbers and list(self.values) == sorted(self.values)

    def edge(self, value: Any) -> End | None:
        """Of three numbers or more the first and the last; of two every one would be at an end."""
        if not self.are_ordered or len(self.values) < 3 or value not in (self.values[0], self.values[-1]):
            return None
        return "low" if value == self.values[0] else "high"

    def as_dict(self) -> dict[str, Any]:
        return {"key": self.key, "values": list(self.values)}


Axis = Range | Choices


@dataclass(frozen=True, kw_only=True)
class _RangeForm:
    low: float
    high: float
    log: bool = False
    step: float | None = None


def axis_of(key: str, stated: Any, own: Any, *, origin: str) -> Axis:
    """The axis that a file states; ``own`` is the base's value, which says what kind of number the key takes.

    Raises ``BadInput``, which begins with ``origin``, for what is no axis.
    """
    if isinstance(stated, Mapping):
        return _range(key, validated(_RangeForm, dict(stated), origin=origin), own, origin=origin)
    if not isinstance(stated, Sequence) or isinstance(stated, str):
        raise BadInput(
            f"{origin} is {stated!r}, which is one value; a sweep needs several: [1e-3, 2e-3] or "
            "{ low = 1e-3, high = 8e-3, log = true }"
        )
    values = tuple(stated)
    if len(values) < 2:
        raise BadInput(f"{origin} lists {len(values)} values; a sweep needs two or more, else set it under [set]")
    repeated = [value for value in values if values.count(value) > 1]
    if repeated:
        raise BadInput(f"{origin} lists {repeated[0]!r} twice; once is enough")
    return Choices(key=key, values=values)


def axes_in(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Axes by dotted key, whether written as quoted keys or as nested tables; a table with an end is a range."""
    found: dict[str, Any] = {}
    for key, stated in table.items():
        if isinstance(stated, Mapping) and not {"low", "high"} & stated.keys():
            found |= axes_in(stated, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = stated
    return found


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(key: str, form: _RangeForm, own: Any, *, origin: str) -> Range:
    if not is_number(own):
        raise BadInput(f"{origin} is a range, and {key} takes no number (the base has {own!r}); list values instead")
    are_whole = isinstance(own, int)
    numbers = {"low": form.low, "high": form.high, **({} if form.step is None else {"step": form.step})}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise BadInput(f"{origin}: {name}={value} must be finite")
        if are_whole and value != int(value):
            raise BadInput(f"{origin}: {name}={value:g} must be a whole number, as all values of {key} are")
    if not form.low < form.high:
        raise BadInput(f"{origin}: low={form.low:g} must be below high={form.high:g}")
    if form.log and form.low <= 0:
        raise BadInput(
            f"{origin}: log=true needs low above 0, and it is {form.low:g}; a small positive low or log=false works"
        )
    if form.step is not None:
        _check_step(form, form.step, origin=origin)
    kind = int if are_whole else float
    return Range(
        key=key,
        low=kind(form.low),
        high=kind(form.high),
        log=form.log,
        step=None if form.step is None else kind(form.step),
        are_whole=are_whole,
    )


def _check_step(form: _RangeForm, step: float, *, origin: str) -> None:
    if form.log:
        raise BadInput(f"{origin}: step={step:g} and log=true exclude each other; leave one of them out")
    count = (form.high - form.low) / step if step > 0 else 0.0
    if count < 1 or abs(count - round(count)) > 1e-6:
        raise BadInput(
            f"{origin}: step={step:g} must lead from low={form.low:g} to high={form.high:g} in whole steps"
        )
