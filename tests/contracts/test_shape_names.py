from pathlib import Path

import pytest
import torch

from smidgen import model
from smidgen.model.config import DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.kv_cache import KVCache

from .shape_names import lies, shape_names_checked

MODEL_FOLDER = Path(model.__file__).parent
# No two letters have the same size, so that a swapped pair of axes cannot pass unnoticed. T is 7, then 6 with cache.
B, T, S, C, H, K, G, D, R, F, V = 2, 7, 13, 60, 15, 3, 5, 16, 8, 22, 37
# A last call with as many tokens as make the cache grow.
MORE_T, MORE_S = 71, 84


def decoder_with_all_options():
    ids = DigitTokenIds(
        digits=tuple(range(10)),
        operators=(10, 11, 12, 13),
        open_parenthesis=14,
        close_parenthesis=15,
        equals=16,
        spaces=(17,),
        line_starts=(18,),
    )
    config = ModelConfig(
        vocab_size=V,
        hidden_size=C,
        num_layers=2,
        num_heads=H,
        num_kv_heads=K,
        head_dim=D,
        intermediate_size=F,
        context_length=S,
        tie_embeddings=False,
        attention_bias=True,
        mlp_bias=True,
        xsa=True,
        place_vocab_size=66,
        role_vocab_size=12,
        digit_token_ids=ids,
    )
    return Decoder(config)


def test_no_two_letters_have_the_same_size():
    letters = {B, C, H, K, G, D, R, F, V, H * D, K * D}
    assert len(letters) == 11
    assert len(letters | {T, S, S - T, MORE_T, MORE_S}) == 16
    assert (G, R) == (H // K, D // 2)


@pytest.mark.parametrize("padded", [False, True])
def test_names_of_the_model_tell_the_truth(padded):
    ids_BS = torch.randint(V, (B, MORE_S), generator=torch.Generator().manual_seed(0))
    mask_BS = torch.ones(B, MORE_S, dtype=torch.long)
    mask_BS[0, :3] = 0
    with shape_names_checked(MODEL_FOLDER) as seen:
        decoder, cache = decoder_with_all_options(), KVCache()
        for start, end in ((0, T), (T, S), (S, MORE_S)):
            decoder(
                ids_BS[:, start:end],
                history_BS=ids_BS[:, :end],
                attention_mask_BS=mask_BS[:, :end] if padded else None,
                cache=cache,
            )
        decoder(ids_BS[:, :T])
    # Every file that computes something was seen, and every letter of the legend that a name uses.
    assert seen >= {"x_BTC", "mask_B1TS", "cos_BTR", "k_BKSD", "y_BKGTD", "class_V", "role_BS"}


def test_a_name_with_swapped_axes_is_caught():
    def lie():
        v_BKTD = torch.zeros(B, K, T, D)
        w_BTKD = v_BKTD.neg()
        return v_BKTD, w_BTKD

    words = "lie: w_BTKD has 3 along T, but v_BKTD says 7"
    with pytest.raises(AssertionError, match=words), shape_names_checked(Path(__file__)):
        lie()


def test_other_files_are_not_looked_at():
    def lie():
        x_BTC = torch.zeros(B, T)
        return x_BTC.neg()

    with shape_names_checked(MODEL_FOLDER) as seen:
        lie()
    assert not seen


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"x_BTC": torch.zeros(B, T)}, ["x_BTC promises 3 axes but has the shape (2, 7)"]),
        ({"m_B1T": torch.zeros(B, T, T)}, ["m_B1T has 7 along 1, but its name says 1"]),
        ({"s_TT": torch.zeros(T, S)}, ["s_TT has 13 along T, but s_TT says 7"]),
        ({"x_BT": torch.zeros(B, T), "y_BT": torch.zeros(1, T)}, []),
        ({"x_BT": torch.zeros(B, T), "y_BT": torch.zeros(3, T)}, ["y_BT has 3 along B, but x_BT says 2"]),
        ({"x_BT": torch.zeros(B, T), "y_BT": torch.zeros(B, 1)}, ["y_BT has 1 along T, but x_BT says 7"]),
        ({"x": torch.zeros(B, T), "count_BT": 3, "T": T}, []),
    ],
)
def test_what_counts_as_a_lie(variables, found):
    assert lies(variables) == found
