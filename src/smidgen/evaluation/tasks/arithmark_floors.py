"""What rules without any arithmetic reach on multiple-choice items whose endings hold numbers."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.item import Choice

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def floor_baselines(items: Iterable[Choice]) -> dict[str, float]:
    """Fraction right of each rule, computed from the items themselves; a k-way tie counts 1/k.

    ``middle`` chooses among the two middle values, ``never-decimal`` among the whole numbers, ``common-digit`` among
    the endings whose last digit occurs most often. The number of an ending is its first; one without any counts as 0.
    Raises ``BadInput`` without items.
    """
    credits: defaultdict[str, float] = defaultdict(float)
    count = 0
    for item in items:
        count += 1
        for name, preferred in _preferences(item.texts).items():
            credits[name] += len(preferred.intersection(item.labels)) / len(preferred)
    if not count:
        raise BadInput("There are no items to take floor baselines of; give at least one.")
    return {name: credit / count for name, credit in credits.items()}


def _preferences(texts: tuple[str, ...]) -> dict[str, set[int]]:
    """The endings that each rule would choose among."""
    every = range(len(texts))
    lengths = [len(text) for text in texts]
    numbers = [_number(text) for text in texts]
    sizes = [float(number) for number in numbers]
    digits = Counter(number[-1] for number in numbers)
    by_size = sorted(every, key=sizes.__getitem__)
    whole = {i for i in every if "." not in numbers[i]}
    return {
        "chance": set(every),
        "first": {0},
        "longest": {i for i in every if lengths[i] == max(lengths)},
        "shortest": {i for i in every if lengths[i] == min(lengths)},
        "middle": set(by_size[(len(by_size) - 1) // 2 : len(by_size) // 2 + 1]),
        "smallest": {i for i in every if sizes[i] == min(sizes)},
        "largest": {i for i in every if sizes[i] == max(sizes)},
        "never-decimal": whole or set(every),
        "common-digit": {i for i in every if digits[numbers[i][-1]] == max(digits.values())},
    }


def _number(text: str) -> str:
    match = NUMBER.search(text)
    return match.group().replace(",", "") if match else "0"
