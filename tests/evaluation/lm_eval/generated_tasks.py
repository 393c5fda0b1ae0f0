"""Tasks of lm-evaluation-harness on generated items: its own kind of file, no text of anybody else."""

import json
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import yaml
from lm_eval.tasks import TaskManager

from smidgen.data.arithmetic import arithmetic_items
from smidgen.data.grammar import minimal_pairs

# Together more than 2,000 items.
CHOICES, PAIRS_OF_EACH, COMPLETIONS, DOCUMENTS = 800, 55, 500, 160
FORMATS = ("generated_choice", "generated_contexts", "generated_completion", "generated_rolling")


def task_manager(folder: Path) -> TaskManager:
    """An index of nothing but these tasks; that of the harness takes seconds."""
    sentences = [pair.good for pair in minimal_pairs(seed=5, per_phenomenon=PAIRS_OF_EACH)]
    write_task(folder, "generated_choice", choices(), CHOICE)
    write_task(folder, "generated_contexts", contexts(), CONTEXTS)
    write_task(folder, "generated_completion", [{"text": text} for text in sentences[:COMPLETIONS]], COMPLETION)
    write_task(folder, "generated_rolling", documents(sentences), ROLLING)
    return TaskManager(include_path=str(folder), include_defaults=False)


def write_task(folder: Path, name: str, rows: list[dict[str, Any]], settings: dict[str, Any]) -> None:
    data = folder / f"{name}.data"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    where = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(data)}}, "test_split": "test"}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({"task": name, **where, **settings}), encoding="utf-8")


def choices() -> list[dict[str, Any]]:
    return [
        {"question": item.context, "endings": [ending.strip() for ending in item.endings], "label": item.label}
        for item in arithmetic_items(seed=3, items=CHOICES)
    ]


def contexts() -> list[dict[str, Any]]:
    """Pairs of sentences cut before the words at the end that both share, as WinoGrande is scored."""
    found = []
    for number, pair in enumerate(minimal_pairs(seed=4, per_phenomenon=PAIRS_OF_EACH)):
        good, bad = pair.good.split(" "), pair.bad.split(" ")
        shared = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(good[::-1], bad[::-1], strict=False)))
        if 0 < shared < min(len(good), len(bad)):
            starts = [" ".join(good[:-shared]), " ".join(bad[:-shared])]
            label = number % 2
            found.append({"starts": starts[:: -1 if label else 1], "end": " ".join(good[-shared:]), "label": label})
    return found


def documents(sentences: list[str]) -> list[dict[str, Any]]:
    """From one sentence, which fits into a window, to seven, which do not.

    No two documents share a sentence: lm-evaluation-harness 0.4.13 reads the wrong rows for windows that are equal
    but for the place where scoring begins (HFLM's ``logits_cache``), by up to 21 nats in documents that overlapped.
    """
    remaining = iter(sentences)
    return [{"text": " ".join(islice(remaining, 1 + number % 7))} for number in range(DOCUMENTS)]


def metrics(*names: str) -> list[dict[str, Any]]:
    return [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in names]


CHOICE = {
    "output_type": "multiple_choice",
    "doc_to_text": "{{question}}",
    "doc_to_choice": "endings",
    "doc_to_target": "label",
    "metric_list": metrics("acc", "acc_norm", "acc_bytes"),
}
CONTEXTS = {
    "output_type": "multiple_choice",
    "doc_to_text": "label",
    "doc_to_choice": "starts",
    "doc_to_target": "end",
    "metric_list": metrics("acc"),
}
COMPLETION = {
    "output_type": "loglikelihood",
    "doc_to_text": "{{text.split(' ')[:-1]|join(' ')}}",
    "doc_to_target": "{{' ' + text.split(' ')[-1]}}",
    "metric_list": metrics("acc"),
}
ROLLING = {
    "output_type": "loglikelihood_rolling",
    "doc_to_text": "",
    "doc_to_target": "{{text}}",
    "metric_list": [
        {"metric": "word_perplexity", "aggregation": "weighted_perplexity", "higher_is_better": False},
        {"metric": "byte_perplexity", "aggregation": "weighted_perplexity", "higher_is_better": False},
        {"metric": "bits_per_byte", "aggregation": "bits_per_byte", "higher_is_better": False},
    ],
}
