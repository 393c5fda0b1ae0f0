"""Files that are not what they say."""

import struct

import numpy as np
import pytest

from smidgen.checkpoints.gguf.container import KINDS, read_gguf
from smidgen.checkpoints.open_model import open_model
from smidgen.design.gguf.blocks import BLOCKS
from smidgen.errors import BadInput

from ..mutation import MOST_SECONDS, check_mutations
from .written import gguf_bytes, llama


@pytest.fixture(scope="module")
def content():
    return gguf_bytes(*llama())


def refusal(tmp_path, content):
    path = tmp_path / "file.gguf"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read_gguf(path)
    return str(caught.value).removeprefix(f"{path} ")


def test_settings_and_tensors_are_read_as_written(tmp_path):
    settings = {"a": 7, "b": 0.5, "c": True, "d": "é", "e": [1, 2, 3], "f": ["x", ""], "g": [0.25]}
    values = np.arange(6.0).reshape(2, 3)
    (tmp_path / "x.gguf").write_bytes(gguf_bytes(settings, {"t": values, "u": np.ones(5)}))
    file = read_gguf(tmp_path / "x.gguf")
    assert file.settings == settings
    assert (file.tensors["t"].kind, file.tensors["t"].shape, file.tensors["u"].shape) == ("F32", (2, 3), (5,))
    assert np.frombuffer(file.numbers("t"), np.float32).tolist() == values.reshape(-1).tolist()


def test_every_type_has_the_number_of_the_gguf_package():
    gguf = pytest.importorskip("gguf")
    assert {gguf.GGMLQuantizationType[name].value: name for name in BLOCKS} == KINDS


@pytest.mark.parametrize("length", [0, 3, 4, 8, 23, 24, 30, 500])
def test_a_file_that_ends_early_is_refused(tmp_path, content, length):
    assert "read" in refusal(tmp_path, content[:length]) or "used" in refusal(tmp_path, content[:length])


def test_numbers_that_are_cut_off_are_noticed(tmp_path, content):
    assert "ends beyond the file" in refusal(tmp_path, content[:-32])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gguf_bytes({}, {}, magic=b"GGML"), "does not begin with the letters GGUF"),
        (gguf_bytes({}, {}, version=1), "has version 1"),
        (gguf_bytes({}, {}, version=0x3000000), "versions 2 and 3, little-endian"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**63), "announces 9,223,372,036,854,775,808 settings"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**40, 0), "tensors, more than it has bytes for"),
        (gguf_bytes({"k": "v"}, {})[:-40] + struct.pack("<Q", 2**62), "more than it has bytes for"),
        (gguf_bytes({"general.alignment": 7}, {}), "general.alignment is 7"),
        (gguf_bytes({}, {"t": np.ones((1, 1, 1, 1, 2))}), "5 dimensions"),
        (gguf_bytes({}, {"t": np.ones((0, 4))}), "no whole blocks"),
    ],
)
def test_damage_is_named(tmp_path, content, reason):
    assert reason in refusal(tmp_path, content)


def test_what_is_named_twice_is_refused(tmp_path):
    content = gguf_bytes({"key.one": 1, "key.two": 2}, {}).replace(b"key.two", b"key.one")
    assert "names 'key.one' twice" in refusal(tmp_path, content)


def test_an_unknown_type_of_number_is_refused(tmp_path):
    content = gguf_bytes({}, {"t": np.ones(32)})
    # The type stands before the offset of eight bytes, at the end of the entries.
    place = content.index(struct.pack("<IQ", 1, 32)) + 12
    changed = content[:place] + struct.pack("<I", 99) + content[place + 4 :]
    assert "type 99" in refusal(tmp_path, changed)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_gguf(tmp_path / "none.gguf")
    with pytest.raises(BadInput, match="no such folder"):
        open_model(tmp_path / "none.gguf")


def _check_mutations(tmp_path, content, count):
    """Only a clean error, or a model; never more time or memory than is allowed."""
    path = tmp_path / "mutated.gguf"
    path.write_bytes(content)
    return check_mutations(lambda: open_model(path), path, range(4, read_gguf(path).start), count)


def test_mutated_headers_give_a_clean_error_or_a_model(tmp_path, content):
    open_model_once(tmp_path, content)
    assert _check_mutations(tmp_path, content, 6_000) < MOST_SECONDS


@pytest.mark.soak
def test_many_mutated_headers_give_a_clean_error_or_a_model(tmp_path, content):
    open_model_once(tmp_path, content)
    assert _check_mutations(tmp_path, content, 300_000) < MOST_SECONDS


def open_model_once(tmp_path, content):
    """What is imported on first use does not count."""
    path = tmp_path / "whole.gguf"
    path.write_bytes(content)
    open_model(path)
