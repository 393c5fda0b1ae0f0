"""What each law says that a shape costs: shares of the loss, which add up to its score."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from smidgen.design.solving import laws
from smidgen.design.solving.columns import Columns
from smidgen.design.solving.laws import Column

# How far to trust a term.
EXTRAPOLATED = "law fitted at larger sizes"
PRACTICE = "practice of published models"
HYPOTHESIS = "hypothesis"

TAO = "Tao et al. 2024, arXiv:2407.13623"
LEVINE = "Levine et al. 2020, arXiv:2006.12467"
KAPLAN = "Kaplan et al. 2020, arXiv:2001.08361"
SHAZEER = "Shazeer 2020, arXiv:2002.05202"
AINSLIE = "Ainslie et al. 2023, arXiv:2305.13245"
MOBILE = "Liu et al. 2024, arXiv:2402.14905"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Shapes with what the laws ask of them. ``in_vocabulary`` are the parameters of one table."""

    shapes: Columns
    budget: int
    tables: int
    total: Column
    in_vocabulary: Column
    elsewhere: Column

    @cached_property
    def loss(self) -> Column:
        """What a share of the loss is a share of."""
        return laws.expected_loss(self.elsewhere)

    @cached_property
    def best_split_loss(self) -> Column:
        """That of the best split of each total, between few of them: they differ by a percent."""
        totals = np.linspace(self.total.min(), self.total.max(), 65)
        return np.interp(self.total, totals, laws.best_split_loss(totals, self.tables))

    @property
    def aspect(self) -> Column:
        return self.shapes.hidden_size / self.shapes.num_layers

    @property
    def feed_forward_ratio(self) -> Column:
        return self.shapes.intermediate_size / self.shapes.hidden_size


def measured(shapes: Columns, *, budget: int, tables: int) -> Measured:
    total = shapes.totals(tied=tables == 1).astype(float)
    in_vocabulary = (shapes.vocab_size * shapes.hidden_size).astype(float)
    return Measured(
        shapes=shapes,
        budget=budget,
        tables=tables,
        total=total,
        in_vocabulary=in_vocabulary,
        elsewhere=total - tables * in_vocabulary,
    )


@dataclass(frozen=True, kw_only=True)
class Term:
    """One reason why a shape is worse than it could be. ``cost`` gives shares of the loss."""

    code: str
    name: str
    source: str
    strength: str
    cost: Callable[[Measured], Column]


def _unspent(of: Measured) -> Column:
    return (of.best_split_loss - laws.best_split_loss(np.array([float(of.budget)]), of.tables)) / of.loss


def _vocabulary(of: Measured) -> Column:
    return (laws.layer_and_vocabulary_loss(of.elsewhere, of.in_vocabulary) - of.best_split_loss) / of.loss


TERMS = (
    Term(code="unspent", name="parameters not spent", source=TAO, strength=EXTRAPOLATED, cost=_unspent),
    Term(code="vocabulary", name="vocabulary against layers", source=TAO, strength=EXTRAPOLATED, cost=_vocabulary),
    Term(
        code="depth",
        name="depth against width",
        source=f"{LEVINE}; how much it costs: {KAPLAN}",
        strength=EXTRAPOLATED,
        cost=lambda of: laws.departure(of.aspect, laws.best_aspect(of.elsewhere)),
    ),
    Term(
        code="feed_forward",
        name="feed-forward width",
        source=f"{SHAZEER}; how much it costs: assumed as for depth",
        strength=PRACTICE,
        cost=lambda of: laws.departure(of.feed_forward_ratio, laws.FEED_FORWARD_RATIO),
    ),
    Term(
        code="head_size",
        name="head size",
        source="32 to 64 in the models that work (cards of GPT-S-5M and Atom-3.4m); cost assumed as for depth",
        strength=HYPOTHESIS,
        cost=lambda of: laws.head_departure(of.shapes.head_dim.astype(float)),
    ),
    Term(
        code="grouping",
        name="query heads to a key-value head",
        source=f"{AINSLIE}; {MOBILE}; cost assumed, to break ties",
        strength=PRACTICE,
        cost=lambda of: laws.group_departure(of.shapes.num_heads / of.shapes.num_kv_heads),
    ),
)
TERMS_BY_CODE = {term.code: term for term in TERMS}


def costs(of: Measured) -> dict[str, Column]:
    """The cost of each term by its code."""
    return {term.code: term.cost(of) for term in TERMS}
