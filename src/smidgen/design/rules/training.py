"""Whether tokens, batch and learning rate suit the size, and the context the documents."""

import math
from collections.abc import Iterator

from smidgen.design import evidence
from smidgen.design.finding import Finding
from smidgen.design.flops import flops_by_part
from smidgen.design.shape import Shape
from smidgen.design.subject import Subject

# Chinchilla's rule of 20 tokens per parameter (arXiv:2203.15556) is far below what micro models are given.
FEW_TOKENS_PER_PARAMETER = 20
# Published systems of this size lie within a factor of 3 of the law, in rate and in batch.
RATE_FACTOR, BATCH_FACTOR = 4.0, 8.0
# 61 steps were far too few (experiments.md); where few begins is assumed.
FEWEST_STEPS = 200
# A document in more than so many parts, or so many documents in a context, is worth a word (assumed).
MOST_PARTS = 4


def few_tokens(subject: Subject) -> Iterator[Finding]:
    if subject.training is None:
        return
    total, tokens = subject.counts.total, subject.training.tokens
    if tokens < FEW_TOKENS_PER_PARAMETER * total:
        yield Finding(
            code="few-tokens",
            severity="note",
            message=f"{tokens / total:.1f} training tokens per parameter",
            evidence=evidence.FEW_TOKENS,
            changes={"training.tokens": FEW_TOKENS_PER_PARAMETER * total},
        )


def few_steps(subject: Subject) -> Iterator[Finding]:
    settings = subject.training
    if settings is None:
        return
    steps = settings.tokens // settings.batch_tokens
    if steps >= FEWEST_STEPS:
        return
    batch = settings.tokens // FEWEST_STEPS // subject.shape.context_length * subject.shape.context_length
    yield Finding(
        code="few-steps",
        severity="warning",
        message=f"training has {steps} steps, of {settings.batch_tokens:,} tokens each",
        evidence=evidence.FEW_STEPS,
        changes={"training.batch_tokens": batch}
        if batch
        else {"training.tokens": FEWEST_STEPS * settings.batch_tokens},
        effect=f"{FEWEST_STEPS} steps then",
    )


def learning_rate(subject: Subject) -> Iterator[Finding]:
    settings = subject.training
    if settings is None or settings.optimizer != "adamw":
        return
    law = lawful_learning_rate(subject.shape, settings.tokens)
    ratio = settings.peak_learning_rate / law
    if 1 / RATE_FACTOR <= ratio <= RATE_FACTOR:
        return
    yield Finding(
        code="learning-rate",
        severity="warning" if ratio > 1 else "note",
        message=f"the peak learning rate of {settings.peak_learning_rate:g} is {_times(ratio)} the {law:.1e} that "
        "suits this size and length",
        evidence=evidence.BATCH_AND_RATE,
        changes={"training.peak_learning_rate": float(f"{law:.1e}")},
    )


def batch_size(subject: Subject) -> Iterator[Finding]:
    settings, context = subject.training, subject.shape.context_length
    if settings is None:
        return
    law = lawful_batch_tokens(subject.shape, settings.tokens)
    ratio = settings.batch_tokens / law
    # One sequence is the smallest batch there is.
    if ratio <= BATCH_FACTOR and (ratio >= 1 / BATCH_FACTOR or law < context):
        return
    yield Finding(
        code="batch-size",
        severity="note",
        message=f"a batch of {settings.batch_tokens:,} tokens is {_times(ratio)} the {law:,.0f} that suit this size "
        "and length",
        evidence=evidence.BATCH_AND_RATE,
        changes={"training.batch_tokens": max(1, round(law / context)) * context},
    )


def context_and_documents(subject: Subject) -> Iterator[Finding]:
    documents, context = subject.document_tokens, subject.shape.context_length
    if documents is None:
        return
    if documents > MOST_PARTS * context:
        yield Finding(
            code="documents-cut",
            severity="note",
            message=f"documents of {documents:,} tokens are cut into {math.ceil(documents / context)} parts by a "
            f"context of {context:,}",
            evidence=evidence.DOCUMENTS_CUT,
            changes={
                "design.context_length": context * 2 ** math.ceil(math.log2(documents / (MOST_PARTS * context)))
            },
            effect="attention costs more then",
        )
    elif context > MOST_PARTS * documents and not (subject.training and subject.training.document_masks):
        yield Finding(
            code="documents-short",
            severity="note",
            message=f"a context of {context:,} tokens holds {context // documents} documents of {documents:,}, which "
            "read each other",
            evidence=evidence.DOCUMENTS_SHORT,
            changes={"training.document_masks": True},
            effect="or a shorter context, which costs less",
        )


def lawful_learning_rate(shape: Shape, tokens: int) -> float:
    """DeepSeek LLM (arXiv:2401.02954, section 3.1): from the compute without embedding and head."""
    return 0.3118 * _compute(shape, tokens) ** -0.1250


def lawful_batch_tokens(shape: Shape, tokens: int) -> float:
    return 0.2920 * _compute(shape, tokens) ** 0.3271


def _compute(shape: Shape, tokens: int) -> float:
    operations = flops_by_part(shape)["training"]
    return float(tokens) * (sum(operations.values()) - operations["head"])


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio >= 1 else f"1/{1 / ratio:.1f} of"
