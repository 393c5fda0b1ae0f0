"""Everything ``smidgen solve`` says, as plain data. Costs and scores are percent of the loss."""

from dataclasses import asdict
from typing import Any

from smidgen.design.parameters import count_parameters
from smidgen.design.solving.columns import SIZES
from smidgen.design.solving.derivation import derivation
from smidgen.design.solving.limits import cache_bytes, training_flops, training_speed
from smidgen.design.solving.remarks import remarks, worth
from smidgen.design.solving.score import TERMS, TERMS_BY_CODE
from smidgen.design.solving.solver import Candidate, Solution

DECIMALS = 4


def summarise_solution(solution: Solution, *, top: int) -> dict[str, Any]:
    """Candidates, the best first; each term of the best one's score; the derivation; the design space.

    ``space`` holds the width, depth and score of the best shape of each width and depth.
    """
    best = solution.best
    return {
        "budget": solution.budget,
        "constraints": solution.constraints.as_dict(),
        "considered": len(solution.shapes),
        "candidates": [_candidate(solution, candidate) for candidate in solution.candidates(top)],
        "terms": [
            {
                "code": term.code,
                "name": term.name,
                "cost": _percent(best.costs[term.code]),
                "source": term.source,
                "strength": term.strength,
            }
            for term in TERMS
        ],
        "derivation": [asdict(step) for step in derivation(solution)],
        "notes": remarks(solution),
        "space": [
            [
                int(solution.shapes.hidden_size[position]),
                int(solution.shapes.num_layers[position]),
                _percent(float(solution.total_costs[position])),
            ]
            for position in solution.best_of_each_size
        ],
    }


def _candidate(solution: Solution, candidate: Candidate) -> dict[str, Any]:
    constraints = solution.constraints
    shape = solution.shapes.taken(solution.order[candidate.rank - 1 : candidate.rank])
    stated = {
        **{name: getattr(candidate.config, name) for name in SIZES},
        "parameters": candidate.parameters,
        "parts": asdict(count_parameters(candidate.config)),
        "score": _percent(candidate.cost),
        "why": why(candidate),
        "rank": candidate.rank,
        "costs": {code: _percent(cost) for code, cost in candidate.costs.items()},
        "as_good_as_parameters": worth(solution, candidate),
        "kv_cache_bytes": int(cache_bytes(shape, constraints)[0]),
        "training_flops_per_token": int(training_flops(shape, constraints)[0]),
    }
    if constraints.hardware:
        stated["tokens_per_second"] = round(float(training_speed(shape, constraints)[0]), 1)
    return stated


def why(candidate: Candidate) -> str:
    """A sentence: the ratios that the laws look at, and what the shape loses most by."""
    config = candidate.config
    code = max(candidate.costs, key=lambda code: candidate.costs[code])
    ratio = config.intermediate_size / config.hidden_size
    return (
        f"{1 - candidate.elsewhere / candidate.parameters:.0%} in the vocabulary, width over depth "
        f"{config.hidden_size / config.num_layers:.0f}, feed-forward {ratio:.2f} x width, query heads to key-value "
        f"heads {config.group_size}:1, of {config.head_dim} channels; loses most by {TERMS_BY_CODE[code].name} "
        f"({candidate.costs[code]:.3%})"
    )


def _percent(share: float) -> float:
    return round(100 * share, DECIMALS)
