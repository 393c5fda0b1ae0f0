import numpy as np
import pytest
import torch

from smidgen.export.onnx.graph import DecodingStep, _restore_frequencies
from smidgen.model.rope import rotary_frequencies

from ..tiny import CONTEXT, farthest, logits_of, random_ids
from .traced import empty_past


@torch.no_grad()
@pytest.mark.parametrize("chunks", [(CONTEXT,), (1,) * 7, (5, 1, 1, 3)])
def test_a_step_without_state_computes_what_the_decoder_does(model, chunks):
    step, ids_BS = DecodingStep(model.decoder), random_ids(3, sum(chunks))
    past, parts, end = empty_past(model, rows=3), [], 0
    for chunk in chunks:
        end += chunk
        logits_BTV, past = step(ids_BS[:, :end], torch.ones(3, end, dtype=torch.long), past)
        parts.append(logits_BTV)
    assert past.shape == (2, 2, 3, 3, sum(chunks), 8)
    assert farthest(torch.cat(parts, dim=1), logits_of(model.decoder, ids_BS)) < 1e-5


@torch.no_grad()
def test_a_step_without_new_tokens_is_refused(model):
    ids_BS = random_ids(2, 4)
    _, past = DecodingStep(model.decoder)(ids_BS, torch.ones_like(ids_BS), empty_past(model, rows=2))
    with pytest.raises(RuntimeError):
        DecodingStep(model.decoder)(ids_BS, torch.ones_like(ids_BS), past)


def test_rotary_frequencies_are_those_of_torch_to_the_bit(model):
    onnx = pytest.importorskip("onnx")
    right_R = rotary_frequencies(model.config.head_dim, model.config.rope_theta).numpy()
    given = {
        "last bit": np.nextafter(right_R, np.float32(2)),
        "others": 1.001 * right_R,
        "wide": right_R.astype(np.float64) + 1e-12,
        "column": np.nextafter(right_R, np.float32(2))[:, None],
    }
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in given.items()]
    made = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], initializer=constants))
    _restore_frequencies(made, model.decoder)
    found = {constant.name: onnx.numpy_helper.to_array(constant) for constant in made.graph.initializer}
    assert not np.array_equal(given["last bit"], right_R)
    assert np.array_equal(found["last bit"], right_R)
    for name in ("others", "wide", "column"):
        assert np.array_equal(found[name], given[name])
