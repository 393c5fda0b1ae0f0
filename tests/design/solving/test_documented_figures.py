"""The table of published shapes in docs/solving.md is what the solver says of them."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smidgen.design.parameters import count_parameters
from smidgen.design.solving import score
from smidgen.design.solving.columns import SIZES, Columns
from smidgen.design.solving.constraints import Constraints
from smidgen.design.solving.solver import solve
from smidgen.recipes.loading import load_recipe

PAGE = (Path(__file__).parents[3] / "docs" / "solving.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z0-9.-]+)` \| ([\d.]+) \| .*? \| (.*?) \| .*? \|$", PAGE, re.MULTILINE)


def test_all_published_shapes_are_in_the_table():
    names = {name for name, *_ in ROWS}
    assert names == {"atom-3.4m", "atom-2.7m", "atomixs2-5m", "gpt-s-5m", "ant-5m", "ant-5m-fixed"}


@pytest.mark.parametrize(("name", "stated", "against"), ROWS, ids=[name for name, *_ in ROWS])
def test_scores_and_ranks_are_as_stated(name, stated, against):
    design = replace(load_recipe(name).design, place_vocab_size=0, role_vocab_size=0, xsa=False)
    total = count_parameters(design).total
    shape = Columns(**{size: np.array([getattr(design, size)]) for size in SIZES})
    costs = score.costs(score.measured(shape, budget=total, tables=1))
    assert 100 * sum(float(cost[0]) for cost in costs.values()) == pytest.approx(float(stated), abs=0.006)
    solution = solve(total, Constraints(vocab_size=design.vocab_size, context_length=design.context_length))
    found = solution.find(design)
    if found is None:
        assert "no solver's" in against
    elif found.rank == 1:
        assert against == f"it is the best of {len(solution.shapes):,}"
    else:
        behind = 100 * (found.cost - solution.best.cost)
        assert against.startswith(f"rank {found.rank} of {len(solution.shapes):,}, {behind:.2f} behind")


def test_the_number_of_shapes_at_5m_is_as_stated():
    solution = solve(5_000_000, Constraints())
    assert f"At 5M these are {len(solution.shapes):,} shapes" in PAGE
    alike = int(np.sum(solution.total_costs < solution.best.cost + 0.001)) - 1
    assert f"At 5M {alike} others lie that close" in PAGE
