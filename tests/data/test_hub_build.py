"""A build from the hub through the command line, in a process that knows the address of our own hub."""

import json
import os
import subprocess
import sys

import pytest

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.training import train_tokenizer

from .hub_server import serving
from .test_hub import CORPUS, texts


@pytest.fixture
def build(tmp_path):
    pytest.importorskip("datasets")
    train_tokenizer(iter(texts(60)), TokenizerSettings(), 320).save(tmp_path / "tokenizer")
    with serving() as hub:
        hub.put("owner/corpus", CORPUS)
        environment = os.environ | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home")}
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_TOKEN"):
            environment.pop(name, None)

        def call(source: str) -> subprocess.CompletedProcess:
            sets = [f"data.sources={{web={source}}}", "data.curriculum=[{at=0, weights={web=1}}]"]
            sets += ["training.tokens=20_000", "design.context_length=32", "training.batch_tokens=512"]
            words = [word for item in sets for word in ("--set", item)]
            words += ["--tokenizer", tmp_path / "tokenizer", "--out", tmp_path / "out", "--json"]
            command = [sys.executable, "-m", "smidgen", "data", "build", "quickstart", *map(str, words)]
            return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)

        call.hub = hub
        yield call


def test_a_dataset_becomes_shards_with_its_licence_and_commit(build, tmp_path):
    done = build("{hub='owner/corpus'}")
    assert done.returncode == 0, done.stderr
    entry = json.loads(done.stdout)["sources"]["web"]
    assert sum(entry["documents"].values()) == 5 * 35
    assert entry["licenses"] == ["odc-by"]
    assert entry["dataset"]["id"] == "owner/corpus"
    assert len(entry["dataset"]["commit"]) == 40


def test_errors_of_the_hub_are_one_sentence(build):
    for source, phrase in (
        ("{hub='owner/nothing'}", "owner/nothing"),
        ("{hub='owner/corpus', revision='v9'}", "v9"),
        ("{hub='owner/corpus', split='validation'}", "it has test, train"),
    ):
        done = build(source)
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        assert phrase in done.stderr
        assert "Traceback" not in done.stderr
        assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1
