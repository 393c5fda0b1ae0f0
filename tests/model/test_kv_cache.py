import inspect

import pytest
import torch
from transformers import DynamicCache

from smidgen.model.kv_cache import KVCache

from .small_models import OPTIONS, farthest, random_ids, random_tensor, small_decoder

# Slices of 11 tokens.
CHUNKINGS = {
    "token by token": [1] * 11,
    "a prompt, then tokens": [6, 1, 1, 1, 1, 1],
    "chunks": [2, 5, 1, 3],
    "all at once": [11],
}


def chunks(lengths):
    start = 0
    for length in lengths:
        yield start, start + length
        start += length


def cached_logits(decoder, ids_BS, cache, lengths):
    """Logits of all tokens, computed in chunks of these lengths."""
    parts = [decoder(ids_BS[:, start:end], history_BS=ids_BS[:, :end], cache=cache) for start, end in chunks(lengths)]
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("new_cache", [KVCache, DynamicCache])
@pytest.mark.parametrize("lengths", CHUNKINGS.values(), ids=CHUNKINGS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@torch.no_grad()
def test_cached_logits_equal_those_computed_at_once(options, lengths, new_cache):
    decoder = small_decoder(**options)
    ids_BS = random_ids(2, 11)
    cache = new_cache()
    assert farthest(cached_logits(decoder, ids_BS, cache, lengths), decoder(ids_BS)) < 1e-5
    assert cache.get_seq_length() == 11


@torch.no_grad()
def test_logits_would_differ_if_the_cache_forgot():
    decoder = small_decoder()
    ids_BS = random_ids(2, 11)
    assert farthest(decoder(ids_BS[:, 6:]), decoder(ids_BS)[:, 6:]) > 0.1


@torch.no_grad()
def test_decoding_goes_on_right_beyond_the_first_capacity():
    decoder = small_decoder(xsa=True)
    ids_BS = random_ids(2, 140)
    cached_BSV = cached_logits(decoder, ids_BS, KVCache(), [60, *[1] * 10, 70])
    assert farthest(cached_BSV, decoder(ids_BS)) < 1e-5


def test_an_update_returns_all_keys_and_values_so_far_in_order():
    k_BKSD, v_BKSD = random_tensor(2, 3, 200, 5, seed=1), random_tensor(2, 3, 200, 5, seed=2)
    cache = KVCache()
    for start, end in chunks([1, 7, 60, 1, 131]):
        for layer_idx in range(2):
            sign = 1 - 2 * layer_idx
            keys, values = cache.update(sign * k_BKSD[:, :, start:end], sign * v_BKSD[:, :, start:end], layer_idx)
            assert torch.equal(keys, sign * k_BKSD[:, :, :end])
            assert torch.equal(values, sign * v_BKSD[:, :, :end])


def test_lengths_are_counted_per_layer():
    cache = KVCache()
    assert (cache.length, cache.get_seq_length(), cache.get_seq_length(1)) == (0, 0, 0)
    cache.update(random_tensor(2, 3, 4, 5), random_tensor(2, 3, 4, 5), 0)
    assert (cache.get_seq_length(0), cache.get_seq_length(1)) == (4, 0)
    cache.update(random_tensor(2, 3, 4, 5), random_tensor(2, 3, 4, 5), 1)
    assert (cache.length, cache.get_seq_length(1)) == (4, 4)


def test_memory_is_taken_at_doublings_not_at_tokens():
    cache, addresses = KVCache(), set()
    for _ in range(300):
        keys, _ = cache.update(random_tensor(2, 3, 1, 5), random_tensor(2, 3, 1, 5), 0)
        addresses.add(keys.untyped_storage().nbytes())
    # 64, 130, 262 and 526 tokens.
    assert len(addresses) == 4


def test_keys_keep_their_type():
    half = random_tensor(2, 3, 4, 5, dtype=torch.bfloat16)
    assert KVCache().update(half, half, 0)[0].dtype == torch.bfloat16


def test_the_cache_of_transformers_takes_the_same_arguments_in_the_same_order():
    ours, theirs = (list(inspect.signature(cache.update).parameters)[:3] for cache in (KVCache(), DynamicCache()))
    assert (ours[2], theirs[2]) == ("layer_idx", "layer_idx")
    assert theirs[:2] == ["key_states", "value_states"]
