"""Minutes, days, years and pages."""

from smidgen.data.word_problems.numbers import FEW, GROUPS, MANY, SOME
from smidgen.data.word_problems.template import Template
from smidgen.data.word_problems.words import MADE

TEMPLATES: tuple[Template, ...] = (
    Template(
        "duration",
        "The first half lasts {a} minutes, the break {b} minutes, the second half {c} minutes. In all that is",
        "{a} + {b} + {c}",
        "minutes",
        (SOME, FEW, SOME),
    ),
    Template(
        "duration",
        "{name} needs {a} minutes for each of {b} {things}. All of them take",
        "{a} * {b}",
        "minutes",
        (SOME, FEW),
        MADE,
    ),
    Template(
        "duration",
        "{name}'s film of {a} minutes has run for {b} minutes. It goes on for",
        "{a} - {b}",
        "minutes",
        (MANY, SOME),
    ),
    Template(
        "ages",
        "{name} is {a} and {name}'s mother {b} years older. The mother's age is",
        "{a} + {b}",
        "years",
        (range(2, 60), range(18, 45)),
    ),
    Template(
        "ages",
        "{name} is {a} years old, a grandfather {b} times as old. Between them are",
        "{a} * {b} - {a}",
        "years",
        (range(2, 25), FEW),
    ),
    Template(
        "ages",
        "{name} is {a} years old and {other} is {b}. Together their ages make",
        "{a} + {b}",
        "years",
        (SOME, SOME),
    ),
    Template(
        "ages",
        "An oak is {a} years old and a birch {b} years. The oak is older by",
        "{a} - {b}",
        "years",
        (MANY, SOME),
    ),
    Template(
        "reading", "A book has {a} pages and {name} has read {b}. To read are", "{a} - {b}", "pages", (MANY, SOME)
    ),
    Template(
        "reading", "{name} reads {a} pages a day. After {b} days that makes", "{a} * {b}", "pages", (SOME, GROUPS)
    ),
    Template(
        "reading",
        "{name} reads {a} pages on each of {b} days and {c} on the last. The book has",
        "{a} * {b} + {c}",
        "pages",
        (SOME, FEW, GROUPS),
    ),
    Template(
        "reading",
        "{name} wants to read {a} pages in {b} days, every day the same number. That is every day",
        "{a} / {b}",
        "pages",
        (MANY, FEW),
    ),
    Template(
        "calendar",
        "{name} saves for {a} weeks and then for {b} days more. In days this is",
        "{a} * 7 + {b}",
        "days",
        (SOME, range(1, 60)),
    ),
    Template(
        "calendar",
        "Today is day {a} of the year. {name}'s birthday was day {b}. Since then have passed",
        "{a} - {b}",
        "days",
        (range(30, 366), range(1, 360)),
    ),
    Template(
        "calendar",
        "{name} winds a watch every {b} days. In {a} days it is wound",
        "{a} / {b}",
        "times",
        (range(12, 366), FEW),
    ),
    Template(
        "units of time",
        "{name}'s journey takes {a} hours and {b} minutes. In minutes that is",
        "{a} * 60 + {b}",
        "minutes",
        (FEW, range(1, 60)),
    ),
    Template(
        "units of time",
        "{name}'s holiday lasts {a} weeks and {b} days. In days that is",
        "{a} * 7 + {b}",
        "days",
        (SOME, range(1, 7)),
    ),
    Template(
        "units of time",
        "{name} waits {a} minutes and {b} seconds. In seconds that is",
        "{a} * 60 + {b}",
        "seconds",
        (FEW, range(1, 60)),
    ),
    Template(
        "units of time",
        "{name}'s song of {a} seconds is {b} seconds longer than one of",
        "{a} - {b}",
        "seconds",
        (MANY, SOME),
    ),
)
