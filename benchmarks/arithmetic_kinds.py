"""Which kinds of equations a model gets right, beside the groups that `smidgen evaluate` reports.

    python benchmarks/arithmetic_kinds.py arithmetic-2.7m [--items 2500] [--seed 7]

Equations written out: with one operator; with more, sums and differences alone, products or quotients of written
numbers, and those with a product or quotient of a result, as in (32 - 8) * 29. Sums and products of two numbers are
counted again by whether the same with the two swapped is held out from training too. Four options: items that have an
option whose digits end the answer's, as 4 does in 14, which a model that writes the last digit first may read as a
beginning of it. 95% intervals over items (Wilson).
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from smidgen import api
from smidgen.data.arithmetic import ArithmeticItem, arithmetic_items, is_held_out
from smidgen.data.arithmetic.expression import Tree, parse
from smidgen.errors import SmidgenError
from smidgen.evaluation.intervals import wilson_interval

TASKS = {"arithmark2-generated": "near", "arithmark2-generated-hard": "hard"}


def main() -> None:
    arguments = _arguments()
    try:
        record = api.evaluate(arguments.model, [f"{task}:{arguments.items}" for task in TASKS], seed=arguments.seed)
    except SmidgenError as error:
        raise SystemExit(str(error)) from error
    results = {(result["task"], result["item"]): result for result in record["items"]}
    table = Table("options", "asked", "kind", "right", "95% interval", "items", box=None)
    for task, distractors in TASKS.items():
        credits: dict[tuple[str, str], list[float]] = defaultdict(list)
        for item in arithmetic_items(seed=arguments.seed, items=arguments.items, distractors=distractors):
            result = results[task, item.expression]
            for kind in _kinds(item):
                credits["written", kind].append(result["exact_match"])
            credits["chosen", _options_kind(item)].append(result["acc"])
        for (asked, kind), values in sorted(credits.items()):
            right, n = sum(values), len(values)
            low, high = wilson_interval(right, n)
            table.add_row(distractors, asked, kind, f"{right / n:.1%}", f"{low:.1%} to {high:.1%}", f"{n:,}")
    Console().print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a run, an exported folder or a model that comes with Smidgen")
    parser.add_argument("--items", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def _kinds(item: ArithmeticItem) -> Iterator[str]:
    operator, left, right, _ = tree = parse(item.expression)
    if item.operator_count == 1:
        yield "1 operator"
        if operator in "+*":
            swapped = is_held_out(f"{right} {operator} {left}")
            yield "1 operator, mirror held out" if swapped else "1 operator, mirror trained"
        return
    products = [part for part in _operations(tree) if part[0] in "*/"]
    if not products:
        yield "more, + and - alone"
    elif any(isinstance(operand, tuple) for _, *operands, _ in products for operand in operands):
        yield "more, * or / of a result"
    else:
        yield "more, * or / of numbers"


def _operations(tree: Tree) -> Iterator[Tree]:
    yield tree
    for operand in tree[1:3]:
        if isinstance(operand, tuple):
            yield from _operations(operand)


def _options_kind(item: ArithmeticItem) -> str:
    answer, *others = (item.endings[item.label].strip(), *map(str.strip, item.endings))
    ends = any(other != answer and answer.endswith(other) for other in others)
    return "one ends the answer's digits" if ends else "none ends the answer's digits"


if __name__ == "__main__":
    main()
