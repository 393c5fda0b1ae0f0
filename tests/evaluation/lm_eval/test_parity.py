"""Item by item the same numbers as lm-evaluation-harness gets from transformers for the exported folder."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lm_eval.evaluator import evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from smidgen.evaluation.lm_eval.definition import load_definition
from smidgen.evaluation.lm_eval.model import SmidgenLM
from smidgen.evaluation.lm_eval.task import score_lm_eval_task
from smidgen.export.hugging_face import export_hugging_face

from ...export.tiny import ARITHMETIC, DIGITS, PLAIN, tiny_model
from .generated_tasks import FORMATS

# The harness and what it imports have deprecations of their own.
pytestmark = pytest.mark.filterwarnings("ignore")

# Longer than the design's context and shorter than some contexts, so that windows slide and contexts are cut.
MAX_LENGTH = 72
CONTEXT_LENGTH = 64
DESIGNS = {"stock Llama": (PLAIN, {}), "XSA and digit features": (ARITHMETIC, {"xsa": True, **DIGITS})}
REAL_FILES = Path(os.environ.get("SMIDGEN_EVAL_DATA", Path(__file__).parents[3] / "../shared/data/eval"))
REAL_TASKS = ("arc_easy", "winogrande", "lambada_openai", "blimp_causative")


@pytest.fixture(scope="module", params=DESIGNS)
def model(request):
    settings, changes = DESIGNS[request.param]
    return tiny_model(settings, context_length=CONTEXT_LENGTH, **changes)


@pytest.fixture(scope="module")
def harness(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "model"
    export_hugging_face(model, folder, check=False)
    return HFLM(
        pretrained=str(folder),
        trust_remote_code=True,
        dtype="float32",
        max_length=MAX_LENGTH,
        batch_size=32,
        device="cpu",
    )


@pytest.fixture(scope="module")
def results(model, harness, manager):
    """What the harness reports for its own model and for ours."""
    ours = SmidgenLM(model, max_length=MAX_LENGTH)
    return [evaluate(lm, manager.load(list(FORMATS)), log_samples=True) for lm in (harness, ours)]


def test_two_thousand_items_of_four_formats_get_the_same_choice_and_log_probability(results):
    theirs, ours = (result["samples"] for result in results)
    assert sum(map(len, theirs.values())) >= 2000
    for task in FORMATS:
        pairs = list(zip(log_probabilities(theirs[task]), log_probabilities(ours[task]), strict=True))
        farthest = max((np.abs(a - b) / tolerance(a)).max() for a, b in pairs)
        assert farthest < 1, f"{task}: log-probabilities differ by {farthest} of what is allowed"
        assert [a.argmax() for a, _ in pairs] == [b.argmax() for _, b in pairs]


def test_accuracies_and_standard_errors_are_those_of_the_harness(results):
    theirs, ours = (result["results"] for result in results)
    for task in FORMATS[:3]:
        values = {key: value for key, value in theirs[task].items() if key.startswith("acc")}
        assert values
        assert values == {key: ours[task][key] for key in values}


def test_perplexities_are_those_of_the_harness(results):
    theirs, ours = (result["results"]["generated_rolling"] for result in results)
    for metric in ("word_perplexity,none", "byte_perplexity,none", "bits_per_byte,none"):
        assert ours[metric] == pytest.approx(theirs[metric], rel=1e-6)


def test_scores_of_a_task_by_name_are_those_of_the_harness(model, results, manager):
    for task in FORMATS:
        outcome = score_lm_eval_task(replace(model, max_length=MAX_LENGTH), task, manager=manager)
        theirs = results[0]["results"][task]
        for metric, score in outcome.scores[task].items():
            assert score.value == pytest.approx(theirs[f"{metric},none"], rel=1e-6)
            if score.stderr is not None:
                assert score.stderr == pytest.approx(theirs[f"{metric}_stderr,none"], rel=1e-6)
            assert score.low <= score.value <= score.high
            assert score.n == len(outcome.items)


def test_contexts_that_are_too_long_are_counted(model, manager):
    lm = SmidgenLM(model, max_length=20)
    evaluate(lm, manager.load(["generated_contexts"]), limit=50)
    assert lm.counts["truncated"] > 0


@pytest.mark.skipif(not REAL_FILES.is_dir(), reason="no real evaluation files; SMIDGEN_EVAL_DATA names their folder")
def test_real_files_get_the_same_choice_and_log_probability(model, harness, real_manager):
    ours = SmidgenLM(model, max_length=MAX_LENGTH)
    for name in REAL_TASKS:
        tasks = load_definition(real_manager, name, REAL_FILES).tasks
        samples = [
            evaluate(lm, {"tasks": tasks}, limit=40, bootstrap_iters=0)["samples"][name] for lm in (harness, ours)
        ]
        for theirs, mine in zip(*map(log_probabilities, samples), strict=True):
            assert (np.abs(theirs - mine) < tolerance(theirs)).all()
            assert theirs.argmax() == mine.argmax()


@pytest.fixture(scope="module")
def real_manager():
    """Only the folders of these tasks: the whole index takes seconds."""
    import lm_eval.tasks

    root = Path(lm_eval.tasks.__file__).parent
    folders = [root / name for name in ("arc", "winogrande", "lambada", "blimp")]
    return TaskManager(include_path=folders, include_defaults=False)


def log_probabilities(samples) -> list[np.ndarray]:
    """In the order of the documents; a rolling result is one number, the others come with "is it greedy"."""
    ordered = sorted(samples, key=lambda sample: sample["doc_id"])
    return [np.array([answer[0] if isinstance(answer, tuple) else answer for answer in flat(s)]) for s in ordered]


def tolerance(nats: np.ndarray) -> np.ndarray:
    """1e-4, or two of the steps that float32 has there: the harness sums in float32, 1e-4 at 1,000 nats."""
    return np.maximum(1e-4, 2 * np.spacing(np.abs(nats).astype(np.float32)))


def flat(sample) -> list:
    return [answer for answers in sample["resps"] for answer in answers]
