import shutil
from dataclasses import replace

import pytest
import torch

from smidgen.errors import CheckFailed
from smidgen.export.onnx.read_back import check_onnx
from smidgen.model.decoder import Decoder

from ..tiny import CLOSING, PLAIN, tiny_model, tokenizer
from .conftest import EVERYTHING


def test_the_export_of_a_model_agrees_with_it(model, exported):
    found = check_onnx(exported[0], model)
    assert 0 < found.max_abs_logit_diff < 1e-5
    assert found.kl < 1e-9
    assert found.top1 == 1


@pytest.mark.parametrize(
    "changes",
    [{"rope_theta": 2_600.0}, {"xsa": False}, {"rms_norm_eps": 1e-3}, {"logit_softcap": 5.0}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_export_of_another_model_is_noticed(exported, changes):
    other = tiny_model(CLOSING, **{**EVERYTHING, **changes})
    with pytest.raises(CheckFailed, match="other logits"):
        check_onnx(exported[0], other)


def test_other_digit_features_are_noticed(model, exported):
    ids = model.config.digit_token_ids
    swapped = replace(ids, equals=ids.open_parenthesis, open_parenthesis=ids.equals)
    decoder = Decoder(replace(model.config, digit_token_ids=swapped)).eval()
    decoder.load_state_dict(model.decoder.state_dict())
    with pytest.raises(CheckFailed, match="other logits"):
        check_onnx(exported[0], replace(model, decoder=decoder))


def test_a_weight_that_is_not_a_number_is_noticed(model, exported):
    decoder = Decoder(model.config).eval()
    decoder.load_state_dict(model.decoder.state_dict())
    with torch.no_grad():
        decoder.norm.weight[0] = float("nan")
    with pytest.raises(CheckFailed, match="other logits"):
        check_onnx(exported[0], replace(model, decoder=decoder))


def test_another_tokenizer_is_noticed(model, exported, tmp_path):
    shutil.copytree(exported[0], tmp_path / "out")
    tokenizer(PLAIN).save(tmp_path / "out")
    with pytest.raises(CheckFailed, match=r"tokenizer\.json gives"):
        check_onnx(tmp_path / "out", model)
