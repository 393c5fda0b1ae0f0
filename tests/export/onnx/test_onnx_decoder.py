import numpy as np
import pytest
import torch

from smidgen.errors import BadInput

from ..tiny import CONTEXT, farthest, logits_of, random_ids

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from smidgen.export.onnx.onnx_decoder import OnnxDecoder  # noqa: E402


@pytest.fixture(scope="module")
def decoder(exported):
    return OnnxDecoder(exported[0] / "model.onnx")


def theirs(decoder, ids_BS, ends, mask_BS=None):
    """Logits of reading up to each end in turn."""
    parts, past = [], None
    for end in ends:
        mask = None if mask_BS is None else mask_BS[:, :end].numpy()
        logits_BTV, past = decoder.read(ids_BS[:, :end].numpy(), past, mask)
        parts.append(torch.from_numpy(logits_BTV))
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("tokens", [1, 2, 3, 8, CONTEXT])
def test_a_text_at_once_gives_the_same_logits(model, decoder, rows, tokens):
    ids_BS = random_ids(rows, tokens, seed=tokens)
    assert farthest(theirs(decoder, ids_BS, [tokens]), logits_of(model.decoder, ids_BS)) < 1e-5


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("ends", [range(1, CONTEXT + 1), (5, 6, 7, CONTEXT), (1, CONTEXT - 1, CONTEXT)])
def test_a_text_in_pieces_from_the_cache_gives_the_same_logits(model, decoder, rows, ends):
    ids_BS = random_ids(rows, CONTEXT, seed=rows)
    assert farthest(theirs(decoder, ids_BS, ends), logits_of(model.decoder, ids_BS)) < 1e-5


@pytest.mark.parametrize("seed", range(8))
def test_equations_have_their_features_token_by_token(model, decoder, seed):
    digits = model.config.digit_token_ids
    likely = torch.tensor([*digits.digits, *digits.operators, *digits.spaces, digits.equals, *digits.line_starts])
    ids_1S = likely[torch.randint(len(likely), (1, CONTEXT), generator=torch.Generator().manual_seed(seed))]
    expected = logits_of(model.decoder, ids_1S)
    assert farthest(theirs(decoder, ids_1S, range(1, CONTEXT + 1)), expected) < 1e-5


@pytest.mark.parametrize("padding", [(0, 3, 9), (2, 0), (CONTEXT - 2,)])
def test_padding_on_the_left_changes_nothing(model, decoder, padding):
    ids_BS = random_ids(len(padding), CONTEXT)
    mask_BS = (torch.arange(CONTEXT) >= torch.tensor(padding)[:, None]).long()
    logits_BSV = theirs(decoder, ids_BS, (CONTEXT - 3, CONTEXT - 2, CONTEXT - 1, CONTEXT), mask_BS)
    for row, pad in enumerate(padding):
        alone_1SV = logits_of(model.decoder, ids_BS[row : row + 1, pad:])
        assert farthest(logits_BSV[row : row + 1, pad:], alone_1SV) < 1e-5


def test_more_tokens_than_the_context_are_refused(decoder):
    with pytest.raises(BadInput, match=f"{CONTEXT + 1} tokens are more than this model's context of {CONTEXT}"):
        decoder.read(np.zeros((1, CONTEXT + 1), np.int64))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"model\.onnx cannot be read: No such file"):
        OnnxDecoder(tmp_path / "model.onnx")


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.999])
def test_a_truncated_file_is_refused(exported, tmp_path, kept):
    content = (exported[0] / "model.onnx").read_bytes()
    path = tmp_path / "model.onnx"
    path.write_bytes(content[: int(kept * len(content)) if kept < 1 else kept])
    with pytest.raises(BadInput, match="cannot load"):
        OnnxDecoder(path)


def test_a_graph_of_others_is_refused(tmp_path):
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "g", [value("x", 1, [1])], [value("y", 1, [1])])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(made, tmp_path / "model.onnx")
    with pytest.raises(BadInput, match=r"no export of Smidgen: its inputs are x"):
        OnnxDecoder(tmp_path / "model.onnx")


def test_weights_in_other_files_are_not_read(exported, tmp_path):
    made = onnx.load(exported[0] / "model.onnx")
    onnx.save(made, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").stat().st_size > 50_000
    with pytest.raises(BadInput, match="cannot load"):
        OnnxDecoder(tmp_path / "model.onnx")
