"""What the "arithmetic" generator writes: which equations, how hard, and in what layout."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

FEWEST_OPERANDS, MOST_OPERANDS = 2, 8
MOST_DIGITS = 20
# Operands of * and / are drawn with one random number of 53 bits, which is exact up to 15 digits.
MOST_FACTOR_DIGITS = 10
MOST_DEPTH = 3
# ArithMark 2: no operand is larger, and all answers are below the limit.
LARGEST_OPERAND = 150
ANSWER_LIMIT = 1_000
# What a level leaves open: how equations are written, not which.
LAYOUT = ("equations", "steps_share", "reversed_share", "compact_share", "loose_share", "hold_out_swapped")
SHARES = ("carry_share", "negative_operands", "steps_share", "reversed_share", "compact_share", "loose_share")

Operator = Literal["+", "-", "*", "/"]


def _every_operator() -> dict[Operator, float]:
    return {"+": 1.0, "-": 1.0, "*": 1.0, "/": 1.0}


@dataclass(frozen=True, kw_only=True)
class ArithmeticSettings:
    """Settings of a source with ``generator = "arithmetic"``; the defaults are the equations of ArithMark 2.

    ``level`` 1 to 5 stands for all settings but those of layout, from sums of one digit to six digits and nested
    parentheses; 0 means the settings below.

    Expressions. ``operands`` are the weights of 2, 3, ... 8 operands, ``operators`` of each operator before what does
    not fit is thrown away. ``depth`` is how deep parentheses nest, ``group_terms`` how many terms they hold at most.

    Sizes. ``digits`` are the weights of operands with 1, 2, ... 20 digits; without them operands are mostly 0 to 80,
    one in ten up to 150. Operands of * have at most ``multiplication_digits`` and those of / ``division_digits``.
    Answers are at most ``largest_answer``: unless given, 999 without ``digits`` and any number with them.
    ``carry_share`` of the sums and differences of two numbers carry (borrow) in every column that can.

    Signs. ``negative_intermediates`` allows values below 0 inside an expression, ``negative_answers`` answers below 0
    and ``negative_operands`` is the share of operands below 0, written "3 - -4". Division is always exact.

    Layout. A document has ``equations`` lines. Shares of the lines: ``steps_share`` solves step by step
    ("7 * (3 + 2) = 7 * 5 = 35"), ``reversed_share`` of the others has the answer first ("35 = 7 * 5"),
    ``compact_share`` is without spaces, ``loose_share`` has none, one or two in each place.

    ``hold_out_swapped`` keeps "45 + 59" out of the training text as well where "59 + 45" is held out for tests; the
    same for products. Without it only the very expression is kept out, however it is spaced.
    """

    level: int = 0
    operands: tuple[float, ...] = (0.28, 0.36, 0.36)
    operators: dict[Operator, float] = field(default_factory=_every_operator)
    depth: int = 1
    group_terms: int = 2
    digits: tuple[float, ...] = ()
    multiplication_digits: int = 6
    division_digits: int = 6
    largest_answer: int | None = None
    carry_share: float = 0.0
    negative_intermediates: bool = True
    negative_answers: bool = False
    negative_operands: float = 0.0
    equations: int = 24
    steps_share: float = 0.0
    reversed_share: float = 0.0
    compact_share: float = 0.0
    loose_share: float = 0.0
    hold_out_swapped: bool = False

    def __post_init__(self) -> None:
        self._normalise()
        self._check_level()
        _check_weights("operands", self.operands, MOST_OPERANDS - 1, "for 2 to 8 operands")
        _check_weights("operators", tuple(self.operators.values()), 4, "for + - * /")
        if self.digits:
            _check_weights("digits", self.digits, MOST_DIGITS, "for 1 to 20 digits")
        self._check_ranges()
        self._check_sizes()

    @property
    def resolved(self) -> "ArithmeticSettings":
        """The settings that ``level`` stands for, or these."""
        if not self.level:
            return self
        return ArithmeticSettings(**LEVELS[self.level], **{name: getattr(self, name) for name in LAYOUT})

    def changes(self) -> dict[str, Any]:
        """What differs from the defaults, as plain data, so that a key that comes later changes no name."""
        defaults = asdict(ArithmeticSettings())
        return {key: value for key, value in asdict(self.resolved).items() if value != defaults[key]}

    def _normalise(self) -> None:
        """Lists and whole numbers in plain data become what the fields say, because names are made of them."""
        for name in ("operands", "digits"):
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))
        for name in SHARES:
            object.__setattr__(self, name, float(getattr(self, name)))
        operators = {operator: float(weight) for operator, weight in self.operators.items()}
        object.__setattr__(self, "operators", operators)

    def _check_level(self) -> None:
        if self.level not in (0, *LEVELS):
            raise ValueError(f"level={self.level} is unknown; known are 1 to {max(LEVELS)}, and 0 for none")
        given = [
            each.name for each in fields(self) if each.name not in ("level", *LAYOUT) and self._differs(each.name)
        ]
        if self.level and given:
            raise ValueError(
                f"level={self.level} stands for a whole set of settings and leaves no room for {given[0]}; "
                f"remove one of the two (only {', '.join(LAYOUT)} go with a level)"
            )

    def _differs(self, name: str) -> bool:
        defaults = type(self).__dataclass_fields__[name]
        value = getattr(self, name)
        return bool(value != (_every_operator() if name == "operators" else defaults.default))

    def _check_ranges(self) -> None:
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must lie between 0 and 1")
        if self.compact_share + self.loose_share > 1:
            raise ValueError("compact_share and loose_share are shares of the same lines; together at most 1")
        for name, least, most in (
            ("depth", 0, MOST_DEPTH),
            ("group_terms", 2, MOST_OPERANDS - 1),
            ("multiplication_digits", 1, MOST_FACTOR_DIGITS),
            ("division_digits", 1, MOST_FACTOR_DIGITS),
            ("equations", 1, 10_000),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}={getattr(self, name)} must lie between {least} and {most}")
        if self.largest_answer is not None and self.largest_answer < 0:
            raise ValueError(f"largest_answer={self.largest_answer} must not be negative")

    def _check_sizes(self) -> None:
        if self.carry_share and not self.digits:
            raise ValueError("carry_share needs digits, the weights of operands with 1, 2, ... digits")
        limits: tuple[tuple[Operator, str], ...] = (("*", "multiplication_digits"), ("/", "division_digits"))
        for operator, key in limits:
            most = getattr(self, key)
            if self.digits and self.operators.get(operator, 0) and not any(self.digits[:most]):
                raise ValueError(
                    f"digits gives operands of more than {key}={most} digits only, so {operator} has none; "
                    f'raise {key} (up to {MOST_FACTOR_DIGITS}) or set operators."{operator}" to 0'
                )


# Measured nowhere: chosen so that each level holds what the one before it holds and something harder (assumed).
LEVELS: Mapping[int, dict[str, Any]] = {
    1: {"operands": (1.0,), "operators": {"+": 1.0, "-": 1.0}, "digits": (1.0,)},
    2: {"operands": (1.0,), "digits": (1.0, 2.0), "multiplication_digits": 1, "division_digits": 2},
    3: {"operands": (0.4, 0.3, 0.3)},
    4: {
        "operands": (0.5, 0.3, 0.2),
        "digits": (1.0, 2.0, 2.0, 2.0),
        "multiplication_digits": 3,
        "division_digits": 4,
        "carry_share": 0.1,
    },
    5: {
        "operands": (0.4, 0.2, 0.2, 0.1, 0.1),
        "depth": 2,
        "group_terms": 3,
        "digits": (1.0, 2.0, 2.0, 2.0, 2.0, 2.0),
        "multiplication_digits": 4,
        "carry_share": 0.2,
        "negative_answers": True,
    },
}


def _check_weights(name: str, weights: tuple[float, ...], most: int, meaning: str) -> None:
    if len(weights) > most:
        raise ValueError(f"{name} has {len(weights)} weights; give at most {most}, {meaning}")
    if not all(0 <= weight < float("inf") for weight in weights):
        raise ValueError(f"{name}={list(weights)} must be finite and not negative")
    if not any(weights):
        raise ValueError(f"all weights of {name} are 0; give at least one that is positive, {meaning}")
