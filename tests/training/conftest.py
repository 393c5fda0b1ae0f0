import pytest
import torch

from smidgen.data.training_data import open_data
from smidgen.life.run import run_life
from smidgen.life.stages import Life
from smidgen.records.run_folder import RunFolder
from smidgen.training.trainer import train


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def prepared(tiny_recipe, tmp_path_factory):
    """A run with tokenizer and data, not yet trained."""
    run = RunFolder(tmp_path_factory.mktemp("prepared") / "run")
    run_life(Life(recipe=tiny_recipe, run=run), until="data")
    return run


@pytest.fixture(scope="session")
def training_data(prepared):
    return open_data(prepared.data, None)


@pytest.fixture
def train_in(training_data, tiny_recipe, tmp_path):
    """Train in a folder (by name) on the prepared data; other arguments go to `train`."""

    def call(name="run", recipe=tiny_recipe, data=training_data, **options):
        run = RunFolder(tmp_path / name)
        run.path.mkdir(exist_ok=True)
        return run, train(recipe, run, data, recipe.design, device=torch.device("cpu"), **options)

    return call
