"""Word problems in the form of ArithMark 3: a story that breaks off before its result, four results to choose from.

Unlike the official file, where the right number is always one of the two middle ones, the right number takes every
rank by size equally often. All four endings of an item have the same words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from smidgen.data.arithmetic import ANSWER_LIMIT, Draw, Equation, options, value_of
from smidgen.errors import BadInput
from smidgen.evaluation.tasks.item import Choice

NAMES = (
    *("Ada", "Boris", "Clara", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kofi", "Lena", "Mei"),
    *("Nils", "Olga", "Pavel", "Rosa", "Samir", "Tilda", "Uma", "Viktor", "Wanda", "Yusuf", "Zoe"),
)
SMALLEST_NUMBER = 2
MOST_DRAWS_PER_ITEM = 10_000


@dataclass(frozen=True, slots=True)
class Story:
    """``largest`` bounds the numbers a, b and c; ``unit`` is a plural that loses its last letter after 1."""

    category: str
    text: str
    expression: str
    unit: str
    largest: tuple[int, ...]


STORIES = (
    Story("collecting", "{name} has {a} shells and finds {b} more. {name} now has", "{a} + {b}", "shells", (90, 60)),
    Story(
        "collecting",
        "There are {a} rubber bands in a drawer. {name} puts {b} more in. The drawer now holds",
        "{a} + {b}",
        "rubber bands",
        (80, 80),
    ),
    Story(
        "giving away",
        "{name} had {a} stickers and gave {b} of them away. {name} kept",
        "{a} - {b}",
        "stickers",
        (99, 70),
    ),
    Story(
        "giving away",
        "{name} baked {a} rolls. The neighbours ate {b} of them. There were still",
        "{a} - {b}",
        "rolls",
        (90, 60),
    ),
    Story(
        "equal groups",
        "{name} fills {a} bags with {b} marbles each. Together they hold",
        "{a} * {b}",
        "marbles",
        (14, 20),
    ),
    Story(
        "equal groups", "A box holds {b} pencils. {name} orders {a} boxes and gets", "{a} * {b}", "pencils", (20, 24)
    ),
    Story(
        "sharing",
        "{name} deals {a} cards to {b} players, all of them the same number. Each player gets",
        "{a} / {b}",
        "cards",
        (200, 12),
    ),
    Story("sharing", "{a} plums are packed into {b} equal baskets. Each basket has", "{a} / {b}", "plums", (240, 15)),
    Story(
        "shopping", "A lamp costs {a} coins and a rug costs {b} coins. {name} pays", "{a} + {b}", "coins", (90, 90)
    ),
    Story("shopping", "{name} buys {a} notebooks at {b} cents each and pays", "{a} * {b}", "cents", (15, 40)),
    Story(
        "change",
        "{name} pays with {a} tokens for a meal that costs {b} tokens. The change is",
        "{a} - {b}",
        "tokens",
        (150, 120),
    ),
    Story(
        "change",
        "{name} has {a} coins and buys {b} tickets at {c} coins each. {name} is left with",
        "{a} - {b} * {c}",
        "coins",
        (150, 8, 12),
    ),
    Story(
        "wages", "{name} earns {a} dollars an hour and works {b} hours. The pay is", "{a} * {b}", "dollars", (30, 30)
    ),
    Story(
        "wages",
        "{name} earns {a} dollars a day for {b} days and a bonus of {c} dollars. Altogether that is",
        "{a} * {b} + {c}",
        "dollars",
        (60, 9, 80),
    ),
    Story(
        "distance",
        "{name} rides {a} miles, rests, and rides {b} miles more. The trip is",
        "{a} + {b}",
        "miles",
        (80, 80),
    ),
    Story("distance", "A train covers {a} miles every hour. In {b} hours it covers", "{a} * {b}", "miles", (90, 9)),
    Story(
        "duration",
        "The first half lasts {a} minutes, the break {b} minutes, the second half {c} minutes. In all that is",
        "{a} + {b} + {c}",
        "minutes",
        (60, 30, 60),
    ),
    Story("duration", "{name} needs {a} minutes for one chair. {b} chairs take", "{a} * {b}", "minutes", (45, 15)),
    Story(
        "temperature",
        "At noon it is {a} degrees. By night it falls by {b} degrees. The thermometer then shows",
        "{a} - {b}",
        "degrees",
        (60, 40),
    ),
    Story(
        "temperature",
        "An oven of {a} degrees gets {b} degrees hotter every minute. After {c} minutes it has",
        "{a} + {b} * {c}",
        "degrees",
        (90, 30, 12),
    ),
    Story(
        "weight",
        "A crate of {a} pounds holds {b} melons of {c} pounds each. Full, it weighs",
        "{a} + {b} * {c}",
        "pounds",
        (40, 20, 12),
    ),
    Story(
        "weight", "A sack of {a} pounds loses {b} pounds of grain. It now weighs", "{a} - {b}", "pounds", (160, 90)
    ),
    Story(
        "more than", "{name} read {a} poems. A friend read {b} more than that, namely", "{a} + {b}", "poems", (90, 60)
    ),
    Story("more than", "{name} has {a} beads. A friend has {b} times as many, namely", "{a} * {b}", "beads", (60, 9)),
    Story(
        "fewer than",
        "The red team scored {a} points and the blue team {b} fewer. The blue team scored",
        "{a} - {b}",
        "points",
        (120, 80),
    ),
    Story(
        "fewer than",
        "Last year {name} planted {a} trees. This year it was {b} trees less. Both years together make",
        "{a} + ({a} - {b})",
        "trees",
        (90, 50),
    ),
    Story("rows", "A hall has {a} rows of {b} seats. All in all it has", "{a} * {b}", "seats", (30, 30)),
    Story(
        "rows",
        "{name} sets {a} rows of {b} tiles, and {c} tiles break. Whole are still",
        "{a} * {b} - {c}",
        "tiles",
        (25, 25, 30),
    ),
    Story("reading", "A book has {a} pages and {name} has read {b}. To read are", "{a} - {b}", "pages", (400, 300)),
    Story("reading", "{name} reads {a} pages a day. After {b} days that makes", "{a} * {b}", "pages", (45, 20)),
    Story(
        "fences",
        "A garden is {a} metres long and {b} metres wide. Around it run",
        "2 * ({a} + {b})",
        "metres",
        (90, 60),
    ),
    Story("fences", "A square pen has sides of {a} metres. {b} such pens need", "{a} * 4 * {b}", "metres", (40, 6)),
    Story(
        "ages",
        "{name} is {a} and {name}'s mother {b} years older. The mother's age is",
        "{a} + {b}",
        "years",
        (40, 45),
    ),
    Story(
        "ages",
        "{name} is {a} years old, a grandfather {b} times as old. Between them are",
        "{a} * {b} - {a}",
        "years",
        (20, 7),
    ),
)


def story_items(*, seed: int, items: int, distractors: str = "near") -> list[Choice]:
    """Distinct stories, the categories in turn; ``distractors`` as in ``smidgen.data.arithmetic``.

    Raises ``BadInput`` where so many distinct stories cannot be told.
    """
    draw = Random(f"arithmark3-{seed}-{distractors}").random
    told: dict[str, tuple[Story, Equation]] = {}
    categories = list(dict.fromkeys(story.category for story in STORIES))
    for number in range(items):
        _tell(categories[number % len(categories)], told, draw)
    rows = options([equation for _, equation in told.values()], draw, distractors=distractors)
    return [
        _item(context, story, equation.answer, values)
        for (context, (story, equation)), values in zip(told.items(), rows, strict=True)
    ]


def _tell(category: str, told: dict[str, tuple[Story, Equation]], draw: Draw) -> None:
    """Add a story of this category that was not told before."""
    stories = [story for story in STORIES if story.category == category]
    for _ in range(MOST_DRAWS_PER_ITEM):
        story = _one_of(stories, draw)
        numbers = (str(SMALLEST_NUMBER + int(draw() * (most - SMALLEST_NUMBER + 1))) for most in story.largest)
        words = dict(zip("abc", numbers, strict=False), name=_one_of(NAMES, draw))
        context, equation = story.text.format(**words), _equation(story.expression.format(**words))
        if equation is not None and context not in told:
            told[context] = (story, equation)
            return
    raise BadInput(f"after {len(told)} stories no further one of the category {category!r} was found; ask for fewer")


def _equation(expression: str) -> Equation | None:
    try:
        answer = value_of(expression)
    except ArithmeticError:
        return None
    fits = SMALLEST_NUMBER <= answer < ANSWER_LIMIT
    return Equation(expression, answer, len(re.findall(r"[-+*/]", expression))) if fits else None


def _item(context: str, story: Story, answer: int, values: tuple[int, ...]) -> Choice:
    texts = tuple(f"{value} {story.unit if value != 1 else story.unit[:-1]}." for value in values)
    return Choice(
        key=context,
        contexts=(context,),
        endings=tuple(f" {text}" for text in texts),
        texts=texts,
        labels=(values.index(answer),),
        groups=(story.category,),
    )


def _one_of(values: Sequence[Any], draw: Draw) -> Any:
    return values[int(draw() * len(values))]
