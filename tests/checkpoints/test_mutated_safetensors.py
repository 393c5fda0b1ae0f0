"""Weights of a Hugging Face folder whose header says something else than it did."""

import pytest

from smidgen.checkpoints.open_model import open_model
from smidgen.export.hugging_face import export_hugging_face
from smidgen.records import manifest

from ..export.tiny import ARITHMETIC, DIGITS, tiny_model
from .mutation import MOST_SECONDS, check_mutations


@pytest.fixture(params=["stock", "remote code"])
def folder(request, tmp_path):
    """An export without its hashes, which would notice every change."""
    changes = {} if request.param == "stock" else {"xsa": True, **DIGITS}
    export_hugging_face(tiny_model(ARITHMETIC, **changes), tmp_path / "out", check=False)
    (tmp_path / "out" / manifest.FILES_NAME).unlink()
    # What is imported on first use does not count.
    open_model(tmp_path / "out")
    return tmp_path / "out"


def check(folder, count):
    path = folder / "model.safetensors"
    length = int.from_bytes(path.read_bytes()[:8], "little")
    assert check_mutations(lambda: open_model(folder), path, range(8 + length), count) < MOST_SECONDS


def test_mutated_headers_give_a_clean_error_or_a_model(folder):
    check(folder, 2_000)


@pytest.mark.soak
def test_many_mutated_headers_give_a_clean_error_or_a_model(folder):
    check(folder, 150_000)
