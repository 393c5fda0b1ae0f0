"""Tiny models whose rows are whole blocks of 32, so that every type of small blocks fits."""

from ..tiny import PLAIN, tiny_model

SIZES = {"hidden_size": 64, "intermediate_size": 96, "num_heads": 4, "num_kv_heads": 2, "head_dim": 16}


def block_model(settings=PLAIN, **changes):
    return tiny_model(settings, **{**SIZES, "context_length": 48, **changes})
