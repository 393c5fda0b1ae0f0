"""How the best shape follows from the budget: each line says what follows from what, and by whose law."""

from dataclasses import dataclass

import numpy as np

from smidgen.design.solving import laws
from smidgen.design.solving.score import (
    AINSLIE,
    EXTRAPOLATED,
    HYPOTHESIS,
    KAPLAN,
    LEVINE,
    MOBILE,
    PRACTICE,
    SHAZEER,
    TAO,
)
from smidgen.design.solving.solver import Solution
from smidgen.model.config import ModelConfig

GIVEN = "given"


@dataclass(frozen=True, kw_only=True)
class Step:
    """``strength`` is one of those of ``score``, or says that the line was given."""

    statement: str
    source: str
    strength: str


def derivation(solution: Solution) -> list[Step]:
    """From the budget to the best shape, in the order in which one follows from the other."""
    best = solution.best
    return [
        _budget(solution),
        _vocabulary(solution),
        _depth(best.config, best.elsewhere),
        *_heads(best.config),
        _feed_forward(solution, best.config, best.parameters),
    ]


def _budget(solution: Solution) -> Step:
    constraints = solution.constraints
    given = [f"at most {solution.budget:,} parameters and at least 99% of them"]
    given.append("one embedding that is also the output" if constraints.tie_embeddings else "two embedding tables")
    given += [f"a vocabulary of {constraints.vocab_size:,}"] if constraints.vocab_size else []
    given += ["rows of 256 for GGUF's K-quants"] if constraints.gguf else []
    given += [f"multiples of {constraints.multiple_of:,}"] if constraints.multiple_of > 1 else []
    given += [f"a cache of at most {constraints.kv_bytes:,} bytes"] if constraints.kv_bytes else []
    if constraints.tokens_per_second:
        given.append(f"{constraints.tokens_per_second:,.0f} tokens/s on {constraints.hardware}")
    return Step(statement="; ".join(given), source="the command", strength=GIVEN)


def _vocabulary(solution: Solution) -> Step:
    config, in_vocabulary, elsewhere = solution.best.config, solution.best.in_vocabulary, solution.best.elsewhere
    budget, tables = solution.budget, solution.constraints.tables
    best = float(laws.best_vocabulary(np.array([float(budget)]), tables)[0])
    is_given = solution.constraints.vocab_size is not None
    found = (
        f"the loss is lowest with {best / budget:.1%} of the budget ({best:,.0f}) in a table; "
        f"{config.vocab_size:,}{' (given)' if is_given else ''} x {config.hidden_size} = {in_vocabulary:,} is "
        f"{in_vocabulary / budget:.1%}. The same paper's power law for the {elsewhere:,} others asks for "
        f"{laws.power_law_vocabulary(elsewhere):,.0f}; published models that work have 9% to 29%"
    )
    return Step(statement=found, source=TAO, strength=EXTRAPOLATED)


def _depth(config: ModelConfig, elsewhere: int) -> Step:
    size = np.array([float(elsewhere)])
    depth, aspect = float(laws.best_depth(size)[0]), float(laws.best_aspect(size)[0])
    kept = f", the ratio of {laws.SHALLOWEST_FITTED} layers, the fewest that were fitted" * (
        depth < laws.SHALLOWEST_FITTED
    )
    found = (
        f"{elsewhere:,} parameters in layers lie on the curve at {depth:.1f} layers of {depth * aspect:.0f} "
        f"(width over depth {aspect:.1f}{kept}); {config.num_layers} of {config.hidden_size} "
        f"({config.hidden_size / config.num_layers:.1f}). Depth is worth little: 21 times the ratio costs 3% "
        f"({KAPLAN}); MobileLLM, deep and thin, has 19 at 125M ({MOBILE})"
    )
    return Step(statement=found, source=LEVINE, strength=EXTRAPOLATED)


def _heads(config: ModelConfig) -> list[Step]:
    size = (
        f"{config.num_heads} heads of {config.head_dim}: models of this size that work have heads of "
        f"{laws.SMALLEST_WORKING_HEAD} to {laws.LARGEST_WORKING_HEAD}, and that smaller ones harm is what Ant-5M's "
        "author believes"
    )
    shared = (
        f"query heads to key-value heads {config.num_heads}:{config.num_kv_heads}: groups are close to full "
        f"attention at larger sizes ({AINSLIE}); {laws.GROUP_SIZE}:1 in GPT-S-5M, Atom-3.4m and MobileLLM "
        f"({MOBILE}). Decides between equals only"
    )
    return [
        Step(statement=size, source="cards of GPT-S-5M, Atom-3.4m and Ant-5M", strength=HYPOTHESIS),
        Step(statement=shared, source="cards and papers as named", strength=PRACTICE),
    ]


def _feed_forward(solution: Solution, config: ModelConfig, total: int) -> Step:
    found = (
        f"what is left pays for {config.intermediate_size} = {config.intermediate_size / config.hidden_size:.2f} x "
        f"{config.hidden_size}, where three matrices instead of two make 4 x width into 8/3 (2.67): {total:,} in "
        f"all, {solution.budget - total:,} unspent"
    )
    return Step(statement=found, source=SHAZEER, strength=PRACTICE)
