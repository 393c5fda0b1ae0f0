from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from smidgen.design.hardware import hardware_named, training_tokens_per_second
from smidgen.design.memory import inference_memory
from smidgen.design.parameters import count_parameters
from smidgen.design.solving.constraints import Constraints
from smidgen.design.solving.solver import solve
from smidgen.design.solving.summary import summarise_solution
from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe

budgets = some.integers(300_000, 10_000_000)
constraint_values = some.fixed_dictionaries(
    {
        "vocab_size": some.none() | some.integers(257, 20_000),
        "context_length": some.sampled_from([128, 512, 1000]),
        "gguf": some.booleans(),
        "multiple_of": some.sampled_from([1, 1, 8, 24, 64]),
        "kv_bytes": some.none() | some.integers(50_000, 4_000_000),
        "speed": some.none() | some.integers(500, 12_000),
        "tie_embeddings": some.booleans(),
    }
)


def constraints_of(values):
    """Combinations that contradict each other are put right, so that few examples are wasted."""
    speed, multiple = values["speed"], values["multiple_of"]
    vocab_size = values["vocab_size"] and -(-values["vocab_size"] // multiple) * multiple
    return Constraints(
        **{key: value for key, value in values.items() if key not in ("speed", "vocab_size")},
        vocab_size=vocab_size,
        tokens_per_second=speed,
        hardware="cpu" if speed else "",
    )


@given(budgets, constraint_values)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_asked_shapes_keep_to_it_or_a_sentence_says_what_would_work(budget, values):
    constraints = constraints_of(values)
    solution, refusal = solved_or_refused(budget, constraints)
    if solution is None:
        assert "spends at least 99%" in refusal
        assert "would work" in refusal
        return
    totals = solution.shapes.totals(tied=constraints.tie_embeddings)
    assert totals.max() <= budget
    assert totals.min() >= 0.99 * budget
    for candidate in solution.candidates(3):
        _check(candidate.config, constraints)
        assert count_parameters(candidate.config).total == candidate.parameters
        assert all(cost >= -1e-9 for cost in candidate.costs.values())


def solved_or_refused(budget, constraints):
    try:
        return solve(budget, constraints), ""
    except BadInput as refusal:
        return None, str(refusal)


def _check(config, constraints):
    assert constraints.vocab_size in (None, config.vocab_size)
    assert config.head_dim * config.num_heads == config.hidden_size
    rows = (config.hidden_size, config.intermediate_size)
    assert not constraints.gguf or all(row % 256 == 0 for row in rows)
    sizes = (*rows, config.vocab_size, config.num_kv_heads * config.head_dim)
    assert all(size % constraints.multiple_of == 0 for size in sizes)
    cache = inference_memory(config)["kv_cache_bytes"]
    assert constraints.kv_bytes is None or cache <= constraints.kv_bytes
    if constraints.tokens_per_second is not None:
        speed = training_tokens_per_second(config, hardware_named(constraints.hardware))
        assert speed >= constraints.tokens_per_second * (1 - 1e-9)


@given(budgets)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_budget_can_be_met_when_nothing_else_is_asked(budget):
    solution = solve(budget, Constraints())
    assert solution.best.cost < 0.01
    again = solve(budget, Constraints())
    assert np.array_equal(solution.order, again.order)


@given(budgets, some.integers(257, 12_000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_order_is_that_of_the_costs(budget, vocab_size):
    assume(vocab_size * 64 < budget)
    solution = solve(budget, Constraints(vocab_size=vocab_size))
    ranked = solution.total_costs[solution.order]
    assert (np.diff(ranked) >= -2e-9).all()
    assert solution.best.rank == 1
    listed = [candidate.rank for candidate in solution.candidates(20)]
    assert listed == sorted(listed)


def test_the_terms_add_up_to_the_score():
    summary = summarise_solution(solve(5_000_000, Constraints()), top=3)
    for candidate in summary["candidates"]:
        assert sum(candidate["costs"].values()) == pytest.approx(candidate["score"], abs=4e-4)
    assert sum(term["cost"] for term in summary["terms"]) == pytest.approx(
        summary["candidates"][0]["score"], abs=4e-4
    )
    assert {term["code"] for term in summary["terms"]} == set(summary["candidates"][0]["costs"])


def test_gpt_s_5m_is_found_among_the_shapes_of_its_budget_and_ranks_well():
    design = load_recipe("gpt-s-5m").design
    solution = solve(5_160_000, Constraints(vocab_size=4096, xsa=True))
    found = solution.find(design)
    assert found is not None
    assert found.parameters == 5_158_464
    assert found.cost - solution.best.cost < 0.005
    assert found.rank < 0.2 * len(solution.shapes)
    assert solution.best.config.xsa


@pytest.mark.parametrize("name", ["atom-3.4m", "atom-2.7m", "atomixs2-5m"])
def test_other_published_shapes_that_work_are_close_to_the_best(name):
    design = load_recipe(name).design
    plain = replace(design, place_vocab_size=0, role_vocab_size=0, xsa=False)
    total = count_parameters(plain).total
    solution = solve(total, Constraints(vocab_size=design.vocab_size, context_length=design.context_length))
    found = solution.find(plain)
    assert found is not None
    assert found.cost - solution.best.cost < 0.003
    assert name != "atom-3.4m" or found == solution.best


def test_a_shape_that_is_not_among_them_is_not_found():
    assert solve(1_000_000, Constraints(vocab_size=4096)).find(load_recipe("gpt-s-5m").design) is None


def test_ants_vocabulary_is_said_to_cost_a_ninth_of_its_parameters():
    summary = summarise_solution(solve(4_730_240, Constraints(vocab_size=16_384, context_length=1024)), top=1)
    [note] = [note for note in summary["notes"] if "a vocabulary of 16,384 costs" in note]
    assert "1.9% of the loss" in note
    assert "(11%) are lost" in note
    free = summarise_solution(solve(4_730_240, Constraints(vocab_size=4096)), top=1)
    assert not any("vocabulary" in note for note in free["notes"])


def test_tokens_are_reported_and_change_no_order():
    few, many = (solve(2_000_000, Constraints(training_tokens=tokens)) for tokens in (10_000_000, 25_000_000_000))
    assert few.best == many.best
    [note] = [note for note in summarise_solution(many, top=1)["notes"] if "tokens" in note]
    assert note.startswith("25,000,000,000 tokens are 12,5")


def test_tokens_on_named_hardware_are_hours():
    constraints = Constraints(training_tokens=36_000_000, hardware="cpu")
    summary = summarise_solution(solve(2_000_000, constraints), top=1)
    hours = 36_000_000 / summary["candidates"][0]["tokens_per_second"] / 3600
    assert f"about {hours:.1f} hours on cpu" in summary["notes"][-1]


def test_a_vocabulary_that_alone_meets_the_budget_is_held_against_nothing():
    constraints = Constraints(vocab_size=1765, gguf=True)
    with pytest.raises(BadInput):
        solve(1_146_810, replace(constraints, vocab_size=None))
    summary = summarise_solution(solve(1_146_810, constraints), top=1)
    assert summary["candidates"][0]["score"] > 1
    assert not any("costs at least" in note for note in summary["notes"])


def test_the_derivation_names_the_shape_and_its_laws():
    summary = summarise_solution(solve(5_000_000, Constraints(gguf=True, context_length=1024)), top=1)
    best, steps = summary["candidates"][0], summary["derivation"]
    text = " ".join(step["statement"] for step in steps)
    for number in (best["vocab_size"], best["hidden_size"], best["num_layers"], best["intermediate_size"]):
        assert f"{number:,}" in text
    sources = " ".join(step["source"] for step in steps)
    for paper in ("2407.13623", "2006.12467", "2002.05202"):
        assert paper in sources
    assert all(step["strength"] for step in steps)
