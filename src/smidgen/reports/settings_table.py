"""Settings of the recipe as rows for people, with a mark on what the recipe's source does not state."""

from dataclasses import dataclass
from typing import Any

from smidgen.reports import words
from smidgen.reports.run_records import RunRecords
from smidgen.reports.score_words import items, with_interval
from smidgen.reports.stored.recipe import SelfReported, StoredRecipe
from smidgen.reports.stored.scores import Score


@dataclass(frozen=True)
class SettingRow:
    name: str
    value: str
    is_inferred: bool = False


@dataclass(frozen=True)
class SelfReportedRow:
    """A published model's score as its authors state it, and ours with its items where the same was measured."""

    task: str
    metric: str
    reported: str
    measured: str
    items: str


_DESIGN = {
    "num_layers": "Layers",
    "hidden_size": "Hidden size",
    "num_heads": "Query heads",
    "num_kv_heads": "Key-value heads",
    "head_dim": "Head dimension",
    "intermediate_size": "Feed-forward size",
    "vocab_size": "Vocabulary",
    "context_length": "Context, tokens",
    "rope_theta": "RoPE theta",
    "tie_embeddings": "Tied embeddings",
    "xsa": "Exclusive self attention",
    "qk_norm": "Norms of queries and keys",
}
_TRAINING = {
    "tokens": "Planned tokens",
    "batch_tokens": "Batch, tokens",
    "peak_learning_rate": "Peak learning rate",
    "minimum_learning_rate": "Minimum learning rate",
    "schedule": "Schedule",
    "warmup_steps": "Warm-up, steps",
    "decay_start": "Decay starts at",
    "optimizer": "Optimiser",
    "beta1": "Beta 1",
    "beta2": "Beta 2",
    "weight_decay": "Weight decay",
    "gradient_clip": "Gradient clipping",
    "precision": "Precision",
    "seed": "Seed",
}


def design_rows(recipe: StoredRecipe | None) -> list[SettingRow]:
    return _rows(recipe, "design", recipe.design, _DESIGN) if recipe else []


def training_rows(recipe: StoredRecipe | None) -> list[SettingRow]:
    return _rows(recipe, "training", recipe.training, _TRAINING) if recipe else []


def sampling_words(records: RunRecords) -> str:
    """How the samples were drawn: "temperature 0.8, top p 0.95"; settings that are off are left out."""
    settings = records.samples.settings if records.samples else {}
    shown = {name: value for name, value in settings.items() if not _is_off(name, value)}
    return ", ".join(f"{name.replace('_', ' ')} {_spoken(value)}" for name, value in shown.items())


def self_reported_rows(records: RunRecords) -> list[SelfReportedRow]:
    scores = records.recipe.published.scores if records.recipe else ()
    return [_self_reported(score, records) for score in scores]


def _rows(recipe: StoredRecipe, section: str, settings: dict[str, Any], names: dict[str, str]) -> list[SettingRow]:
    return [
        SettingRow(name, _spoken(settings[key]), f"{section}.{key}" in recipe.inferred)
        for key, name in names.items()
        if settings.get(key) is not None
    ]


def _spoken(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return words.exact(value)
    return f"{value:,g}" if isinstance(value, float) else str(value)


def _is_off(name: str, value: Any) -> bool:
    neutral = {"top_k": 0, "top_p": 1, "min_p": 0, "repetition_penalty": 1, "no_repeat_ngram_size": 0}
    return value is None or (name in neutral and value == neutral[name])


def _self_reported(reported: SelfReported, records: RunRecords) -> SelfReportedRow:
    measured = next((score for score in _scores(records) if _same(score, reported)), None)
    return SelfReportedRow(
        task=reported.task,
        metric=reported.metric,
        reported=f"{reported.value:,.2f}" if _is_quantity(reported.metric) else f"{reported.value:.2f}%",
        measured=with_interval(measured) if measured else "not measured",
        items=items(measured) if measured else "–",
    )


def _scores(records: RunRecords) -> tuple[Score, ...]:
    return records.scores.scores if records.scores else ()


def _same(score: Score, reported: SelfReported) -> bool:
    """Only the very same task: names that merely resemble each other are other items."""
    return (score.task, score.metric) == (reported.task, reported.metric)


def _is_quantity(metric: str) -> bool:
    return any(word in metric for word in ("perplexity", "loss", "bits", "nats"))
