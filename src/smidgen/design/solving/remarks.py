"""What to know about a solution before trusting or using it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from smidgen.design.solving import laws
from smidgen.design.solving.limits import training_speed
from smidgen.design.solving.solver import Candidate, Solution, solve
from smidgen.errors import BadInput

# A vocabulary that costs more than this, as a share of the loss, is worth a sentence: the published models of this
# size that work stay below it by the same laws.
NOTABLE = 0.005
# The laws are extrapolated and their constants rounded; they cannot order shapes that lie closer. Assumed.
ALIKE = 0.001


def remarks(solution: Solution) -> list[str]:
    """Sentences, the gravest first."""
    return [*_vocabulary(solution), *_alike(solution), *_tokens(solution), *_features(solution)]


def worth(solution: Solution, candidate: Candidate) -> int:
    """Parameters of a model of the best shape that would be as good."""
    tables, budget = solution.constraints.tables, np.array([float(solution.budget)])
    loss = laws.best_split_loss(budget, tables) + candidate.cost * laws.expected_loss(np.array([candidate.elsewhere]))
    return min(solution.budget, round(laws.as_good_as(float(loss[0]), tables)))


def _vocabulary(solution: Solution) -> Iterator[str]:
    if solution.constraints.vocab_size is None or solution.best.cost < NOTABLE:
        return
    try:
        free = solve(solution.budget, replace(solution.constraints, vocab_size=None)).best
    except BadInput:  # no round vocabulary meets the budget: nothing to hold this one against
        return
    if solution.best.cost - free.cost < NOTABLE:
        return
    as_good = worth(solution, solution.best)
    yield (
        f"a vocabulary of {solution.constraints.vocab_size:,} costs at least "
        f"{solution.best.cost - free.cost:.1%} of the loss: its best shape is as good as {as_good:,} parameters "
        f"spent well, so {solution.budget - as_good:,} ({1 - as_good / solution.budget:.0%}) are lost; "
        f"{free.config.vocab_size:,} would lose next to nothing"
    )


def _alike(solution: Solution) -> Iterator[str]:
    others = int(np.sum(solution.total_costs < solution.best.cost + ALIKE)) - 1
    yield (
        f"{others:,} others of {len(solution.shapes):,} shapes lie within {ALIKE:.1%} of the loss of the best, which "
        "is less than these laws can tell apart"
    )


def _tokens(solution: Solution) -> Iterator[str]:
    constraints = solution.constraints
    tokens, parameters = constraints.training_tokens, solution.best.parameters
    if tokens is None:
        return
    yield (
        f"{tokens:,} tokens are {tokens / parameters:,.0f} for each parameter; they do not change the order of "
        "shapes, because the fit adds what tokens do to what the shape does"
    )
    if constraints.hardware:
        best = solution.shapes.taken(solution.order[:1])
        hours = tokens / float(training_speed(best, constraints)[0]) / 3600
        yield f"{tokens:,} tokens take the best shape about {hours:,.1f} hours on {constraints.hardware}"


def _features(solution: Solution) -> Iterator[str]:
    if solution.constraints.xsa:
        yield "XSA costs no parameters and no score here; neither GGUF nor a stock Llama can carry it"
