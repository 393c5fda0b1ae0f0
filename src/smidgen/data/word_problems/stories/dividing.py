"""Multiplying and dividing: groups, shares, rates and what is left over."""

from smidgen.data.word_problems.numbers import FEW, GROUPS, LARGE, MANY, SOME
from smidgen.data.word_problems.template import Template
from smidgen.data.word_problems.words import BAKED, FRUITS, KEPT, MADE, PLANTS, SOLD

TEMPLATES: tuple[Template, ...] = (
    Template(
        "equal groups",
        "{name} fills {a} bags with {b} {things} each. Together they hold",
        "{a} * {b}",
        "{things}",
        (GROUPS, GROUPS),
        KEPT,
    ),
    Template(
        "equal groups",
        "A box holds {b} {things}. {name} orders {a} boxes and gets",
        "{a} * {b}",
        "{things}",
        (GROUPS, SOME),
        SOLD,
    ),
    Template(
        "equal groups",
        "Each of {a} trays has {b} {things}. In all there are",
        "{a} * {b}",
        "{things}",
        (GROUPS, SOME),
        BAKED,
    ),
    Template(
        "equal groups",
        "{name} ties {a} bundles of {b} {things} and has {c} left over. At first there were",
        "{a} * {b} + {c}",
        "{things}",
        (FEW, GROUPS, FEW),
        SOLD,
    ),
    Template(
        "sharing",
        "{name} deals {a} cards to {b} players, all of them the same number. Each player gets",
        "{a} / {b}",
        "cards",
        (LARGE, FEW),
    ),
    Template(
        "sharing",
        "{a} {things} are packed into {b} equal baskets. Each basket has",
        "{a} / {b}",
        "{things}",
        (LARGE, FEW),
        FRUITS,
    ),
    Template(
        "sharing",
        "{name} and {other} share {a} {things} equally with {b} friends. Everybody gets",
        "{a} / ({b} + 2)",
        "{things}",
        (LARGE, FEW),
        KEPT,
    ),
    Template(
        "sharing",
        "{name} divides {a} {things} equally among {b} plates. One plate holds",
        "{a} / {b}",
        "{things}",
        (LARGE, FEW),
        BAKED,
    ),
    Template(
        "remainder",
        "{name} packs {a} {things} into bags of {b} until no bag can be filled. Left over are",
        "{a} - {b} * {q}",
        "{things}",
        (MANY, range(3, 20)),
        FRUITS,
    ),
    Template(
        "remainder",
        "{a} {things} are shared out evenly among {b} children, as many as possible. What stays is",
        "{a} - {b} * {q}",
        "{things}",
        (MANY, range(3, 20)),
        KEPT,
    ),
    Template(
        "remainder",
        "From {a} metres of rope {name} cuts pieces of {b} metres as long as it is enough. At the end remain",
        "{a} - {b} * {q}",
        "metres",
        (MANY, range(3, 20)),
    ),
    Template(
        "rows", "{name}'s hall has {a} rows of {b} seats. All in all it has", "{a} * {b}", "seats", (GROUPS, SOME)
    ),
    Template(
        "rows",
        "{name} sets {a} rows of {b} tiles, and {c} tiles break. Whole are still",
        "{a} * {b} - {c}",
        "tiles",
        (GROUPS, GROUPS, GROUPS),
    ),
    Template(
        "rows", "{a} {things} stand in rows of {b}. The number of them is", "{a} / {b}", "rows", (MANY, FEW), PLANTS
    ),
    Template(
        "rows",
        "In the {a} rows of {b} seats of {name}'s circus, {c} people are sitting. Free are",
        "{a} * {b} - {c}",
        "seats",
        (GROUPS, GROUPS, SOME),
    ),
    Template(
        "rates",
        "{name}'s tap gives {a} litres a minute. In {b} minutes it gives",
        "{a} * {b}",
        "litres",
        (SOME, GROUPS),
    ),
    Template(
        "rates",
        "{b} of {name}'s machines make {a} {things} in an hour. {c} of them make",
        "{a} / {b} * {c}",
        "{things}",
        (range(12, 200), FEW, FEW),
        MADE,
    ),
    Template(
        "rates", "For {b} cakes {name} needs {a} eggs. One cake needs", "{a} / {b}", "eggs", (range(12, 200), FEW)
    ),
    Template(
        "rates",
        "{name}'s tank of {a} litres loses {b} litres a day. After {c} days it holds",
        "{a} - {b} * {c}",
        "litres",
        (MANY, FEW, FEW),
    ),
    Template(
        "percent",
        "Of {a} {things}, {b} percent are red. The red ones are",
        "{a} * {b} / 100",
        "{things}",
        (range(20, 981, 4), range(5, 100, 5)),
        KEPT,
    ),
    Template(
        "percent",
        "{name}'s coat of {a} dollars becomes {b} percent cheaper. It now costs",
        "{a} - {a} * {b} / 100",
        "dollars",
        (range(20, 981, 4), range(5, 100, 5)),
    ),
    Template(
        "percent",
        "{name}'s herd of {a} goats grows by {b} percent, which is by",
        "{a} * {b} / 100",
        "goats",
        (range(20, 981, 4), range(5, 100, 5)),
    ),
)
