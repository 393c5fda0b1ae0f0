"""A model of five thousand parameters with its tokenizer and data, ready to be trained and to be hurt."""

import os
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from smidgen.data.build import build
from smidgen.data.training_data import open_data
from smidgen.life.run import run_life
from smidgen.life.stages import Life
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.ownership import claim
from smidgen.records.run_folder import RunFolder
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.training import trainer

from .processes import Processes

SMALL = (
    "name=small",
    "design.vocab_size=300",
    "design.hidden_size=12",
    "design.num_layers=1",
    "design.num_heads=2",
    "design.num_kv_heads=1",
    "design.head_dim=6",
    "design.intermediate_size=20",
    "design.context_length=16",
    "data.curriculum=[{at=0, weights={grammar=0.7, arithmetic=0.3}}]",
    'data.sources={grammar={generator="grammar"}, arithmetic={generator="arithmetic"}}',
    "tokenizer.training_bytes=20_000",
    "training.tokens=3_840",  # 40 steps of 6 windows
    "training.batch_tokens=96",
    "training.micro_batch_size=2",
    "training.warmup_steps=2",
    "training.precision=fp32",
    "training.compile=false",
    "training.checkpoint_steps=5",
)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def no_peak_measured(monkeypatch):
    """Half a second at the end of every training that no test here is about."""
    monkeypatch.setattr(trainer, "peak_flops_per_second", lambda *_: 1.0, raising=False)


@pytest.fixture(scope="session")
def small_recipe():
    return load_recipe("quickstart", overrides=SMALL)


def with_training(recipe, **changes):
    return replace(recipe, training=replace(recipe.training, **changes))


@pytest.fixture(scope="session")
def prepared(small_recipe, tmp_path_factory):
    """The folder of a run with tokenizer and data, whose held-out text is short so that measuring it is."""
    run = RunFolder(tmp_path_factory.mktemp("prepared") / "run")
    run_life(Life(recipe=small_recipe, run=run), until="tokenizer")
    build(
        small_recipe.data,
        Tokenizer.open(run.tokenizer),
        out=run.data,
        context_length=small_recipe.design.context_length,
        training_tokens=small_recipe.training.tokens,
        seed=small_recipe.training.seed,
        cache=None,
        held_out_bytes=2_000,
    )
    return run


@pytest.fixture(scope="session")
def small_data(prepared):
    return open_data(prepared.data, None)


@pytest.fixture
def memory_disk():
    """A folder in memory where there is one: thousands of flushes to a real disk take minutes and prove no more."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def new_run(prepared, small_recipe, memory_disk):
    """A fresh run folder with tokenizer and data; ``changes`` are to the recipe's training."""
    numbers = count()

    def call(**changes):
        run = RunFolder(memory_disk / f"run-{next(numbers)}")
        claim(run, with_training(small_recipe, **changes))
        for folder in ("tokenizer", "data"):
            shutil.copytree(prepared.path / folder, run.path / folder)
        return run

    return call


@pytest.fixture(scope="session")
def processes():
    started = Processes()
    yield started
    started.close()


@pytest.fixture
def no_failures(record_property):
    """Have the summary say what was tried without a failure, and what that proves."""

    def call(what, trials, details=""):
        bound = 1 - 0.05 ** (1 / trials)
        record_property(
            "chaos",
            f"{what}: 0 failures in {trials:,} (at most {bound:.2%} with 95% confidence){details and '; '}{details}",
        )

    return call


@pytest.fixture(params=["short", pytest.param("soak", marks=pytest.mark.soak)])
def trials(request):
    """Chooses between the number of trials of a submission and that of ``make soak``."""
    return lambda short, soak: soak if request.param == "soak" else short
