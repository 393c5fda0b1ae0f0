"""What is paid, given back and earned."""

from smidgen.data.word_problems.numbers import CENTS, FEW, GROUPS, MANY, PRICES, ROUND, SOME
from smidgen.data.word_problems.template import Template
from smidgen.data.word_problems.words import FRUITS, SOLD

TEMPLATES: tuple[Template, ...] = (
    Template(
        "shopping",
        "A lamp costs {a} coins and a rug costs {b} coins. {name} pays",
        "{a} + {b}",
        "coins",
        (MANY, SOME),
    ),
    Template(
        "shopping", "{name} buys {a} {things} at {b} cents each and pays", "{a} * {b}", "cents", (FEW, SOME), SOLD
    ),
    Template(
        "shopping",
        "{name} buys {a} {things} at {b} cents each and a bag for {c} cents. That costs",
        "{a} * {b} + {c}",
        "cents",
        (FEW, SOME, CENTS),
        FRUITS,
    ),
    Template(
        "shopping",
        "A coat costs {a} dollars. In the sale it is {b} dollars cheaper. {name} pays",
        "{a} - {b}",
        "dollars",
        (MANY, SOME),
    ),
    Template(
        "change",
        "{name} pays with {a} tokens for a meal that costs {b} tokens. The change is",
        "{a} - {b}",
        "tokens",
        (MANY, SOME),
    ),
    Template(
        "change",
        "{name} has {a} coins and buys {b} tickets at {c} coins each. {name} is left with",
        "{a} - {b} * {c}",
        "coins",
        (MANY, FEW, PRICES),
    ),
    Template(
        "change",
        "{name} hands over {a} dollars for a book of {b} dollars and a pen of {c} dollars. Back come",
        "{a} - ({b} + {c})",
        "dollars",
        (ROUND, PRICES, FEW),
    ),
    Template(
        "wages",
        "{name} earns {a} dollars an hour and works {b} hours. The pay is",
        "{a} * {b}",
        "dollars",
        (PRICES, GROUPS),
    ),
    Template(
        "wages",
        "{name} earns {a} dollars a day for {b} days and a bonus of {c} dollars. Altogether that is",
        "{a} * {b} + {c}",
        "dollars",
        (PRICES, FEW, SOME),
    ),
    Template(
        "wages",
        "For {b} equal days of work {name} was paid {a} dollars. One day brought",
        "{a} / {b}",
        "dollars",
        (MANY, FEW),
    ),
)
