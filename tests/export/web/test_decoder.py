import base64
import random

import pytest
import torch
from safetensors.torch import save

from smidgen.checkpoints.open_model import config_as_dict
from smidgen.generation.decoding import complete
from smidgen.model.config import PLACE_VOCAB_SIZE
from smidgen.model.digit_features import TokenClass, place_ids, role_ids
from smidgen.recipes.sampling import SamplingSettings

from ..tiny import ARITHMETIC, CLOSING, CONTEXT, DIGITS, farthest, logits_of, random_ids, tiny_model
from .javascript import ask, needs_node

pytestmark = needs_node

SHAPES = {
    "grouped": {},
    "multi-head": {"num_heads": 5, "num_kv_heads": 5, "head_dim": 4},
    # No width a multiple of four.
    "odd widths": {"num_heads": 5, "num_kv_heads": 1, "head_dim": 10, "intermediate_size": 21, "vocab_size": 291},
    "own head": {"tie_embeddings": False},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "large epsilon": {"rms_norm_eps": 0.5},
    "xsa": {"xsa": True},
    "norms of heads": {"qk_norm": True},
    "norms of heads of odd width": {"qk_norm": True, "num_heads": 5, "num_kv_heads": 1, "head_dim": 10},
    "digit features": DIGITS,
    "soft-cap": {"logit_softcap": 1.5},
    "everything": {"xsa": True, **DIGITS, "attention_bias": True, "mlp_bias": True, "tie_embeddings": False},
}
OPEN = """
const [{ Decoder }, { readSafetensors }, { SlidingWindow, complete }] =
  await Promise.all(["decoder", "safetensors", "completion"].map(at));
const tensors = readSafetensors(Uint8Array.from(Buffer.from(given.weights, "base64")).buffer);
const decoder = new Decoder(given.config, tensors, { allowVectors: given.vectors ?? true });
"""
LOGITS = """
return [decoder.products.hasVectors, given.rows.map((ids) => {
  const all = [];
  decoder.rewind(0);
  decoder.read(ids, (position, logits) => all.push([...logits]));
  return all;
})];
"""
GREEDY = """
const settings = { temperature: 0, repetition_penalty: 1, no_repeat_ngram_size: 0, max_new_tokens: 40 };
const written = (ids) => [...complete(new SlidingWindow(decoder), ids, settings, 0, new Set())];
return given.rows.map((ids) => written(ids).map(({ id }) => id));
"""


def asked(model, script, folder, **given):
    weights = save({name: tensor.contiguous() for name, tensor in model.decoder.state_dict().items()})
    given = {"config": config_as_dict(model.config), "weights": base64.b64encode(weights).decode(), **given}
    return ask(OPEN + script, given, folder)


@pytest.mark.parametrize("vectors", [True, False], ids=["with vectors", "plain"])
@pytest.mark.parametrize("shape", SHAPES)
def test_logits_are_those_of_pytorch(shape, vectors, tmp_path):
    model = tiny_model(ARITHMETIC, **SHAPES[shape])
    rows = random_ids(3, CONTEXT)
    has_vectors, answer = asked(model, LOGITS, tmp_path, rows=rows.tolist(), vectors=vectors)
    assert has_vectors == vectors
    # What was measured is 1.2e-5 at most, among logits of up to 8; an export allows 1e-4 for each unit of them.
    assert farthest(torch.tensor(answer), logits_of(model.decoder, rows)) < 3e-5


def test_closing_digits_are_digits(tmp_path):
    model = tiny_model(CLOSING, **DIGITS)
    rows = torch.tensor([model.tokenizer.encode("12 + 34 = 46\n(7")])
    _, answer = asked(model, LOGITS, tmp_path, rows=rows.tolist())
    assert farthest(torch.tensor(answer), logits_of(model.decoder, rows)) < 3e-5


def test_a_wrong_rotation_would_show(tmp_path):
    model = tiny_model()
    rows = random_ids(1, CONTEXT)
    config = {**config_as_dict(model.config), "rope_theta": 2600.0}
    _, answer = asked(model, LOGITS, tmp_path, rows=rows.tolist(), config=config)
    assert farthest(torch.tensor(answer), logits_of(model.decoder, rows)) > 1e-3


@pytest.mark.parametrize("shape", ["grouped", "everything"])
def test_greedy_text_is_that_of_pytorch_far_beyond_the_context(shape, tmp_path):
    model = tiny_model(ARITHMETIC, **SHAPES[shape])
    # The last are longer than the context, which then keeps its newest tokens.
    rows = [*random_ids(4, 7).tolist(), [3], *random_ids(2, 2 * CONTEXT + 1, seed=1).tolist()]
    settings = SamplingSettings(temperature=0, max_new_tokens=40)
    expected = [complete(model.decoder, ids, settings).token_ids for ids in rows]
    assert asked(model, GREEDY, tmp_path, rows=rows) == expected


def test_tokens_one_by_one_give_the_logits_of_all_at_once(tmp_path):
    model = tiny_model(ARITHMETIC, **SHAPES["everything"])
    script = """
    const last = [...decoder.read(given.ids)];
    decoder.rewind(5);
    for (let end = 6; end <= given.ids.length; end++) decoder.read(given.ids.slice(0, end));
    decoder.rewind(given.ids.length - 1);
    return [last, [...decoder.read(given.ids)]];
    """
    [ids] = random_ids(1, CONTEXT).tolist()
    at_once, one_by_one = asked(model, script, tmp_path, ids=ids)
    assert at_once == one_by_one


def test_attention_is_a_share_for_every_token_seen(tmp_path):
    model = tiny_model(ARITHMETIC, **SHAPES["xsa"])
    script = """
    const { attention } = await at("attention");
    return attention(decoder, new SlidingWindow(decoder), given.ids);
    """
    [ids] = random_ids(1, CONTEXT + 3).tolist()
    answer = asked(model, script, tmp_path, ids=ids)
    weights = torch.tensor(answer["weights"])
    assert answer["first"] == 3
    assert weights.shape == (model.config.num_layers, model.config.num_heads, CONTEXT)
    assert farthest(weights.sum(dim=-1), torch.ones(weights.shape[:2])) < 1e-5


def test_places_and_roles_are_those_of_the_model(tmp_path):
    draw = random.Random(2)
    classes = list(map(int, TokenClass))
    # Equations come about by chance when what breaks them is rare.
    weights = [2, 12, 3, 2, 5, 2, 2, 4, 8, 1]
    rows = [draw.choices(classes, weights, k=80) for _ in range(3000)]
    script = """
    const { placesAndRoles } = await at("digit_features");
    return given.rows.map(placesAndRoles).map(({ places, roles }) => [[...places], [...roles]]);
    """
    six_operands = [*[int(TokenClass.DIGIT), int(TokenClass.OPERATOR)] * 5, *[int(TokenClass.DIGIT)] * 70]
    class_BS = torch.tensor([*rows, six_operands])
    answer = torch.tensor(ask(script, {"rows": class_BS.tolist()}, tmp_path))
    assert torch.equal(answer[:, 0], place_ids(class_BS))
    assert torch.equal(answer[:, 1], role_ids(class_BS))
    assert answer[:, 0].max() == PLACE_VOCAB_SIZE - 1
    assert len(answer[:, 1].unique()) == 12


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_every_type_of_weight_is_read(dtype, tmp_path):
    values = torch.tensor([[0.0, -1.5, 3.14159], [65504.0, 6e-5, -2e-7]]).to(dtype)
    script = """
    const { readSafetensors } = await at("safetensors");
    const { shape, values } = readSafetensors(Uint8Array.from(Buffer.from(given, "base64")).buffer).get("w");
    return [shape, [...values]];
    """
    shape, found = ask(script, base64.b64encode(save({"w": values})).decode(), tmp_path)
    assert shape == [2, 3]
    assert found == values.float().flatten().tolist()


def test_damaged_weights_are_refused_with_a_sentence(tmp_path):
    whole = save({"w": torch.ones(3, 4)})
    files = [b"", whole[:5], whole[:30], whole[:-1], b"\xff" * 8 + whole[8:], whole[:20] + b"\xff" + whole[21:]]
    script = """
    const { readSafetensors } = await at("safetensors");
    return given.map((file) => {
      try {
        readSafetensors(Uint8Array.from(Buffer.from(file, "base64")).buffer);
        return null;
      } catch (error) {
        return error.message;
      }
    });
    """
    messages = ask(script, [base64.b64encode(file).decode() for file in files], tmp_path)
    assert all("the file of weights" in message for message in messages)
