"""The class that remote-code exports bring, as transformers loads it."""

import importlib.util
import json

import pytest
import torch
import torch.nn.functional as F
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache, StaticCache

from smidgen.export.hugging_face import export_hugging_face
from smidgen.generation.decoding import complete
from smidgen.recipes.sampling import SamplingSettings

from .tiny import ARITHMETIC, CONTEXT, DIGITS, VOCAB_SIZE, farthest, logits_of, random_ids, tiny_model

OPTIONS = {
    "xsa": {"xsa": True},
    "digit features": DIGITS,
    "everything": {
        "xsa": True,
        "qk_norm": True,
        **DIGITS,
        "attention_bias": True,
        "mlp_bias": True,
        "tie_embeddings": False,
    },
}
GREEDY = {"do_sample": False, "max_new_tokens": 12}
NEW_TOKENS = 12


class Exported:
    """A model, the folder it was exported to, and what transformers makes of it."""

    def __init__(self, folder, **changes):
        self.folder = folder
        self.model = tiny_model(ARITHMETIC, **changes)
        export_hugging_face(self.model, folder, check=False)
        self.theirs = self.load().eval()

    @property
    def decoder(self):
        return self.model.decoder

    def load(self, **options):
        return AutoModelForCausalLM.from_pretrained(self.folder, trust_remote_code=True, **options)

    def encode(self, text):
        return torch.tensor([self.model.tokenizer.encode(text)])

    def greedy(self, ids_1T):
        stops = {self.model.tokenizer.special_ids[name] for name in ("eos", "end_of_text")}
        settings = SamplingSettings(temperature=0, max_new_tokens=NEW_TOKENS)
        return complete(self.decoder, ids_1T[0].tolist(), settings, stop_ids=stops).token_ids


@pytest.fixture(scope="module", params=OPTIONS)
def exported(request, tmp_path_factory):
    return Exported(tmp_path_factory.mktemp("exports") / "out", **OPTIONS[request.param])


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return Exported(tmp_path_factory.mktemp("exports") / "out", **OPTIONS["everything"])


def equations(exported, *texts):
    """Rows of equal length, so that digit features have something to say."""
    rows = [exported.encode(text)[0] for text in texts]
    assert len({len(row) for row in rows}) == 1
    return torch.stack(rows)


def padded_left(rows, pad_id):
    longest = max(row.shape[1] for row in rows)
    ids_BT = torch.cat([F.pad(row, (longest - row.shape[1], 0), value=pad_id) for row in rows])
    mask_BT = torch.cat([F.pad(torch.ones_like(row), (longest - row.shape[1], 0)) for row in rows])
    return ids_BT, mask_BT


@torch.inference_mode()
def test_it_computes_our_logits_beyond_the_context_too(exported):
    ids_BT = equations(exported, "12 + 34 = 46\n(7 - 10) * 3 =", "77 + 10 = 87\n(9 - 11) * 8 =")
    assert farthest(exported.theirs(ids_BT).logits, logits_of(exported.decoder, ids_BT)) < 1e-6
    ids_BT = random_ids(2, 2 * CONTEXT)
    assert farthest(exported.theirs(ids_BT).logits, logits_of(exported.decoder, ids_BT)) < 1e-6


def test_xsa_and_digit_features_change_the_logits(full):
    """Otherwise none of these tests could notice that they are missing."""
    ids_BT = full.encode("12 + 34 =")
    for missing in ({"xsa": False}, {"place_vocab_size": 0, "role_vocab_size": 0}):
        config = AutoConfig.from_pretrained(full.folder, trust_remote_code=True)
        config.smidgen = {**config.smidgen, **missing}
        other = AutoModelForCausalLM.from_config(config, trust_remote_code=True).eval()
        other.load_state_dict(full.theirs.state_dict(), strict=False)
        assert farthest(other(ids_BT).logits, full.theirs(ids_BT).logits) > 1e-2


def test_the_loss_is_the_mean_over_next_tokens_and_reaches_every_weight(exported):
    ids_BT = equations(exported, "12 + 34 = 46\n(7 - 10)", "77 + 10 = 87\n(9 - 11)")
    labels_BT = ids_BT.clone()
    labels_BT[0, :3] = -100
    model = exported.load()
    output = model(ids_BT, labels=labels_BT)
    expected = F.cross_entropy(output.logits[:, :-1].flatten(0, 1), labels_BT[:, 1:].flatten())
    assert output.loss.item() == pytest.approx(expected.item(), abs=1e-6)
    output.loss.backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


@torch.inference_mode()
@pytest.mark.parametrize("parts", [[1] * 11, [4, 1, 6], [10, 1]], ids=str)
def test_tokens_from_the_cache_give_the_logits_of_the_whole_text(exported, parts):
    ids_BT = equations(exported, "12+34=46\n7*", "77+10=87\n9-")[:, : sum(parts)]
    cache, logits, end = DynamicCache(), [], 0
    for part in parts:
        start, end = end, end + part
        output = exported.theirs(ids_BT[:, start:end], past_key_values=cache, history_ids=ids_BT[:, :end])
        logits.append(output.logits)
    assert output.past_key_values is cache
    assert farthest(torch.cat(logits, dim=1), logits_of(exported.decoder, ids_BT)) < 1e-5


@torch.inference_mode()
def test_positions_can_be_given(full):
    ids_BT, positions_BT = random_ids(2, 5), torch.tensor([[0, 1, 2, 3, 4], [7, 2, 9, 1, 0]])
    logits_BTV = full.theirs(ids_BT, position_ids=positions_BT).logits
    assert farthest(logits_BTV, full.decoder(ids_BT, position_ids_BT=positions_BT)) < 1e-6
    assert farthest(logits_BTV[1], full.theirs(ids_BT).logits[1]) > 1e-2


@torch.inference_mode()
def test_the_loss_can_be_divided_by_the_tokens_of_several_batches(full):
    ids_BT = random_ids(2, 9)
    mean = full.theirs(ids_BT, labels=ids_BT).loss.item()
    divided = full.theirs(ids_BT, labels=ids_BT, num_items_in_batch=torch.tensor(80)).loss.item()
    assert divided == pytest.approx(mean * 16 / 80, rel=1e-5)
    assert full.theirs.accepts_loss_kwargs


@torch.inference_mode()
def test_digit_features_refuse_a_filled_cache_without_the_history(full):
    ids_1T = full.encode("12 + 34")
    cache = full.theirs(ids_1T).past_key_values
    with pytest.raises(ValueError, match="also give history_ids"):
        full.theirs(full.encode("5"), past_key_values=cache)


@torch.inference_mode()
@pytest.mark.parametrize("pad", ["<pad>", "7", "+", "t"])
def test_padding_on_the_left_changes_nothing_whatever_the_padding_is(exported, pad):
    tokenizer = exported.model.tokenizer
    pad_id = tokenizer.special_ids["pad"] if pad == "<pad>" else tokenizer.encode(pad)[0]
    rows = [exported.encode(text) for text in ("34 =", "12 + 34 = 46\n(7 - 10) =", "the cats")]
    ids_BT, mask_BT = padded_left(rows, pad_id)
    logits_BTV = exported.theirs(ids_BT, attention_mask=mask_BT).logits
    for row, logits_TV in zip(rows, logits_BTV, strict=True):
        assert farthest(logits_TV[None, -row.shape[1] :], logits_of(exported.decoder, row)) < 1e-5


@pytest.mark.parametrize("use_cache", [True, False])
def test_greedy_generation_writes_what_we_write(exported, use_cache):
    lengths = []
    for text in ("12 + 34 =", "The cats sat", "2024 / 4 = "):
        ids_1T = exported.encode(text)[:, : CONTEXT - NEW_TOKENS]
        written = exported.theirs.generate(ids_1T, use_cache=use_cache, **GREEDY)
        expected = exported.greedy(ids_1T)
        assert written[0, ids_1T.shape[1] :][: len(expected)].tolist() == expected
        lengths.append(len(expected))
    assert max(lengths) == NEW_TOKENS


def test_a_padded_batch_generates_what_each_text_generates_alone(exported):
    rows = [exported.encode(text) for text in ("34 =", "12 + 3 =", "the cats")]
    ids_BT, mask_BT = padded_left(rows, exported.model.tokenizer.special_ids["pad"])
    written = exported.theirs.generate(ids_BT, attention_mask=mask_BT, **GREEDY)
    for row, new in zip(rows, written[:, ids_BT.shape[1] :], strict=True):
        expected = exported.greedy(row)
        assert new[: len(expected)].tolist() == expected


@pytest.mark.parametrize(
    "settings",
    [
        {
            "max_new_tokens": 40,
            "temperature": 0.8,
            "top_p": 0.95,
            "repetition_penalty": 1.1,
            "no_repeat_ngram_size": 4,
        },
        {"max_new_tokens": 15, "temperature": 0.3, "top_p": 0.85, "repetition_penalty": 2.5},
    ],
    ids=["GPT-S-5M", "Ant-5M"],
)
def test_the_settings_of_the_cards_are_obeyed(exported, settings):
    ids_1T = exported.encode("12 + 34 =")
    torch.manual_seed(0)
    with torch.inference_mode():
        written = exported.theirs.generate(input_ids=ids_1T, do_sample=True, eos_token_id=None, **settings)
    assert written.shape[1] == ids_1T.shape[1] + settings["max_new_tokens"]
    if size := settings.get("no_repeat_ngram_size"):
        ngrams = [tuple(window) for window in written[0].unfold(0, size, 1).tolist()]
        assert len(set(ngrams)) == len(ngrams)


def test_beams_keep_their_own_history_in_the_cache(exported):
    rows = [exported.encode(text) for text in ("34 =", "12 + 3 =")]
    ids_BT, mask_BT = padded_left(rows, exported.model.tokenizer.special_ids["pad"])
    beams = {"attention_mask": mask_BT, "num_beams": 3, "num_return_sequences": 3, **GREEDY}
    cached = exported.theirs.generate(ids_BT, **beams)
    assert torch.equal(cached, exported.theirs.generate(ids_BT, use_cache=False, **beams))
    assert len({tuple(row) for row in cached.tolist()}) > 2


@torch.inference_mode()
def test_no_attention_implementation_switches_anything_off(exported):
    ids_BT = random_ids(2, 9)
    for name in ("eager", "sdpa"):
        loaded = exported.load(attn_implementation=name).eval()
        assert torch.equal(loaded(ids_BT).logits, exported.theirs(ids_BT).logits)
    with pytest.raises(ValueError, match="flex_attention"):
        exported.load(attn_implementation="flex_attention")


@torch.inference_mode()
def test_bfloat16_stays_close(exported):
    model = exported.load(dtype=torch.bfloat16).eval()
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    ids_BT = random_ids(2, 9)
    logits_BTV = model(ids_BT).logits
    assert logits_BTV.dtype == torch.bfloat16
    # Eight bits of mantissa, through two layers.
    expected_BTV = logits_of(exported.decoder, ids_BT)
    assert 0 < farthest(logits_BTV.float(), expected_BTV) < 0.05 * expected_BTV.abs().max()
    assert exported.theirs.dtype == torch.float32


@pytest.mark.skipif(importlib.util.find_spec("accelerate") is None, reason="device_map needs accelerate")
def test_it_can_be_placed_automatically(full):
    model = full.load(device_map="auto", dtype=torch.bfloat16)
    assert model.generate(full.encode("12 +").to(model.device), **GREEDY).shape[0] == 1


@torch.inference_mode()
def test_only_the_logits_asked_for_are_computed(full):
    ids_BT = random_ids(2, 9)
    every = full.theirs(ids_BT).logits
    assert torch.equal(full.theirs(ids_BT, logits_to_keep=3).logits, every[:, -3:])
    assert torch.equal(full.theirs(ids_BT, logits_to_keep=torch.tensor([1, 5])).logits, every[:, [1, 5]])


@torch.inference_mode()
def test_the_output_can_be_a_tuple_and_the_cache_left_out(full):
    ids_BT = random_ids(2, 9)
    as_tuple = full.theirs(ids_BT, labels=ids_BT, use_cache=False, return_dict=False)
    output = full.theirs(ids_BT, labels=ids_BT)
    assert len(as_tuple) == 2
    assert torch.equal(as_tuple[0], output.loss)
    assert torch.equal(as_tuple[1], output.logits)
    assert output.past_key_values.get_seq_length() == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs_embeds": torch.zeros(1, 3, 30)}, "give input_ids"),
        ({}, "give input_ids"),
        ({"input_ids": random_ids(1, 3), "output_attentions": True}, "are not returned"),
        ({"input_ids": random_ids(1, 3), "output_hidden_states": True}, "are not returned"),
        ({"input_ids": random_ids(1, 3), "attention_mask": torch.ones(1, 1, 3, 3)}, "attention_mask has 4 axes"),
    ],
)
def test_what_would_be_ignored_or_wrong_is_refused(full, arguments, message):
    with pytest.raises(ValueError, match=message):
        full.theirs(**arguments)


def test_an_unknown_argument_is_an_error(full):
    with pytest.raises(TypeError, match="place_ids"):
        full.theirs(random_ids(1, 3), place_ids=random_ids(1, 3))


def test_a_cache_of_fixed_size_is_refused(full):
    cache = StaticCache(config=full.theirs.config, max_cache_len=CONTEXT)
    with pytest.raises(ValueError, match="fixed size"):
        full.theirs(random_ids(1, 3), past_key_values=cache)


def test_the_vocabulary_cannot_be_resized(full):
    with pytest.raises(NotImplementedError, match="cannot be resized"):
        full.theirs.resize_token_embeddings(VOCAB_SIZE + 1)


@torch.inference_mode()
def test_saving_with_transformers_and_loading_again_changes_nothing(exported, tmp_path):
    exported.theirs.save_pretrained(tmp_path / "again")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "again", trust_remote_code=True).eval()
    ids_BT = random_ids(2, 9)
    assert torch.equal(again(ids_BT).logits, exported.theirs(ids_BT).logits)
    assert again.config.smidgen == exported.theirs.config.smidgen


def test_a_fresh_model_of_the_same_shape_knows_its_digits(full):
    config = AutoConfig.from_pretrained(full.folder, trust_remote_code=True)
    fresh = AutoModelForCausalLM.from_config(config, trust_remote_code=True)
    assert torch.equal(fresh.model.digit_features.class_V, full.decoder.digit_features.class_V)
    assert len(full.decoder.digit_features.class_V.unique()) > 5


def test_the_standard_names_of_the_shape_are_there_for_tools(full):
    config = AutoConfig.from_pretrained(full.folder, trust_remote_code=True)
    assert (config.num_hidden_layers, config.num_key_value_heads, config.max_position_embeddings) == (2, 3, CONTEXT)
    assert config.tie_word_embeddings is False


@pytest.mark.parametrize("name", ["num_hidden_layers", "rms_norm_eps", "vocab_size"])
def test_a_shape_edited_in_one_place_only_is_refused(full, tmp_path, name):
    values = json.loads((full.folder / "config.json").read_text(encoding="utf-8"))
    for path in full.folder.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({**values, name: 2 * values[name]}), encoding="utf-8")
    with pytest.raises(ValueError, match=f"states another {name}"):
        AutoConfig.from_pretrained(tmp_path, trust_remote_code=True)


def test_a_configuration_without_our_part_is_refused(full, tmp_path):
    values = json.loads((full.folder / "config.json").read_text(encoding="utf-8"))
    del values["smidgen"]
    for path in full.folder.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(values), encoding="utf-8")
    config = AutoConfig.from_pretrained(tmp_path, trust_remote_code=True)
    with pytest.raises(ValueError, match='no "smidgen" part'):
        AutoModelForCausalLM.from_config(config, trust_remote_code=True)
