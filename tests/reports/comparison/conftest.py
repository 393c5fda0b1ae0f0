"""Score records with generated numbers of the right shape.

``python tests/reports/comparison/conftest.py FOLDER`` writes both pages at the size of a real evaluation.
"""

import hashlib
import math
import random
import sys
from pathlib import Path

import pytest

from smidgen.evaluation.score import accuracy, bits_per_byte

# Name: choices, metric to quote, share that a model of skill 0 gets right, items.
CHOICES = {
    "arc_easy": (4, "acc_norm", 0.31, 2376),
    "arc_challenge": (4, "acc_norm", 0.24, 1172),
    "hellaswag": (4, "acc_norm", 0.27, 4000),
    "piqa": (2, "acc_norm", 0.56, 1838),
    "winogrande": (2, "acc", 0.5, 1267),
    "openbookqa": (4, "acc_norm", 0.27, 500),
    "boolq": (2, "acc", 0.49, 3270),
    "sciq": (4, "acc", 0.52, 1000),
    "copa": (2, "acc", 0.55, 100),
    "swag": (4, "acc", 0.33, 2000),
    "social_iqa": (3, "acc", 0.36, 1954),
    "mmlu_stem": (4, "acc", 0.25, 3018),
    "commonsense_qa": (5, "acc", 0.24, 1221),
    "arithmark2-generated": (4, "acc", 0.31, 1000),
    "minimal-pairs": (2, "acc", 0.74, 1400),
    "blimp": (2, "acc", 0.7, 6700),
}
PHENOMENA = [
    "anaphor_agreement", "argument_structure", "binding", "control_raising", "determiner_noun_agreement", "ellipsis",
    "filler_gap", "irregular_forms", "island_effects", "npi_licensing", "quantifiers", "subject_verb_agreement",
]  # fmt: skip
LENGTHS = {"acc": 1, "acc_norm": 20, "acc_bytes": 21}


def score_record(name: str, *, skill: float = 0.0, seed: int = 0, scale: float = 0.02, **changes) -> dict:
    """A record as ``smidgen evaluate`` writes it; ``skill`` is added to every share of right answers."""
    dice = random.Random(f"{name}-{seed}")
    record = {
        "model": name,
        "parameters": 5_158_464 + seed,
        "weights_sha256": hashlib.sha256(name.encode()).hexdigest(),
        "tokenizer_sha256": hashlib.sha256(b"tokenizer").hexdigest(),
        "settings": {
            "precision": "exact", "dtype": "float32", "limit": None, "seed": 0, "max_length": 512, "device": "cpu",
        },
        "versions": {"python": "3.11.7", "smidgen": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6"},
        "seconds": 81.4 + seed,
        "items_per_second": 812.5,
        "index": 6.4 + 20 * skill,
        "indices": {"intelligence_index": {"value": 6.4 + 20 * skill, "low": 4.9, "high": 7.9 + 20 * skill}},
        "data": {},
        "scores": {},
        "baselines": {},
        "skipped": {"lambada": "the data are not on this machine"},
        "warnings": ["12 items of piqa were longer than the window and lost the left of their context"],
        "items": [],
    }  # fmt: skip
    for task, (choices, metric, share, items) in CHOICES.items():
        _add_choices(record, dice, task, choices, metric, share + skill, max(24, round(items * scale)))
    _add_documents(record, dice, "wikitext", 2.4 - skill, [()])
    _add_documents(record, dice, "bits-per-byte", 1.6 - skill, [("stories",), ("web",), ("code",)])
    return {**record, **changes}


def comparison(a: dict, b: dict, task: str, metric: str) -> dict:
    """An outcome as the paired tests would give it, by a rule of thumb."""
    value_a, value_b = a["scores"][task][metric], b["scores"][task][metric]
    difference = value_b["value"] - value_a["value"]
    half = 0.7 * math.hypot(value_a["high"] - value_a["low"], value_b["high"] - value_b["low"]) / 2
    is_less_better = metric == "bits_per_byte" or "perplexity" in metric
    gain = -difference if is_less_better else difference
    verdict = (
        "better" if gain > half else "worse" if gain < -half else "not distinguishable (needs about 4,100 items)"
    )
    return {
        "task": task, "metric": metric, "a": a["model"], "b": b["model"], "value_a": value_a["value"],
        "value_b": value_b["value"], "difference": difference, "low": difference - half, "high": difference + half,
        "p": math.exp(-abs(difference) / half), "p_adjusted": min(1.0, 3 * math.exp(-abs(difference) / half)),
        "n": value_a["n"], "discordant": value_a["n"] // 3, "verdict": verdict,
    }  # fmt: skip


def comparisons_of(a: dict, b: dict) -> list[dict]:
    return [comparison(a, b, task, next(iter(a["scores"][task]))) for task in a["scores"] if "/" not in task]


def leaderboard_row(record: dict, rank: list[int] | None, **changes) -> dict:
    names = ("arc_easy", "arc_challenge", "hellaswag", "piqa", "blimp")
    scores = {task: {metric: record["scores"][task][metric]} for task in names for metric in [CHOICES[task][1]]}
    row = {
        "name": record["model"], "parameters": record["parameters"], "source": "measured", "scores": scores,
        "index": record["index"], "rank": rank, "precision": "exact", "weights_sha256": record["weights_sha256"],
        "when": "2026-11-20T10:12:00Z",
    }  # fmt: skip
    return {**row, **changes}


@pytest.fixture
def pair() -> list[dict]:
    return [score_record("ant"), score_record("bee", skill=0.06, seed=1)]


@pytest.fixture
def make_record():
    return score_record


@pytest.fixture
def compare():
    return comparisons_of


@pytest.fixture
def make_row():
    return leaderboard_row


def _add_choices(record, dice, task, choices, metric, share, count):
    items = [_choice(dice, task, number, choices, metric, share) for number in range(count)]
    record["items"] += items
    metrics = list(dict.fromkeys([metric, *LENGTHS]))
    groups = dict.fromkeys(group for item in items for group in item["groups"])
    for name in (task, *(f"{task}/{group}" for group in groups)):
        mine = [item for item in items if name == task or name.split("/")[1] in item["groups"]]
        record["scores"][name] = {one: accuracy([item[one] for item in mine]).as_dict() for one in metrics}
    record["baselines"][task] = {"chance": 1 / choices, "longest": 1 / choices + 0.02}
    record["data"][task] = {"source": "file", "files": {f"{task}.jsonl": hashlib.sha256(task.encode()).hexdigest()}}


def _choice(dice, task, number, choices, metric, share):
    label = random.Random(f"{task}{number}").randrange(choices)
    phenomenon = PHENOMENA[number % 12]
    easy = share + 0.25 * math.sin(number % 12) if task in ("blimp", "minimal-pairs") else share
    right = dice.random() < easy
    winner = label if right else dice.choice([other for other in range(choices) if other != label])
    values = [-60 - 4 * abs(dice.gauss(0, 1)) - (0 if index == winner else 3) for index in range(choices)]
    values[winner] = max(values) + abs(dice.gauss(0, 3)) + 0.01
    groups = {"blimp": [f"{phenomenon}_{number % 67 // 12 + 1}", phenomenon], "minimal-pairs": [phenomenon]}
    credit = {one: float(values.index(max(values)) == label) for one in LENGTHS}
    return {
        "task": task, "item": f"{task}-{number:05}", "groups": groups.get(task, []), "labels": [label],
        "choice": winner, "log_probabilities": values, "characters": [20] * choices, "bytes": [21] * choices,
        "truncated": 0, **credit,
    }  # fmt: skip


def _add_documents(record, dice, task, level, groups):
    items = [
        {
            "task": task, "item": f"{task}-{number}", "groups": list(groups[number % len(groups)]),
            "nats": 700 * (level + 0.3 * (number % len(groups))) * dice.uniform(0.9, 1.1), "bytes": 1000,
            "words": 170, "tokens": 310,
        }
        for number in range(24)
    ]  # fmt: skip
    record["items"] += items
    for group in [(), *(group for group in groups if group)]:
        mine = [item for item in items if set(group) <= set(item["groups"])]
        score = bits_per_byte([item["nats"] for item in mine], [item["bytes"] for item in mine])
        record["scores"]["/".join([task, *group])] = {"bits_per_byte": score.as_dict()}


if __name__ == "__main__":
    from smidgen.reports.comparison.comparison_page import write_comparison_page
    from smidgen.reports.comparison.leaderboard_page import write_leaderboard_page

    folder = Path(sys.argv[1])
    names = ("quickstart", "ant-5m", "atom-3.4m", "gpt-s-5m", "atomixs2-5m")
    records = [score_record(name, skill=0.02 * number, seed=number, scale=1) for number, name in enumerate(names)]
    write_comparison_page(records[:2], comparisons_of(*records[:2]), folder / "two.html")
    against_first = [one for record in records[1:] for one in comparisons_of(records[0], record)]
    write_comparison_page(records, against_first, folder / "five.html")
    rows = [leaderboard_row(record, [max(1, 4 - n), 5 - n]) for n, record in enumerate(records)]
    bare = {
        task: {"acc_norm": {"value": 0.31, "low": None, "high": None, "n": None}} for task in ("arc_easy", "piqa")
    }
    rows += [
        leaderboard_row(records[4], None, name=name, source="self-reported", scores=bare, index=8.1,
                        precision=None, weights_sha256=None, when=None)
        for name in ("Elsewhere-5M", "Some-Very-Long-Model-Name-That-Does-Not-End-7M")
    ]  # fmt: skip
    write_leaderboard_page(rows, folder / "board.html")
