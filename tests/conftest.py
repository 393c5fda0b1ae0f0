"""What tests of several folders share: a recipe so small that its whole life takes seconds."""

import json
import os
import random
import sys

# Before the client is imported: no test may wait for a network, nor depend on one.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import torch
from filelock import FileLock

from smidgen.recipes.loading import load_recipe
from smidgen.recipes.recipe import Recipe

# 20 steps of 16 windows of 32 tokens; sizes differ from each other so that a mix-up shows.
TINY = (
    "name=tiny",
    "design.vocab_size=320",
    "design.hidden_size=36",
    "design.num_layers=2",
    "design.num_heads=3",
    "design.num_kv_heads=1",
    "design.head_dim=12",
    "design.intermediate_size=50",
    "design.context_length=32",
    "data.curriculum=[{at=0, weights={grammar=0.8, arithmetic=0.2}}, {at=1, weights={grammar=0.5, arithmetic=0.5}}]",
    'data.sources={grammar={generator="grammar"}, arithmetic={generator="arithmetic"}}',
    "tokenizer.training_bytes=60_000",
    # So that the 100 kB to be scored are soon found.
    "data.held_out_fraction=0.3",
    "training.tokens=10_240",
    "training.batch_tokens=512",
    "training.micro_batch_size=8",
    "training.warmup_steps=2",
    "training.precision=fp32",
    "training.compile=false",
    "training.held_out_steps=10",
    "training.checkpoint_steps=5",
    "sampling.max_new_tokens=12",
)

# An ablation of models with five thousand parameters: 40 steps of 3 windows, a held-out measurement every 10 steps.
SMALL_ABLATION = """
question = "Does a larger learning rate help?"
base = "quickstart"
seeds = {seeds}
{top}

[set]
name = "small"
"design.vocab_size" = 300
"design.hidden_size" = 12
"design.num_layers" = 1
"design.num_heads" = 2
"design.num_kv_heads" = 1
"design.head_dim" = 6
"design.intermediate_size" = 20
"design.context_length" = 32
"data.curriculum" = [{{ at = 0, weights = {{ tales = 1.0 }} }}]
"data.sources" = {{ tales = {{ files = ["{tales}"] }} }}
"data.held_out_fraction" = 0.3
"tokenizer.training_bytes" = 20_000
"training.batch_tokens" = 96
"training.micro_batch_size" = 2
"training.warmup_steps" = 2
"training.precision" = "fp32"
"training.compile" = false
"training.held_out_steps" = 10
"training.checkpoint_steps" = 5
"training.statistics_steps" = 40

[budget]
{budget}

{variants}
"""
QUICK_VARIANT = '[variants.quick]\n"training.peak_learning_rate" = 2e-2'


@pytest.fixture(scope="session")
def tiny_overrides() -> tuple[str, ...]:
    """``--set`` options that make the quickstart tiny."""
    return TINY


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    return load_recipe("quickstart", overrides=TINY)


@pytest.fixture(scope="session")
def tales(tmp_path_factory):
    """A file of so little text that scoring what is held out of it takes no time."""
    chance = random.Random(1)
    words = ("the", "a", "small", "old", "cat", "bird", "river", "house", "saw", "found", "and", "then", "under")
    texts = [" ".join(chance.choices(words, k=60)) for _ in range(80)]
    path = tmp_path_factory.mktemp("tales") / "tales.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


@pytest.fixture(scope="session")
def write_ablation(tales):
    """Write the definition of a small ablation, two seeds of a base and one variant, and return its path."""

    def call(path, *, seeds=2, budget="tokens = 3_840", variants=QUICK_VARIANT, top=""):
        path.write_text(SMALL_ABLATION.format(seeds=seeds, budget=budget, variants=variants, top=top, tales=tales))
        return path

    return call


@pytest.fixture(scope="session")
def finished_run(tiny_recipe, tmp_path_factory, worker_id):
    """The run folder of a tiny model whose life is complete; made once, not to be changed by tests."""
    from smidgen.life.run import run_life
    from smidgen.life.stages import Life
    from smidgen.records.run_folder import RunFolder

    torch.set_num_threads(1)
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    run = RunFolder(shared / "finished-run")
    with FileLock(shared / "finished-run.lock"):
        if not (run.path / "finished").exists():
            run_life(Life(recipe=tiny_recipe, run=run), command="smidgen run tiny")
            (run.path / "finished").touch()
    return run


@pytest.fixture(autouse=True, scope="session")
def own_registry(tmp_path_factory):
    """Scores of tests do not go into the user's registry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMIDGEN_REGISTRY", str(tmp_path_factory.mktemp("registry") / "scores.sqlite"))
        yield


@pytest.fixture(scope="session")
def modules_of_exports(tmp_path_factory):
    """transformers copies the code of exports here, instead of to the cache of whoever runs the tests.

    One folder for the whole session: Python remembers where it found the package ``transformers_modules``.
    """
    from transformers import dynamic_module_utils

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
        patch.setattr(sys, "path", list(sys.path))
        yield


def pytest_terminal_summary(terminalreporter):
    """Say what the chaos tests tried: "passed" alone hides how much that proves."""
    for report in terminalreporter.stats.get("passed", []):
        for name, sentence in report.user_properties:
            if name == "chaos":
                terminalreporter.write_line(f"chaos: {sentence}")
