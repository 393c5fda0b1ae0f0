"""One export for all tests, because tracing takes ten seconds: a model with every option of the decoder."""

from dataclasses import replace

import pytest

from smidgen.export.onnx.onnx_export import export_onnx
from smidgen.recipes.sampling import SamplingSettings

from ..tiny import CLOSING, DIGITS, tiny_model

ADVICE = SamplingSettings(temperature=0.7, top_p=0.9)
EVERYTHING = {
    "xsa": True,
    "qk_norm": True,
    **DIGITS,
    "attention_bias": True,
    "mlp_bias": True,
    "tie_embeddings": False,
    "logit_softcap": 4.0,
}


@pytest.fixture(scope="session")
def model():
    return replace(tiny_model(CLOSING, **EVERYTHING), sampling=ADVICE)


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    """The folder and the record of an export of ``model``."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    folder = tmp_path_factory.mktemp("onnx") / "out"
    return folder, export_onnx(model, folder)
