"""Everything ``smidgen design`` says about a design, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smidgen.design.config_file import require_possible
from smidgen.design.file_sizes import file_sizes, refused_formats
from smidgen.design.findings import diagnose
from smidgen.design.flops import flops_by_part, flops_per_token, needed_training_flops
from smidgen.design.memory import inference_memory
from smidgen.design.parameters import count_parameters
from smidgen.design.scale import scale_plan, training_rates
from smidgen.design.shape import Shape, shape_of
from smidgen.design.subject import EntriesSeen, Subject
from smidgen.design.training_memory import FLOAT32_BYTES, training_memory
from smidgen.recipes.recipe import Recipe
from smidgen.recipes.training import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What besides the design itself is asked: a ``budget`` of parameters, the usual length of documents, the entries
    of the vocabulary that its text uses, the length of the cache, and a plan for ``scale_tokens`` with prices by
    hardware.
    """

    budget: int | None = None
    document_tokens: int | None = None
    entries_seen: EntriesSeen | None = None
    cache_tokens: int | None = None
    scale_tokens: int | None = None
    price_per_hour: Mapping[str, float] = field(default_factory=dict)


NOTHING_BESIDES = Questions()


def summarise_recipe(recipe: Recipe, questions: Questions = NOTHING_BESIDES) -> dict[str, Any]:
    """Counts, costs and findings of a recipe's design. Raises ``BadInput`` for what no machine could hold."""
    subject = Subject(
        shape=require_possible(shape_of(recipe.design), origin=recipe.name),
        training=recipe.training,
        budget=questions.budget or recipe.parameter_budget,
        document_tokens=questions.document_tokens,
        entries_seen=questions.entries_seen,
    )
    return _summary(subject, recipe.name, questions)


def summarise_shape(
    shape: Shape, *, name: str, tokenizer_entries: int | None = None, questions: Questions = NOTHING_BESIDES
) -> dict[str, Any]:
    """The same of a model of others, of whose training nothing is known."""
    subject = Subject(
        shape=shape,
        budget=questions.budget,
        document_tokens=questions.document_tokens,
        tokenizer_entries=tokenizer_entries,
    )
    return _summary(subject, name, questions)


def _summary(subject: Subject, name: str, questions: Questions) -> dict[str, Any]:
    shape = subject.shape
    summary = {
        "name": name,
        "family": shape.family,
        "parameters": count_parameters(shape).as_dict(),
        "flops_per_token": flops_per_token(shape),
        "flops_by_part": flops_by_part(shape),
        "needed_training_flops": round(needed_training_flops(shape)),
        "memory": {**_training(subject), **inference_memory(shape, context_length=questions.cache_tokens)},
        "files": file_sizes(shape),
        "refused": refused_formats(shape),
        "speed": _speed(shape, subject.training),
        "findings": [finding.as_dict() for finding in diagnose(subject)],
    }
    if questions.scale_tokens is not None:
        summary["scale"] = scale_plan(shape, questions.scale_tokens, price_per_hour=questions.price_per_hour)
    return summary


def _training(subject: Subject) -> dict[str, int]:
    """What training takes; without settings only what does not depend on them, with AdamW."""
    weights = count_parameters(subject.shape).total * FLOAT32_BYTES
    if subject.training is not None:
        parts = training_memory(subject.shape, subject.training)
    else:
        parts = {"weights_bytes": weights, "gradients_bytes": weights, "optimizer_bytes": 2 * weights}
    held = ("weights_bytes", "gradients_bytes", "optimizer_bytes")
    return {**parts, "training_bytes": sum(parts[name] for name in held)}


def _speed(shape: Shape, training: TrainingSettings | None) -> list[dict[str, Any]]:
    """Training on named hardware, with the time of the recipe's own tokens."""
    return [
        {**rate, "seconds": round(training.tokens / rate["tokens_per_second"]) if training else None}
        for rate in training_rates(shape)
    ]
