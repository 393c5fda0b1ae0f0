"""From a budget and constraints to the shapes that keep to them, the best first."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from smidgen.design.solving import score
from smidgen.design.solving.columns import SIZES, Columns, Integers
from smidgen.design.solving.constraints import Constraints, check_budget
from smidgen.design.solving.grid import shapes_within
from smidgen.design.solving.infeasible import refusal
from smidgen.design.solving.laws import Column
from smidgen.design.solving.limits import within_limits
from smidgen.model.config import ModelConfig

# Costs closer than this, as a share of the loss, are equal: sums of floats must not decide an order.
EQUAL = 1e-9
# Those whose shapes, at equal cost, come first: fewer key-value heads keep a smaller cache.
TIE_BREAKERS = ("num_kv_heads", "head_dim", "vocab_size", "hidden_size", "num_layers")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One shape. ``costs`` are shares of the loss by term, and ``cost`` is their sum."""

    config: ModelConfig
    parameters: int
    rank: int
    costs: dict[str, float]

    @property
    def cost(self) -> float:
        return sum(self.costs.values())

    @property
    def in_vocabulary(self) -> int:
        """Parameters of one table."""
        return self.config.vocab_size * self.config.hidden_size

    @property
    def elsewhere(self) -> int:
        """Parameters outside of the tables."""
        return self.parameters - (1 if self.config.tie_embeddings else 2) * self.in_vocabulary


@dataclass(frozen=True, kw_only=True)
class Solution:
    """All shapes that keep to the constraints, with what each costs. Position 0 of ``order`` is the best."""

    budget: int
    constraints: Constraints
    shapes: Columns
    costs: dict[str, Column]

    @cached_property
    def total_costs(self) -> Column:
        return np.sum(list(self.costs.values()), axis=0)

    @cached_property
    def order(self) -> Integers:
        """Positions of the shapes, the cheapest first and ties always alike."""
        rounded = np.round(self.total_costs / EQUAL).astype(np.int64)
        # np.lexsort looks at the last key first.
        return np.lexsort([*(getattr(self.shapes, name) for name in reversed(TIE_BREAKERS)), rounded])

    @cached_property
    def best_of_each_size(self) -> Integers:
        """Positions of the best shape of each width and depth, the best first."""
        sizes = np.stack([self.shapes.hidden_size, self.shapes.num_layers])[:, self.order]
        _, first = np.unique(sizes, axis=1, return_index=True)
        return self.order[np.sort(first)]

    def candidates(self, most: int) -> list[Candidate]:
        """The best ``most`` widths and depths, each with its best vocabulary and heads."""
        return [self.candidate(int(position)) for position in self.best_of_each_size[:most]]

    @cached_property
    def best(self) -> Candidate:
        return self.candidate(int(self.order[0]))

    def candidate(self, position: int) -> Candidate:
        config = ModelConfig(
            **self.shapes.sizes_at(position),
            context_length=self.constraints.context_length,
            tie_embeddings=self.constraints.tie_embeddings,
            xsa=self.constraints.xsa,
        )
        return Candidate(
            config=config,
            parameters=int(self.shapes.taken(np.array([position])).totals(tied=config.tie_embeddings)[0]),
            rank=int(np.flatnonzero(self.order == position)[0]) + 1,
            costs={code: float(cost[position]) for code, cost in self.costs.items()},
        )

    def find(self, config: ModelConfig) -> Candidate | None:
        """This very shape, if it is among the solutions."""
        is_same = np.all([getattr(self.shapes, name) == getattr(config, name) for name in SIZES], axis=0)
        found = np.flatnonzero(is_same)
        return self.candidate(int(found[0])) if len(found) else None


def solve(budget: int, constraints: Constraints) -> Solution:
    """Enumerate and rank the shapes of at most ``budget`` parameters and at least 99% of it.

    Raises ``BadInput`` for a budget out of range, and where no shape keeps to the constraints.
    """
    check_budget(budget)
    shapes = within_limits(shapes_within(budget, constraints), constraints)
    if not len(shapes):
        raise refusal(budget, constraints)
    of = score.measured(shapes, budget=budget, tables=constraints.tables)
    return Solution(budget=budget, constraints=constraints, shapes=shapes, costs=score.costs(of))
