"""Digit features mean the same in ONNX: for every length and batch, derived from the ids in the graph."""

import io
import warnings

import pytest
import torch

from smidgen.model.digit_features import TokenClass, place_ids, role_ids

from .small_models import DIGITS, farthest, random_ids, small_decoder

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

LENGTHS = range(1, 70)
BATCHES = (1, 2, 3)
# Mostly what equations are made of, so that most lines live for a while.
FREQUENT = (
    [TokenClass.DIGIT] * 6 + [TokenClass.SPACE] * 6 + [TokenClass.MINUS, TokenClass.OPEN, TokenClass.LINE_START]
)


class Features(torch.nn.Module):
    def forward(self, class_BS):
        return place_ids(class_BS), role_ids(class_BS)


class WithHistory(torch.nn.Module):
    """A decoder as an export calls it: all ids so far and their mask."""

    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, ids_BS, mask_BS):
        return self.decoder(ids_BS, attention_mask_BS=mask_BS)


def in_onnx(module, *examples):
    """The module as a function of arrays; an example has a batch of 2, because the exporter takes 1 for fixed."""
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    with warnings.catch_warnings():
        # The exporter's own use of what torch and Python will drop.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module, examples, dynamo=True, dynamic_shapes=(axes,) * len(examples), verbose=False
        )
    content = io.BytesIO()
    program.save(content)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content.getvalue(), options)
    names = [given.name for given in session.get_inputs()]

    def call(*tensors):
        given = dict(zip(names, (tensor.numpy() for tensor in tensors), strict=True))
        return [torch.as_tensor(array) for array in session.run(None, given)]

    return call


def random_classes(rows, tokens, seed):
    generator = torch.Generator().manual_seed(seed)
    frequent = torch.tensor(FREQUENT)[torch.randint(len(FREQUENT), (rows, tokens), generator=generator)]
    any_BS = torch.randint(len(TokenClass), (rows, tokens), generator=generator)
    return torch.where(torch.rand(rows, tokens, generator=generator) < 0.8, frequent, any_BS)


@pytest.fixture(scope="module")
def features():
    return in_onnx(Features(), random_classes(2, 7, seed=0))


@pytest.mark.parametrize("rows", BATCHES)
def test_places_and_roles_are_the_same_at_every_length(features, rows):
    seen = set()
    for tokens in LENGTHS:
        class_BS = random_classes(rows, tokens, seed=tokens)
        place_BS, role_BS = features(class_BS)
        assert torch.equal(place_BS, place_ids(class_BS))
        assert torch.equal(role_BS, role_ids(class_BS))
        seen |= set(role_BS.unique().tolist())
    assert len(seen) > 5


def test_runs_beyond_the_table_and_texts_beyond_any_context_are_the_same(features):
    class_BS = torch.cat((torch.full((2, 90), int(TokenClass.DIGIT)), random_classes(2, 5000, seed=1)), dim=1)
    for theirs, ours in zip(features(class_BS), (place_ids(class_BS), role_ids(class_BS)), strict=True):
        assert torch.equal(theirs, ours)


@torch.no_grad()
def test_a_whole_model_with_features_gives_the_same_logits():
    decoder = small_decoder(xsa=True, **DIGITS).eval()
    exported = in_onnx(WithHistory(decoder), random_ids(2, 7), torch.ones(2, 7, dtype=torch.long))
    for rows in BATCHES:
        for tokens in range(1, 14):
            ids_BS, mask_BS = random_ids(rows, tokens, seed=tokens), torch.ones(rows, tokens, dtype=torch.long)
            mask_BS[0, : tokens // 2] = 0
            [logits_BSV] = exported(ids_BS, mask_BS)
            assert farthest(logits_BSV, decoder(ids_BS, attention_mask_BS=mask_BS)) < 1e-5
