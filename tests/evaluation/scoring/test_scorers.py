"""Both ways to score a forest give what the decoder gives each text alone."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from smidgen.evaluation.scoring.forest import Query, plant, sorted_order
from smidgen.evaluation.scoring.native import NativeScorer
from smidgen.evaluation.scoring.torch_scorer import TorchScorer
from smidgen.native.location import default_cache

from .conftest import made


def native(decoder, **options):
    return NativeScorer(decoder, cache=default_cache(), **options)


def texts_with_common_beginnings(vocab_size: int, seed: int = 1) -> list[Query]:
    draw = random.Random(seed)

    def tokens(most):
        return draw.choices(range(vocab_size), k=draw.randint(1, most))

    queries = [Query((*tokens(3), *tokens(60)), 1) for _ in range(5)]
    for _ in range(9):
        trunk = tokens(40)
        for _ in range(draw.randint(1, 5)):
            branch = [*trunk[: draw.randint(1, len(trunk))], *tokens(7)]
            for _ in range(draw.randint(1, 3)):
                ids = (*branch, *tokens(20))
                queries.append(Query(ids, draw.randint(1, len(ids) - 1)))
    # The same text twice, one that continues another, and one that only its last token distinguishes.
    queries += [queries[7], Query((*queries[7].token_ids, 3), 1), Query((*queries[7].token_ids[:-1], 4), 1)]
    return [queries[index] for index in sorted_order(queries)]


def alone(decoder, query: Query) -> tuple[np.ndarray, np.ndarray]:
    ids = torch.tensor(query.token_ids)
    with torch.no_grad():
        logprob_TV = decoder(ids[None, :-1])[0].double().log_softmax(-1)[-query.asked :]
    targets = ids[-query.asked :]
    return logprob_TV.gather(1, targets[:, None])[:, 0].numpy(), (logprob_TV.argmax(1) == targets).numpy()


@pytest.mark.parametrize("scorer", [native, TorchScorer], ids=["native", "torch"])
@pytest.mark.parametrize("block_rows", [1, 70, 10_000])
def test_a_forest_gives_what_each_text_gives_alone(design, scorer, block_rows):
    queries = texts_with_common_beginnings(design.config.vocab_size)
    forest = plant(queries, block_rows=block_rows)
    log_probability, is_best = scorer(design).score(queries, forest)
    for number, query in enumerate(queries):
        mine = forest.target_of[forest.request_targets[number] : forest.request_targets[number + 1]]
        expected, expected_best = alone(design, query)
        np.testing.assert_allclose(log_probability[mine], expected, atol=2e-5)
        np.testing.assert_array_equal(is_best[mine], expected_best)


def test_threads_change_nothing(design):
    queries = texts_with_common_beginnings(design.config.vocab_size)
    forest = plant(queries, block_rows=50)
    assert forest.blocks > 3
    one, three = (native(design, threads=threads).score(queries, forest) for threads in (1, 3))
    np.testing.assert_array_equal(one[0], three[0])


def test_bfloat16_is_near_and_is_not_float32(design):
    scorer = native(design, precision="bfloat16")
    if scorer.precision != "bfloat16":
        pytest.skip("this processor does not multiply bfloat16")
    queries = texts_with_common_beginnings(design.config.vocab_size)
    forest = plant(queries, block_rows=100)
    quick, _ = scorer.score(queries, forest)
    exact, _ = native(design).score(queries, forest)
    error = np.abs(quick - exact)
    assert 1e-4 < error.max() < 0.5
    assert error.mean() < 0.05


@pytest.fixture(scope="module")
def emulation():
    """Compiler options that bring the tile instructions along."""
    return ("-include", str(Path(__file__).with_name("emulated_tiles.h")))


@pytest.mark.parametrize("threads", [1, 2])
def test_matrix_tiles_give_what_vectors_give(emulation, threads):
    """Sizes that are multiples of a tile in some products only, and rows that fill no tile."""
    decoder = made(
        hidden_size=64, num_heads=4, num_kv_heads=2, head_dim=32, intermediate_size=96, attention_bias=True
    )
    vectors = native(decoder, precision="bfloat16")
    if vectors.precision != "bfloat16":
        pytest.skip("this processor does not multiply bfloat16")
    tiles = native(decoder, precision="bfloat16", options=emulation, threads=threads)
    assert tiles._library.has_tiles()
    queries = texts_with_common_beginnings(decoder.config.vocab_size)
    forest = plant(queries, block_rows=77)
    expected, expected_best = vectors.score(queries, forest)
    log_probability, is_best = tiles.score(queries, forest)
    # The same products in another order of adding, which now and then rounds to the next bfloat16.
    assert np.median(np.abs(log_probability - expected)) < 1e-5
    np.testing.assert_allclose(log_probability, expected, atol=0.1)
    assert (is_best == expected_best).mean() > 0.99


def test_int8_is_near_and_is_not_bfloat16():
    decoder = made(hidden_size=64, num_heads=4, num_kv_heads=2, head_dim=32, intermediate_size=96, mlp_bias=True)
    scorer = native(decoder, precision="int8")
    if scorer.precision != "int8":
        pytest.skip("this processor does not multiply int8")
    queries = texts_with_common_beginnings(decoder.config.vocab_size)
    forest = plant(queries, block_rows=77)
    expected, _ = native(decoder).score(queries, forest)
    rough, _ = native(decoder, precision="bfloat16").score(queries, forest)
    rougher, _ = scorer.score(queries, forest)
    bfloat16_error, int8_error = (np.abs(values - expected).mean() for values in (rough, rougher))
    assert 2 * bfloat16_error < int8_error < 0.3


def test_nan_weights_give_nan(design):
    broken = type(design)(design.config)
    broken.load_state_dict(design.state_dict())
    with torch.no_grad():
        broken.layers[1].mlp.down_proj.weight[2, 3] = float("nan")
    queries = [Query((1, 2, 3, 4), 2)]
    log_probability, _ = native(broken.eval()).score(queries, plant(queries, block_rows=10))
    assert np.isnan(log_probability).all()


def test_equal_logits_have_their_first_token_as_the_best(design):
    uniform = type(design)(design.config)
    uniform.load_state_dict(design.state_dict())
    head = uniform.embed_tokens if uniform.lm_head is None else uniform.lm_head
    torch.nn.init.zeros_(head.weight)
    queries = [Query((1, 2, 0), 1), Query((1, 2, 5), 1)]
    for scorer in (native, TorchScorer):
        log_probability, is_best = scorer(uniform.eval()).score(queries, plant(queries, block_rows=10))
        np.testing.assert_allclose(log_probability, -np.log(design.config.vocab_size), atol=1e-5)
        assert is_best.tolist() == [True, False]
