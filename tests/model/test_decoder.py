import math
import shutil

import pytest
import torch
import torch.nn.functional as F
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder, attention_mask
from smidgen.model.kv_cache import KVCache

from .small_models import DIGITS, OPTIONS, PADDING, SMALL, farthest, random_ids, small_config, small_decoder

LLAMA_SHAPES = {
    "grouped, heads narrower than the model": {},
    "grouped, heads wider than the model": {"num_heads": 10, "num_kv_heads": 5, "head_dim": 6},
    "multi-head": {"num_heads": 5, "num_kv_heads": 5, "head_dim": 4},
    "multi-query": {"num_heads": 5, "num_kv_heads": 1, "head_dim": 10},
    "odd sizes": {
        "vocab_size": 31,
        "hidden_size": 21,
        "num_heads": 7,
        "num_kv_heads": 7,
        "num_layers": 3,
        "head_dim": 2,
        "intermediate_size": 19,
    },
    "biases": {"attention_bias": True, "mlp_bias": True},
    "attention biases only": {"attention_bias": True},
    "theta 2,500": {"rope_theta": 2_500.0},
    "own head": {"tie_embeddings": False},
    "large epsilon": {"rms_norm_eps": 0.5},
    "everything": {"attention_bias": True, "mlp_bias": True, "tie_embeddings": False, "rope_theta": 2_500.0},
}

# Shapes of the cards. Where a card leaves the shape open, the one that fits its rounded count is inferred.
PUBLISHED = {
    "atom-3.4m": (3_412_800, (4_096, 192, 7, 3, 1, 64, 480), {"xsa": True}),
    "gpt-s-5m": (5_158_464, (4_096, 192, 9, 6, 2, 32, 672), {"xsa": True}),
    "atom-2.7m": (
        2_738_880,
        (4_096, 192, 5, 4, 2, 48, 480),
        {"xsa": True, "place_vocab_size": 66, "role_vocab_size": 12},
    ),
    "atomixs2 (inferred)": (5_983_040, (3_584, 320, 4, 8, 8, 40, 832), {}),
    "ant-5m (inferred)": (4_730_240, (16_384, 128, 11, 8, 2, 16, 516), {}),
}


def llama_like(decoder: Decoder, model=LlamaForCausalLM, settings=LlamaConfig) -> LlamaForCausalLM:
    config = decoder.config
    llama = model(
        settings(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            num_key_value_heads=config.num_kv_heads,
            head_dim=config.head_dim,
            max_position_embeddings=config.context_length,
            rms_norm_eps=config.rms_norm_eps,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            attention_bias=config.attention_bias,
            mlp_bias=config.mlp_bias,
            tie_word_embeddings=config.tie_embeddings,
        )
    ).eval()
    body = {f"model.{name}": w for name, w in decoder.state_dict().items() if not name.startswith("lm_head")}
    head = decoder.embed_tokens if decoder.lm_head is None else decoder.lm_head
    llama.load_state_dict({**body, "lm_head.weight": head.weight}, strict=True)
    return llama


@pytest.mark.parametrize("tokens", [1, 7, 40])
@pytest.mark.parametrize("shape", LLAMA_SHAPES.values(), ids=LLAMA_SHAPES)
@torch.no_grad()
def test_logits_equal_those_of_llama_also_beyond_the_context_length(shape, tokens):
    decoder = small_decoder(**shape)
    ids_BT = random_ids(2, tokens)
    assert SMALL["context_length"] < 40
    assert farthest(decoder(ids_BT), llama_like(decoder)(ids_BT).logits) < 1e-5


@pytest.mark.parametrize("tokens", [1, 7, 40])
@pytest.mark.parametrize("shape", [{}, {"num_heads": 3, "head_dim": 10}, {"tie_embeddings": False}], ids=str)
@torch.no_grad()
def test_norms_of_queries_and_keys_are_those_of_qwen_3(shape, tokens):
    decoder = small_decoder(**shape, qk_norm=True)
    ids_BT = random_ids(2, tokens)
    theirs_BTV = llama_like(decoder, Qwen3ForCausalLM, Qwen3Config)(ids_BT).logits
    assert farthest(decoder(ids_BT), theirs_BTV) < 1e-5


@pytest.mark.parametrize("shape", [{}, {"tie_embeddings": False}], ids=str)
@torch.no_grad()
def test_a_soft_cap_bounds_logits_as_gemma_2_does(shape):
    ids_BT = random_ids(2, 7)
    plain_BTV = small_decoder(**shape)(ids_BT)
    capped_BTV = small_decoder(**shape, logit_softcap=1.5)(ids_BT)
    assert plain_BTV.abs().max() > 1.5
    assert farthest(capped_BTV, 1.5 * torch.tanh(plain_BTV / 1.5)) < 1e-6
    assert capped_BTV.argmax(dim=2).equal(plain_BTV.argmax(dim=2))


@torch.no_grad()
def test_a_soft_cap_is_computed_in_float32():
    decoder = small_decoder(logit_softcap=1.5)
    with torch.autocast("cpu", torch.bfloat16):
        assert decoder(random_ids(2, 7)).dtype == torch.float32


@pytest.mark.parametrize("change", [{"rope_theta": 2_500.0}, {"rms_norm_eps": 1e-2}, {"xsa": True}], ids=str)
@torch.no_grad()
def test_logits_would_differ_from_llamas_with_another_setting(change):
    llama, other = llama_like(small_decoder()), small_decoder(**change)
    ids_BT = random_ids(2, 7)
    assert farthest(other(ids_BT), llama(ids_BT).logits) > 1e-3


@torch.no_grad()
def test_left_padding_equals_llamas():
    decoder = small_decoder()
    ids_BT, mask_BT = random_ids(2, 7), torch.tensor([[0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1]])
    position_ids_BT = (mask_BT.cumsum(dim=1) - 1).clamp_min(0)
    theirs_BTV = llama_like(decoder)(ids_BT, attention_mask=mask_BT, position_ids=position_ids_BT).logits
    ours_BTV = decoder(ids_BT, attention_mask_BS=mask_BT)
    assert farthest(ours_BTV[0, 3:], theirs_BTV[0, 3:]) < 1e-5
    assert farthest(ours_BTV[1], theirs_BTV[1]) < 1e-5


@pytest.mark.parametrize("changed", [0, 5, 10])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@torch.no_grad()
def test_a_token_cannot_see_later_tokens(options, changed):
    decoder = small_decoder(**options)
    # Beginning of text, then an equation that any change breaks or alters, so that digit features take part.
    before_BT = torch.tensor([[19, 1, 2, 10, 3, 4, 16, 6, 4, 19, 7], [7, 11, 5, 16, 2, 19, 8, 12, 9, 16, 7]])
    after_BT = before_BT.clone()
    after_BT[:, changed] = 28
    before_BTV, after_BTV = decoder(before_BT), decoder(after_BT)
    assert torch.equal(before_BTV[:, :changed], after_BTV[:, :changed])
    # A later token sees the change, whatever its own id.
    assert (before_BTV[:, changed:] != after_BTV[:, changed:]).any(dim=-1).all()


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@torch.no_grad()
def test_rows_of_a_batch_do_not_mix(options):
    decoder = small_decoder(**options)
    ids_BT = random_ids(3, 7)
    for row in range(3):
        assert farthest(decoder(ids_BT[row : row + 1])[0], decoder(ids_BT)[row]) < 1e-5


def padded_batch(padding=PADDING):
    """Three prompts of 3, 6 and 9 tokens, equations among them, padded on the left."""
    prompts = [[1, 2, 17], [19, 3, 17, 11, 17, 5], [19, 14, 1, 17, 12, 17, 2, 15, 17]]
    width = max(map(len, prompts))
    ids_BT = torch.tensor([[padding] * (width - len(prompt)) + prompt for prompt in prompts])
    mask_BT = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return [torch.tensor([prompt]) for prompt in prompts], ids_BT, mask_BT


# As padding, a digit would lengthen a number, an operator or letter would break the line.
@pytest.mark.parametrize("padding", [PADDING, 7, 11, 28])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@torch.no_grad()
def test_a_left_padded_batch_gives_the_logits_of_the_single_prompts(options, padding):
    decoder = small_decoder(**options)
    prompts, ids_BT, mask_BT = padded_batch(padding)
    batch_BTV = decoder(ids_BT, attention_mask_BS=mask_BT)
    assert batch_BTV.isfinite().all()
    for prompt, row_TV in zip(prompts, batch_BTV, strict=True):
        assert farthest(row_TV[-prompt.shape[1] :], decoder(prompt)[0]) < 1e-5
    unmasked_TV = decoder(ids_BT)[0, -3:]
    assert farthest(unmasked_TV, decoder(prompts[0])[0]) > 1e-2


@pytest.mark.parametrize("padding", [PADDING, 7])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@torch.no_grad()
def test_a_left_padded_batch_decodes_with_a_cache_like_the_single_prompts(options, padding):
    decoder = small_decoder(**options)
    prompts, ids_BS, mask_BS = padded_batch(padding)
    cache = KVCache()
    decoder(ids_BS, attention_mask_BS=mask_BS, cache=cache)
    # One token, then two at once.
    for added_BT in (torch.tensor([[5], [6], [19]]), torch.tensor([[16, 2], [7, 8], [4, 13]])):
        ids_BS = torch.cat((ids_BS, added_BT), dim=1)
        mask_BS = torch.cat((mask_BS, torch.ones_like(added_BT)), dim=1)
        batch_BTV = decoder(added_BT, history_BS=ids_BS, attention_mask_BS=mask_BS, cache=cache)
        prompts = [torch.cat((prompt, added[None]), dim=1) for prompt, added in zip(prompts, added_BT, strict=True)]
        for prompt, row_TV in zip(prompts, batch_BTV, strict=True):
            assert farthest(row_TV, decoder(prompt)[0, -added_BT.shape[1] :]) < 1e-5


def test_a_mask_lets_tokens_read_earlier_tokens_and_padding_read_itself():
    new_BT, mask_BS = random_ids(2, 3), torch.tensor([[1, 1, 1, 1, 1], [0, 0, 0, 1, 1]])
    # Two tokens are in the cache. A row without any readable token would be NaN in some attention kernels.
    assert attention_mask(new_BT, 2, mask_BS).int().tolist() == [
        [[[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]],
        [[[0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]]],
    ]
    assert attention_mask(new_BT, 2, None).int().tolist() == [[[[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]]]
    assert attention_mask(new_BT, 0, None) is None


@torch.no_grad()
def test_a_mask_of_ones_changes_nothing():
    decoder = small_decoder(xsa=True, **DIGITS)
    ids_BT = random_ids(2, 7)
    assert farthest(decoder(ids_BT, attention_mask_BS=torch.ones(2, 7)), decoder(ids_BT)) < 1e-5


@torch.no_grad()
def test_positions_may_be_given():
    decoder = small_decoder()
    ids_BT = random_ids(2, 7)
    # A common shift is invisible to rotary positions; a stretch is not.
    assert farthest(decoder(ids_BT, position_ids_BT=torch.arange(100, 107)[None]), decoder(ids_BT)) < 1e-4
    assert farthest(decoder(ids_BT, position_ids_BT=torch.arange(0, 21, 3)[None]), decoder(ids_BT)) > 1e-2


@torch.no_grad()
def test_digit_features_ask_for_the_history_once_the_cache_holds_tokens():
    decoder, cache = small_decoder(**DIGITS), KVCache()
    decoder(random_ids(2, 7), cache=cache)
    with pytest.raises(ValueError, match=r"need history_BS \(all ids so far\) once the cache holds tokens"):
        decoder(random_ids(2, 1), cache=cache)


@torch.no_grad()
def test_digit_features_are_added_to_the_embedding_and_nothing_else():
    decoder = small_decoder(**DIGITS)
    ids_BT = torch.tensor([[19, 1, 2, 10, 3, 16, 5]])
    with_features_BTV = decoder(ids_BT)
    for table in (decoder.digit_features.embed_place, decoder.digit_features.embed_role):
        table.weight.zero_()
    plain = small_decoder()
    plain.load_state_dict({n: w for n, w in decoder.state_dict().items() if not n.startswith("digit_features")})
    assert torch.equal(decoder(ids_BT), plain(ids_BT))
    assert farthest(with_features_BTV, plain(ids_BT)) > 0.1


@pytest.mark.parametrize("tie_embeddings", [True, False])
@torch.no_grad()
def test_logits_are_the_head_applied_to_the_hidden_states(tie_embeddings):
    decoder = small_decoder(tie_embeddings=tie_embeddings)
    ids_BT = random_ids(2, 7)
    hidden_BTC = decoder.hidden_states(ids_BT)
    assert hidden_BTC.shape == (2, 7, 30)
    weight_VC = decoder.embed_tokens.weight if tie_embeddings else decoder.lm_head.weight
    assert torch.equal(decoder(ids_BT), F.linear(hidden_BTC, weight_VC))
    assert ("lm_head.weight" in decoder.state_dict()) is not tie_embeddings


def test_token_classes_are_no_weights():
    names = set(small_decoder(**DIGITS).state_dict()) - set(small_decoder().state_dict())
    assert names == {"digit_features.embed_place.weight", "digit_features.embed_role.weight"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_systems_have_their_exact_parameter_counts(name):
    count, shape, options = PUBLISHED[name]
    sizes = dict(zip([size for size in SMALL if size != "context_length"], shape, strict=True))
    with torch.device("meta"):
        decoder = Decoder(ModelConfig(**sizes, context_length=512, **options))
    assert sum(parameter.numel() for parameter in decoder.parameters()) == count


def loss_and_gradients(decoder, forward, ids_BT, mask_BT):
    decoder.zero_grad()
    logits_BTV = forward(ids_BT, attention_mask_BS=mask_BT)
    loss = F.cross_entropy(logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
    loss.backward()
    return loss, {name: parameter.grad.clone() for name, parameter in decoder.named_parameters()}


def assert_compiles(decoder, backend, masked=False):
    torch.compiler.reset()
    ids_BT = random_ids(2, 7)
    mask_BT = torch.tensor([[0, 0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1]]) if masked else None
    compiled = torch.compile(decoder, fullgraph=True, backend=backend)
    loss, gradients = loss_and_gradients(decoder, decoder, ids_BT, mask_BT)
    compiled_loss, compiled_gradients = loss_and_gradients(decoder, compiled, ids_BT, mask_BT)
    torch.testing.assert_close(compiled_loss, loss, atol=1e-5, rtol=0)
    for name, gradient in gradients.items():
        assert gradient.any(), name
        torch.testing.assert_close(compiled_gradients[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "options", [OPTIONS["plain"], OPTIONS["xsa, norms of heads, digits, biases, own head"]], ids=["plain", "all"]
)
def test_the_compiled_model_is_one_graph_with_the_same_loss_and_gradients(options, masked):
    assert_compiles(small_decoder(**options), "aot_eager", masked)


@pytest.mark.soak  # half a minute of compiling; tests/training compiles whole steps
@pytest.mark.skipif(
    shutil.which("g++") is None and shutil.which("clang++") is None, reason="inductor needs a C++ compiler"
)
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")  # inductor's own
def test_the_default_compiler_gives_the_same_loss_and_gradients():
    assert_compiles(small_decoder(xsa=True, **DIGITS, num_layers=1), "inductor")


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_bfloat16_autocast_is_finite_and_close(options):
    decoder = small_decoder(**options)
    ids_BT = random_ids(2, 7)
    exact, _ = loss_and_gradients(decoder, decoder, ids_BT, None)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, gradients = loss_and_gradients(decoder, decoder, ids_BT, None)
    assert loss.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    assert math.isclose(loss.item(), exact.item(), rel_tol=0.03)


def test_settings_stay_with_the_model():
    assert Decoder(small_config(xsa=True)).config == small_config(xsa=True)
