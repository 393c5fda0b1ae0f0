"""The page of a ladder, from figures made up here."""

import copy

import pytest

from smidgen.reports.ladder import rung_words
from smidgen.reports.ladder.ladder_page import render


def score(value, spread=0.01, n=100):
    return {"value": value, "low": value - spread, "high": value + spread, "n": n}


def rung(name, bits, kl, verdict, **changes):
    return {
        "type": name,
        "name": f"tiny-{name}.gguf",
        "bytes": int(1e6 * bits),
        "sha256": f"{name:0>64}",
        "types": {"F32": 9, name: 29},
        "bits_per_weight": bits,
        "is_model": name == "F32",
        "kl": score(kl, spread=kl / 5),
        "top1": score(0.99),
        "perplexity": score(9.5),
        "perplexity_change": score(0.012),
        "real_words": score(0.97),
        "loops": {"greedy": score(0.3), "sampled": score(0.02)},
        "sample": f"The cat <{name}> sat",
        "in_llama_cpp": {"max_abs_logit_diff": 0.1, "kl": 1e-3, "top1": 0.98, "positions": 96},
        "scores": {"blimp": {"acc": score(0.7)}},
        "comparisons": [],
        "verdict": verdict,
        "why": "perplexity +1.20%",
        **changes,
    }


@pytest.fixture
def record():
    rungs = [
        rung("F32", 32.0, 0.0, "as good"),
        rung("Q8_0", 8.5, 1e-4, "as good"),
        rung(
            "Q1_0",
            1.4,
            2.0,
            "scrambled",
            real_words=None,
            comparisons=[{"task": "blimp", "metric": "acc", "verdict": "worse"}],
        ),
    ]
    ladder = {
        "model": "tiny",
        "parameters": 1_000_000,
        "training_tokens": 50_000_000,
        "rule": "Against F32. The rule.",
        "text": {"tokens": 16_000, "windows": 60, "texts": 64, "sampling": {}, "prefixes": 96},
        "compared": [["blimp", "acc"]],
        "seed": 0,
        "reference": copy.deepcopy(rungs[0]),
        "rungs": rungs,
    }
    return {
        "ladder": ladder,
        "refused": [{"format": "gguf Q4_K_M", "reason": "rows are no multiples of 256 & more"}],
        "parity": {"max_abs_logit_diff": 1e-5, "kl": 0.0, "top1": 1.0},
        "notes": ["read back with llama.cpp"],
    }


def test_the_page_says_what_became_of_each_file(record):
    page = render(record)
    assert "Q8_0 is as good as F32; Q1_0 is scrambled." in page
    assert "50 for each parameter" in page
    assert "8.5 bits per weight" in page or "8.50 bits per weight" in page
    assert "rows are no multiples of 256 &amp; more" in page
    assert "Against F32. The rule." in page
    assert "&lt;Q1_0&gt;" in page
    assert "<Q1_0>" not in page


def test_scores_stand_beside_their_paired_verdict(record):
    [score] = rung_words.scores_of(record["ladder"]["rungs"][2], record["ladder"]["compared"])
    assert (score["task"], score["value"], score["comparison"]["verdict"]) == ("blimp", 0.7, "worse")
    assert "<td>worse</td>" in render(record)


def test_a_ladder_of_f32_alone_without_words_or_llama_cpp_has_a_page(record):
    [first, *_] = record["ladder"]["rungs"]
    alone = {**first, "real_words": None, "in_llama_cpp": None, "scores": {}}
    record["ladder"] |= {"rungs": [alone], "reference": alone, "compared": [], "training_tokens": None}
    page = render({**record, "refused": [], "parity": None})
    assert "Nothing but F32 itself was written." in page
    assert "no divergence" in page


def test_changes_keep_their_sign():
    assert rung_words.signed(0.0123) == "+1.23%"
    assert rung_words.signed(-0.0123) == "\u22121.23%"
    assert rung_words.signed(-0.00001) == "0.00%"
    assert rung_words.divergence(0.0) == "0"
