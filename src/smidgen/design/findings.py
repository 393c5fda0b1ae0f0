"""What is wrong or risky about a design, before anything is trained."""

from collections.abc import Callable, Iterator

from smidgen.design.finding import SEVERITIES, Finding
from smidgen.design.rules import attention, budget, exports, proportions, rotary, training, vocabulary
from smidgen.design.subject import Subject

RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    budget.over_budget,
    vocabulary.unused_ids,
    vocabulary.unseen_ids,
    vocabulary.embedding_share,
    attention.head_size,
    attention.kv_grouping,
    budget.published_correction,
    vocabulary.rare_tokens,
    rotary.aliasing,
    rotary.never_turning,
    proportions.depth,
    proportions.feed_forward,
    training.few_tokens,
    training.few_steps,
    training.learning_rate,
    training.batch_size,
    training.context_and_documents,
    exports.features,
    exports.k_quants,
)


def diagnose(subject: Subject) -> list[Finding]:
    """All findings, the severest first."""
    found = [finding for rule in RULES for finding in rule(subject)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
