import json

import pytest

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.catalogue import BENCHMARKS, canonical, duplicates, open_task, why_not
from smidgen.evaluation.tasks.documents import EvalData

from .tiny_documents import TINY_DOCUMENTS


@pytest.fixture
def folder(tmp_path):
    """MMLU with three questions of one subject and two of another, and TruthfulQA."""
    first, second = TINY_DOCUMENTS["mmlu"]
    virology = [first | {"subject": "virology"}, second | {"subject": "virology"}]
    write(tmp_path / "mmlu/test.jsonl", [first, second, first, *virology])
    write(tmp_path / "truthfulqa/validation.jsonl", TINY_DOCUMENTS["truthfulqa_mc2"])
    return tmp_path


def write(path, rows) -> None:
    path.parent.mkdir()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("HellaSwag", "hellaswag"),
        ("arc-challenge", "arc_challenge"),
        ("WikiText-2", "wikitext"),
        ("lambada", "lambada_openai"),
        ("truthfulqa", "truthfulqa_mc2"),
        ("My-Task", "My-Task"),
    ],
)
def test_names_of_model_cards_are_understood(given, meant):
    assert canonical(given) == meant


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(BadInput, match=r"^there is no benchmark 'helaswag'; did you mean hellaswag\?$"):
        open_task("helaswag", EvalData(tmp_path))
    with pytest.raises(BadInput, match=r"did you mean winogrande\?"):
        why_not("winogrand", EvalData(tmp_path))


def test_a_limit_counts_in_each_subject(folder):
    items = open_task("mmlu", EvalData(folder), limit=1).items
    assert [(item.key, item.groups) for item in items] == [
        ("0", ("stem", "college_physics")),
        ("3", ("other", "virology")),
    ]
    assert len(open_task("mmlu", EvalData(folder), limit=2).items) == 4


def test_repeated_questions_are_counted_word_for_word(folder):
    assert duplicates(open_task("mmlu", EvalData(folder))) == 1
    assert duplicates(open_task("mmlu", EvalData(folder), limit=2)) == 0


def test_chance_is_the_mean_share_of_right_answers(folder):
    assert open_task("mmlu", EvalData(folder)).baselines == {"chance": 1 / 4}
    # 2 of 4 and 1 of 3.
    task = open_task("truthfulqa", EvalData(folder))
    assert task.baselines == {"chance": pytest.approx(5 / 12)}
    assert (task.name, task.probability_mass) == ("truthfulqa_mc2", True)


def test_the_first_metric_is_the_one_that_cards_quote():
    normalised = {"hellaswag", "arc_easy", "arc_challenge", "piqa", "openbookqa", "swag", "sciq"}
    quoted = {name: benchmark.metrics[0] for name, benchmark in BENCHMARKS.items()}
    assert {name for name, metric in quoted.items() if metric == "acc_norm"} == normalised
    assert {name for name, metric in quoted.items() if metric != "acc"} == {*normalised, "wikitext"}
    assert BENCHMARKS["wikitext"].metrics == (
        "word_perplexity",
        "byte_perplexity",
        "token_perplexity",
        "bits_per_byte",
    )


def test_every_benchmark_names_its_licence_paper_and_card():
    for benchmark in BENCHMARKS.values():
        assert benchmark.licence
        assert benchmark.paper.startswith("https://arxiv.org/abs/")
        assert benchmark.card == f"https://huggingface.co/datasets/{benchmark.dataset}"
