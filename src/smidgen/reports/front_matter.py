"""The YAML head of a model card, in the fields that the Hugging Face hub reads."""

import json
import re
from typing import Any

from smidgen.reports import words
from smidgen.reports.hub_dataset import HubDataset, hub_dataset
from smidgen.reports.run_records import RunRecords
from smidgen.reports.score_words import value
from smidgen.reports.stored.scores import Score

# The hub's word for "the author has not said".
UNKNOWN_LICENSE = "unknown"
# The hub shows it as a link: to the items, since no leaderboard stands behind these numbers.
SOURCE = "Measured by Smidgen on this dataset"
# Words that need no quotes, and those of them that YAML reads as true, false or nothing.
_BARE = re.compile(r"[A-Za-z][\w./-]*", re.ASCII)
_RESERVED = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def front_matter(records: RunRecords) -> str:
    """Between two lines of dashes. JSON strings are valid YAML strings, so no text of the run can leave its place."""
    lines = [f"{key}:{_yaml(value)}" for key, value in _fields(records).items() if value not in (None, [])]
    results = _results(records)
    if results:
        lines += ["model-index:", f"- name:{_yaml(records.name)}", "  results:", *results]
    return "\n".join(["---", *lines, "---"])


def license_of(records: RunRecords) -> str:
    """The recipe's, in the hub's spelling; it is never guessed."""
    stated = records.recipe.published.license.strip().lower() if records.recipe else ""
    return stated if re.fullmatch(r"[a-z0-9][a-z0-9.-]*", stated) else UNKNOWN_LICENSE


def language_of(records: RunRecords) -> str | None:
    """English where every source is a dataset of the recipe or built in; text of the user's own may be anything."""
    sources = records.recipe.sources.values() if records.recipe else []
    return "en" if sources and all(source.hub or source.generator for source in sources) else None


def hub_datasets(records: RunRecords) -> list[str]:
    sources = records.recipe.sources.values() if records.recipe else []
    return list(dict.fromkeys(source.hub for source in sources if source.hub))


def _fields(records: RunRecords) -> dict[str, Any]:
    language = language_of(records)
    return {
        "license": license_of(records),
        "language": [language] if language else None,
        "library_name": "transformers" if any(export.format == "hf" for export in records.exports) else "smidgen",
        "pipeline_tag": "text-generation",
        "tags": _tags(records),
        "datasets": hub_datasets(records),
    }


def _tags(records: RunRecords) -> list[str]:
    design = records.recipe.design if records.recipe else {}
    marks = {
        "grouped-query-attention": design.get("num_kv_heads") != design.get("num_heads"),
        "xsa": bool(design.get("xsa")),
        "qk-norm": bool(design.get("qk_norm")),
        "digit-features": bool(design.get("place_vocab_size")),
        "custom_code": any(export.needs_remote_code for export in records.exports),
    }
    return ["smidgen", "small-language-model", "causal-lm", *(mark for mark, holds in marks.items() if holds)]


def _results(records: RunRecords) -> list[str]:
    """Measured values only, of whole tasks: what others report of their models has no place here."""
    if not records.scores:
        return []
    sources, by_task = records.scores.sources, dict[str, list[Score]]()
    for score in records.scores.scores:
        if not score.is_detail:
            by_task.setdefault(score.task, []).append(score)
    return [
        line for task, scores in by_task.items() for line in _result(hub_dataset(task, sources.get(task, "")), scores)
    ]


def _result(dataset: HubDataset, scores: list[Score]) -> list[str]:
    """In the schema of ``huggingface_hub.repocard_data.model_index_to_eval_results``."""
    metrics = [
        line
        for score in scores
        for line in (
            f"    - type:{_yaml(score.metric)}",
            f"      value: {json.dumps(score.value)}",
            f"      name:{_yaml(_metric_name(score))}",
        )
    ]
    return [
        "  - task:",
        "      type: text-generation",
        "      name: Text Generation",
        "    dataset:",
        f"      type:{_yaml(dataset.id)}",
        f"      name:{_yaml(dataset.name)}",
        *_where(dataset),
        "    metrics:",
        *metrics,
        *_source(dataset),
    ]


def _where(dataset: HubDataset) -> list[str]:
    fields = {"config": dataset.config, "split": dataset.split}
    return [f"      {key}:{_yaml(value)}" for key, value in fields.items() if value]


def _source(dataset: HubDataset) -> list[str]:
    """A source must have an address, which items made here have not."""
    if not dataset.card:
        return []
    return ["    source:", f"      name:{_yaml(SOURCE)}", f"      url:{_yaml(dataset.card)}"]


def _metric_name(score: Score) -> str:
    parts = [score.metric]
    if score.low is not None and score.high is not None:
        ends = [f"{end:.4g}" if score.is_fraction else value(score, end) for end in (score.low, score.high)]
        parts.append(f"95% interval {' to '.join(ends)}")
    if score.n is not None:
        parts.append(words.plural(score.n, "item"))
    return ", ".join(parts)


def _yaml(value: Any) -> str:
    """What follows a colon or dash. Plain words stay bare, as people write them; the rest is JSON, which is YAML."""
    if isinstance(value, list):
        return "".join(f"\n-{_yaml(item)}" for item in value)
    is_bare = isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _RESERVED
    return f" {value if is_bare else json.dumps(value, ensure_ascii=False)}"
