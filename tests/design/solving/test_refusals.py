"""Where nothing fits: which constraint is to blame, and whether what is said to work does."""

import re

import pytest

from smidgen.design.solving.constraints import Constraints
from smidgen.design.solving.solver import solve
from smidgen.errors import BadInput

OPTIONS = {
    "--vocab-size": "vocab_size",
    "--kv-bytes": "kv_bytes",
    "--multiple-of": "multiple_of",
    "--tokens-per-second": "tokens_per_second",
}


@pytest.mark.parametrize(
    ("budget", "given", "blamed"),
    [
        (5_000_000, {"vocab_size": 400_000}, "a vocabulary of 400,000"),
        (5_000_000, {"kv_bytes": 10_000}, "--kv-bytes"),
        (5_000_000, {"tokens_per_second": 20_000, "hardware": "cpu"}, "20,000 tokens/s on cpu"),
        (300_000, {"multiple_of": 256}, "multiples of 256"),
        (300_000, {"multiple_of": 240, "vocab_size": 720}, "multiples of 240"),
        (1_000_000, {"gguf": True}, "--gguf"),
        (5_000_000, {"vocab_size": 80_000, "tie_embeddings": False}, "a vocabulary of 80,000 and --untie together"),
    ],
)
def test_the_constraint_is_named_and_what_is_said_to_work_works(budget, given, blamed):
    with pytest.raises(BadInput) as refusal:
        solve(budget, Constraints(**given))
    sentence = str(refusal.value)
    assert blamed in sentence
    remedies = re.findall(r"(--[a-z-]+) ([0-9]+)", sentence)
    assert remedies or "without --gguf" in sentence
    for option, value in remedies:
        if option == "--parameters":
            assert len(solve(int(value), Constraints(**given)).shapes)
        else:
            assert len(solve(budget, Constraints(**{**given, OPTIONS[option]: int(value)})).shapes)


def test_where_no_single_constraint_is_to_blame_several_are_named():
    given = {"gguf": True, "kv_bytes": 10_000, "tokens_per_second": 50_000, "hardware": "cpu"}
    with pytest.raises(BadInput) as refusal:
        solve(2_000_000, Constraints(**given))
    without = str(refusal.value).split("; ")[-1]
    assert re.fullmatch(r"without .*--kv-bytes.* and 50,000 tokens/s on cpu.* it would work", without)


@pytest.mark.parametrize(
    ("given", "phrase"),
    [
        ({"vocab_size": 100}, "--vocab-size 100 must be 257"),
        ({"context_length": 0}, "--context 0 must be at least 1"),
        ({"multiple_of": -8}, "--multiple-of -8 must be at least 1"),
        ({"multiple_of": 10**18}, "must be at least 1 and at most 8,192"),
        ({"context_length": 10**18}, "must be at least 1 and at most 1,000,000,000"),
        ({"kv_bytes": 0}, "--kv-bytes 0 must be at least 1"),
        ({"training_tokens": 0}, "--tokens 0 must be at least 1"),
        ({"tokens_per_second": 5.0}, "--tokens-per-second needs --hardware"),
        ({"hardware": "abacus"}, "abacus"),
        ({"gguf": True, "xsa": True}, "exclude each other"),
        ({"vocab_size": 50_257, "multiple_of": 64}, "50,304 would be"),
    ],
)
def test_impossible_constraints_are_refused_before_any_search(given, phrase):
    with pytest.raises(BadInput, match=re.escape(phrase)):
        Constraints(**given)


@pytest.mark.parametrize("budget", [0, -5, 99_999, 10**18])
def test_budgets_out_of_range_are_refused(budget):
    with pytest.raises(BadInput, match="is out of range: 100,000 to 1,000,000,000 would work"):
        solve(budget, Constraints())
