"""Speed of the generators in processor time of one core, and how much they have to say.

    python benchmarks/generators.py [--seconds 2]

A token of an equation is a character of it: digit, operator, parenthesis, equals sign, space or end of line. That is
what the tokenizer of the recipe atom-2.7m makes of text with single spaces. Problems and sentences are counted in
words and in bytes, because their tokens depend on the vocabulary.
"""

import argparse
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from smidgen.data.arithmetic import arithmetic_documents
from smidgen.data.dice import Dice
from smidgen.data.document import Document
from smidgen.data.grammar import PHENOMENA, grammar_documents
from smidgen.data.grammar.hold_out import HoldOut
from smidgen.data.grammar.pair import CONSTRUCTIONS
from smidgen.data.grammar.world import whole_world
from smidgen.data.word_problems import CATEGORIES, word_problem_documents
from smidgen.data.word_problems.telling import draw_problem
from smidgen.data.word_problems.templates import TEMPLATES
from smidgen.recipes.arithmetic import LEVELS, ArithmeticSettings
from smidgen.recipes.word_problems import WordProblemSettings

Stream = Callable[[int], Iterator[Document]]
ENDLESS = 10**9
DRAWS = 4_000
SETTINGS = {
    "as in ArithMark 2": ArithmeticSettings(),
    **{f"level {level}": ArithmeticSettings(level=level) for level in LEVELS},
    "+ and - of 1 to 20 digits": ArithmeticSettings(operands=(1,), operators={"+": 1, "-": 1}, digits=(1,) * 20),
    "2 to 8 operands": ArithmeticSettings(operands=(1,) * 7),
    "2 to 8 operands, depth 3": ArithmeticSettings(operands=(1,) * 7, depth=3, group_terms=4),
    "all solved in steps": ArithmeticSettings(steps_share=1),
    "one equation a document": ArithmeticSettings(equations=1, digits=(1, 1, 1, 1)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="processor time for each row")
    seconds = parser.parse_args().seconds
    screen = Console()
    screen.print(speeds(seconds))
    screen.print(problems())
    screen.print(sentences())


def speeds(seconds: float) -> Table:
    table = Table("generator", "million tokens a second", "lines a second", "words a second", "MB a second")
    for name, settings in SETTINGS.items():
        text, spent = written(
            lambda seed, s=settings: arithmetic_documents(seed=seed, documents=ENDLESS, settings=s), seconds
        )
        table.add_row(name, f"{len(text) / spent / 1e6:.2f}", f"{text.count(chr(10)) / spent:,.0f}", "", "")
    prose: dict[str, Stream] = {
        "word problems": lambda seed: word_problem_documents(seed=seed, documents=ENDLESS),
        "word problems with formulas": lambda seed: word_problem_documents(
            seed=seed, documents=ENDLESS, settings=WordProblemSettings(formula_share=1)
        ),
        "grammar": lambda seed: grammar_documents(seed=seed, documents=ENDLESS),
    }
    for name, stream in prose.items():
        text, spent = written(stream, seconds)
        table.add_row(name, "", "", f"{len(text.split()) / spent:,.0f}", f"{len(text) / spent / 1e6:.2f}")
    return table


def written(stream: Stream, seconds: float) -> tuple[str, float]:
    """What a generator writes in so much processor time, and the time it really took."""
    parts: list[str] = []
    start = time.process_time()
    for document in stream(0):
        parts.append(document.text)
        if time.process_time() - start >= seconds:
            break
    return "".join(parts), time.process_time() - start


def problems() -> Table:
    """Different stories and formulas among so many draws for each side, by category."""
    table = Table(
        "category",
        "templates",
        *(f"{side} {what}" for side in ("training", "test") for what in ("stories", "formulas")),
    )
    for category in CATEGORIES:
        cells = [str(sum(template.category == category for template in TEMPLATES))]
        for held_out in (False, True):
            dice = Dice(f"{category}-{held_out}")
            drawn = [draw_problem(category, dice, held_out=held_out) for _ in range(DRAWS)]
            cells += [f"{len({each.story for each in drawn}):,}", f"{len({each.formula for each in drawn}):,}"]
        table.add_row(category, *cells)
    table.caption = f"among {DRAWS:,} draws for each side"
    return table


def sentences() -> Table:
    """Different sentences among so many draws, by phenomenon and side of the split."""
    table = Table(
        "phenomenon", "constructions", "different training sentences", "different test pairs", "on both sides"
    )
    hold_out, world = HoldOut(), whole_world()
    for phenomenon in PHENOMENA:
        constructions = [each for each in CONSTRUCTIONS if each.phenomenon == phenomenon]
        dice = Dice(f"count-{phenomenon}")
        goods = {dice.pick(constructions).build(world, dice)[0] for _ in range(4 * DRAWS)}
        tested = {good for good in goods if hold_out.holds(good)}
        trained = {good for good in goods if not hold_out.is_shown_by(good)}
        counts = (len(constructions), len(trained), len(tested), len(trained & tested))
        table.add_row(phenomenon, *(f"{count:,}" for count in counts))
    table.caption = f"among {4 * DRAWS:,} draws"
    return table


if __name__ == "__main__":
    main()
