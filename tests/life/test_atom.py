"""``atom-2.7m`` as published, shortened: from text to a folder that does what the card's usage section says."""

import json
import sysconfig
import warnings
from pathlib import Path

import pytest
import torch

from smidgen import api
from smidgen.life.run import run_life
from smidgen.life.stages import Life
from smidgen.recipes.loading import load_recipe
from smidgen.records.run_folder import RunFolder

SHORT = (
    "tokenizer.training_bytes=1_500_000",
    "training.tokens=8192",
    "training.batch_tokens=4096",
    "training.micro_batch_size=4",
    "training.warmup_steps=1",
    "training.precision=fp32",
    "training.compile=false",
    "training.held_out_steps=100",
    "training.statistics_steps=100",
    'evaluation.tasks=["minimal-pairs:2"]',
    "data.held_out_fraction=0.004",
    "sampling.max_new_tokens=8",
)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Two megabytes of Python's own library: text enough for 4,096 entries, on every machine."""
    out = tmp_path_factory.mktemp("text") / "library.jsonl"
    written = 0
    with out.open("w", encoding="utf-8") as file:
        for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
            source = path.read_text(encoding="utf-8", errors="replace")
            file.write(json.dumps({"text": source}) + "\n")
            written += len(source)
            if written > 2_000_000:
                break
    return out


@pytest.fixture(scope="module")
def run(text, tmp_path_factory):
    recipe = load_recipe("atom-2.7m", data=[f"text={text}"], overrides=SHORT)
    found = RunFolder(tmp_path_factory.mktemp("atom") / "run")
    run_life(Life(recipe=recipe, run=found), command="smidgen run atom-2.7m")
    return found


@pytest.fixture(scope="module")
def folder(run):
    out = run.path.parent / "export"
    record = api.export(run.path, out)
    assert record["parity"]["max_abs_logit_diff"] < 1e-4
    return out


def test_it_has_the_published_parameters_and_a_tenth_of_equations(run):
    assert json.loads(run.design.read_text())["parameters"]["total"] == 2_738_880
    points = json.loads(run.mixture.read_text())["points"]
    assert {source: round(share, 3) for source, share in points[0]["planned"].items()} == {
        "text": 0.9,
        "arithmetic": 0.1,
    }


def test_the_usage_section_of_the_card(folder):
    pytest.importorskip("transformers")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model_dir = str(folder)
    model = AutoModelForCausalLM.from_pretrained(model_dir, trust_remote_code=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(model_dir, trust_remote_code=True)
    text = "12 + 34 ="
    inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        outputs = model(**inputs)
    ids = inputs["input_ids"][0].tolist()
    # Digits are single and the least significant is first, operators are single, blanks stand alone.
    assert [tokenizer.decode([one]) for one in ids] == ["2", "1", " ", "+", " ", "4", "3", " ", "="]
    assert outputs.logits.shape == (1, 9, 4096)
    assert tokenizer.model_max_length == 548


def test_the_benchmark_command_of_the_card(run, folder):
    scores = [api.evaluate(path, tasks=["arithmark2-generated"], limit=40)["scores"] for path in (run.path, folder)]
    ours, exported = (score["arithmark2-generated"] for score in scores)
    assert ours["acc"]["n"] == 40
    assert ours == exported


def test_the_harness_command_of_the_card(folder):
    pytest.importorskip("lm_eval")
    with warnings.catch_warnings():
        # The harness and what it imports have deprecations of their own.
        warnings.simplefilter("ignore")
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        harness = HFLM(
            pretrained=str(folder),
            trust_remote_code=True,
            dtype="bfloat16",
            max_length=548,
            device="cpu",
            batch_size="auto:1",
            max_batch_size=2,
        )
        pairs = [("def f(x):\n" + "    x = x + 1\n" * 60, "    return x\n"), ("12 + 34 =", " 46")]
        requests = [Instance("loglikelihood", {}, pair, index) for index, pair in enumerate(pairs)]
        scores = harness.loglikelihood(requests, disable_tqdm=True)
    assert harness.max_length == 548
    assert all(value < 0 for value, _ in scores)
