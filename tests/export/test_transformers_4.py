"""Version 4 of transformers, in an environment of its own, computes our logits from what version 5 reads as well."""

import sys
from pathlib import Path

import pytest
import safetensors
import torch

import smidgen
from smidgen.export import read_back
from smidgen.export.hugging_face import export_hugging_face

from .tiny import ARITHMETIC, DIGITS, PLAIN, RULES, tiny_model

# Made by `make readers`. It has no torch: the one here is found after everything that lies there.
TRANSFORMERS_4 = Path(sys.prefix, "transformers-4", "bin", "python")
READER = """
import runpy, sys
sys.path += {folders}
import transformers
assert transformers.__version__.startswith("4."), transformers.__version__
runpy.run_module("smidgen.export.transformers_reader", run_name="__main__")
"""
FOLDERS = [str(Path(module.__file__).parents[1]) for module in (torch, safetensors, smidgen)]
SHAPES = {
    "stock": (PLAIN, {}),
    "stock with text rules": (RULES, {"attention_bias": True, "mlp_bias": True, "tie_embeddings": False}),
    "xsa": (PLAIN, {"xsa": True}),
    "everything": (
        ARITHMETIC,
        {"xsa": True, "qk_norm": True, **DIGITS, "logit_softcap": 9.0, "tie_embeddings": False},
    ),
}

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not TRANSFORMERS_4.exists(), reason="needs transformers 4.57: `make readers`"),
]


@pytest.fixture(autouse=True)
def version_4(monkeypatch):
    command = [str(TRANSFORMERS_4), "-P", "-c", READER.format(folders=FOLDERS)]
    monkeypatch.setattr(read_back, "reader_command", lambda: command)


@pytest.mark.parametrize("shape", SHAPES)
def test_version_4_finds_our_ids_texts_and_logits_alone_and_from_the_cache(tmp_path, shape):
    settings, changes = SHAPES[shape]
    parity = export_hugging_face(tiny_model(settings, **changes), tmp_path / "out")["parity"]
    assert parity["max_abs_logit_diff"] < 1e-5
    assert parity["top1"] == 1


def test_version_4_would_notice_another_angle_of_rotation(tmp_path, monkeypatch):
    """Version 5 alone writes no top-level rope_theta, from which version 4 would silently take 10,000."""
    from smidgen.errors import CheckFailed
    from smidgen.export import hugging_face

    right = hugging_face.config_json
    monkeypatch.setattr(
        hugging_face, "config_json", lambda *args: {k: v for k, v in right(*args).items() if k != "rope_theta"}
    )
    with pytest.raises(CheckFailed, match="other logits"):
        export_hugging_face(tiny_model(), tmp_path / "out")
