import itertools
from dataclasses import asdict

import pytest
import torch

from smidgen.generation.repetition import loop_start
from smidgen.generation.sampling import processed_logits
from smidgen.recipes.sampling import SamplingSettings

from .javascript import ask, needs_node

pytestmark = needs_node

VOCAB_SIZE = 37
SETTINGS = [
    SamplingSettings(
        **dict(zip(("temperature", "top_k", "top_p", "min_p", "repetition_penalty"), values, strict=True))
    )
    for values in itertools.product((0.0, 0.7, 1.0), (0, 1, 5, 50), (1.0, 0.8, 0.0), (0.0, 0.1), (1.0, 1.3, 0.8))
] + [SamplingSettings(no_repeat_ngram_size=size, top_k=9) for size in (1, 2, 3, 60)]


def test_the_odds_of_a_draw_are_those_of_our_sampler(tmp_path):
    generator = torch.Generator().manual_seed(0)
    logits_BV = 3 * torch.randn(len(SETTINGS), VOCAB_SIZE, generator=generator)
    history_BT = torch.randint(VOCAB_SIZE, (len(SETTINGS), 30), generator=generator)
    expected = torch.stack(
        [
            processed_logits(logits_BV[n : n + 1], history_BT[n : n + 1], settings)[0]
            for n, settings in enumerate(SETTINGS)
        ]
    )
    script = """
    const { drawOdds } = await at("sampling");
    return given.map(([logits, history, settings]) => [...drawOdds(logits, history, settings).drawn]);
    """
    given = [
        [logits.tolist(), history.tolist(), asdict(settings)]
        for logits, history, settings in zip(logits_BV, history_BT, SETTINGS, strict=True)
    ]
    odds = torch.tensor(ask(script, given, tmp_path))
    for found_V, expected_V, settings in zip(odds, expected, SETTINGS, strict=True):
        if settings.is_greedy:
            assert found_V.argmax() == expected_V.argmax()
            assert found_V.max() == 1
        else:
            assert torch.allclose(found_V, expected_V.softmax(dim=-1), atol=1e-6), settings


def test_draws_come_as_often_as_their_odds_say(tmp_path):
    logits = [2.0, 1.0, 0.0, -1.0, 0.5]
    script = """
    const { choose, seeded } = await at("sampling");
    const random = seeded(7), counts = Array(5).fill(0);
    for (let n = 0; n < 40000; n++) counts[choose(given[0], [], given[1], random).id]++;
    return counts;
    """
    counts = torch.tensor(ask(script, [logits, asdict(SamplingSettings())], tmp_path))
    expected = 40000 * torch.tensor(logits).softmax(dim=-1)
    # Chi-squared with 4 degrees of freedom is above 23.5 once in ten thousand seeds; the seed is fixed.
    assert ((counts - expected) ** 2 / expected).sum() < 23.5


def test_a_seed_means_the_same_numbers_for_ever(tmp_path):
    script = """
    const { seeded } = await at("sampling");
    return given.map(seeded).map((random) => [random(), random()]);
    """
    seeds = [0, 1, 2**32, 2**53 - 1]
    answers = ask(script, seeds, tmp_path)
    assert len({value for pair in answers for value in pair}) == 8
    assert all(0 <= value < 1 for pair in answers for value in pair)
    # Were these to change, every link that people have shared would lead to another text.
    assert answers[0] == [0.14202545762507146, 0.7745408228816488]


def test_the_reasons_say_what_every_filter_took(tmp_path):
    logits = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    settings = SamplingSettings(temperature=0.5, top_k=4, top_p=0.9, min_p=0.0, no_repeat_ngram_size=1)
    script = """
    const { choose, seeded } = await at("sampling");
    return choose(given[0], [1], given[1], seeded(0));
    """
    said = ask(script, [logits.tolist(), asdict(settings)], tmp_path)
    odds = logits.softmax(dim=-1).tolist()
    filters = {entry["name"]: entry for entry in said["filters"]}
    # 1 is banned; of 0 2 3 4 5 top-k keeps four (with temperature 0.5 the weights are 1, e-4, e-6, e-8), top-p one.
    assert filters["no_repeat_ngram_size"]["count"] == 1
    assert filters["top_k"]["count"] == 1
    assert filters["top_p"]["count"] == 3
    assert filters["top_p"]["share"] == pytest.approx(odds[2] + odds[3] + odds[4])
    assert (said["id"], said["rank"], said["drawn"]) == (0, 1, 1)
    assert [entry["id"] for entry in said["top"]] == [0, 1, 2, 3, 4, 5]
    assert said["top"][1]["removed"] == "no_repeat_ngram_size"


def test_settings_that_leave_no_token_are_told(tmp_path):
    script = """
    const { choose, seeded } = await at("sampling");
    try { choose([1, 2], [0, 1], given, seeded(0)); } catch (error) { return error.message; }
    """
    message = ask(script, asdict(SamplingSettings(no_repeat_ngram_size=1)), tmp_path)
    assert "no token is left to choose" in message


def test_loops_begin_where_we_find_them(tmp_path):
    generator = torch.Generator().manual_seed(3)
    rows = [torch.randint(high, (60,), generator=generator).tolist() for high in (2, 2, 3, 4, 9) for _ in range(40)]
    rows += [[*row[:9], *(row[:period] * 6)] for row in rows[:20] for period in (1, 2, 5)]
    found = ask("const { loopStart } = await at('loops'); return given.map((row) => loopStart(row));", rows, tmp_path)
    expected = [loop_start(row) for row in rows]
    assert [None if start < 0 else start for start in found] == expected
    assert None in expected
    assert any(expected)
