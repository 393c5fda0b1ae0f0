"""Every request, right answer and length equals those of lm-evaluation-harness, on our documents and on real ones."""

import os
import re
from itertools import groupby, islice
from pathlib import Path

import pytest

from smidgen.evaluation.tasks.benchmarks.mmlu import CATEGORIES
from smidgen.evaluation.tasks.catalogue import BENCHMARKS, why_not
from smidgen.evaluation.tasks.documents import EvalData, read_documents
from smidgen.evaluation.tasks.item import Choice, Completion, Document, Item
from smidgen.evaluation.tasks.row import Row

from .harness import accuracy_if_chosen, asked_by_harness, definition, harness_task, split_of
from .tiny_documents import TINY_DOCUMENTS, Rows

pytest.importorskip("lm_eval")

REAL_DATA = Path(os.environ.get("SMIDGEN_EVAL_DATA", Path(__file__).parents[4] / "shared/data/eval"))
# Of every benchmark, from its beginning; of BLiMP and MMLU from the first parts.
REAL_DOCUMENTS = int(os.environ.get("SMIDGEN_EVAL_DOCUMENTS", "200"))


def requests_of(item: Item) -> list[tuple[str, ...]]:
    match item:
        case Choice():
            return item.pairs()
        case Completion():
            return [(item.context, item.continuation)]
        case Document():
            return [(item.text,)]


def check_like_the_harness(name: str, rows: Rows, folder: Path) -> None:
    """Compare part by part: the harness has a task for each BLiMP set and MMLU subject."""
    items = [(row, BENCHMARKS[name].to_item(Row(row), number)) for number, row in enumerate(rows)]
    for part, of_part in groupby(items, key=lambda pair: pair[1].groups[-1] if pair[1].groups else ""):
        chosen = list(of_part)
        task = harness_task(name, part, [row for row, _ in chosen], folder)
        documents = list(task.task_docs)
        assert len(documents) == len(chosen)
        for document, (_, item) in zip(documents, chosen, strict=True):
            assert requests_of(item) == asked_by_harness(task, document)
            check_scoring(task, document, item)


def check_scoring(task, document, item: Item) -> None:
    if isinstance(item, Choice):
        assert list(item.texts) == task.doc_to_choice(document)
        count = len(item.texts)
        right = [chosen for chosen in range(count) if accuracy_if_chosen(task, document, count, chosen) == 1]
        assert list(item.labels) == right
    if isinstance(item, Document):
        results = task.process_results(document, (-1.0,))
        assert results["byte_perplexity"][1] == len(item.original.encode())
        assert results["word_perplexity"][1] == len(re.split(r"\s+", item.original))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_our_documents_ask_what_the_harness_asks(name, tmp_path):
    check_like_the_harness(name, TINY_DOCUMENTS[name], tmp_path)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_real_documents_ask_what_the_harness_asks(name, tmp_path):
    if not REAL_DATA.is_dir():
        pytest.skip("SMIDGEN_EVAL_DATA names no folder of benchmark files")
    if reason := why_not(name, EvalData(REAL_DATA)):
        pytest.skip(f"{name} {reason}")
    all_documents = read_documents(BENCHMARKS[name], EvalData(REAL_DATA))
    rows = (row for documents in all_documents for _, row in documents.rows)
    check_like_the_harness(name, list(islice(rows, REAL_DOCUMENTS)), tmp_path)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_documents_come_from_the_dataset_and_split_that_the_harness_reads(name):
    benchmark = BENCHMARKS[name]
    # MMLU's subjects come in one config that holds them all.
    parts = {"blimp": benchmark.configs, "mmlu": ("virology",)}.get(name, ("",))
    configs = [definition(name, part) for part in parts]
    assert {config["dataset_path"] for config in configs} == {benchmark.dataset}
    assert {split_of(config) for config in configs} == {benchmark.split}
    if name != "mmlu":
        assert tuple(config.get("dataset_name") for config in configs) == benchmark.configs


@pytest.mark.parametrize("name", BENCHMARKS)
def test_metrics_are_those_of_the_harness_and_few_more(name):
    part = {"blimp": "causative", "mmlu": "virology"}.get(name, "")
    theirs = {entry["metric"] for entry in definition(name, part)["metric_list"]} - {"perplexity"}
    assert set(BENCHMARKS[name].metrics) - {"acc_bytes", "token_perplexity"} == theirs


def test_subjects_of_mmlu_are_grouped_as_in_the_harness():
    theirs = {subject: definition("mmlu", subject)["tag"] for subject in CATEGORIES}
    assert theirs == {subject: f"mmlu_{category}_tasks" for subject, category in CATEGORIES.items()}
    assert len(theirs) == 57
