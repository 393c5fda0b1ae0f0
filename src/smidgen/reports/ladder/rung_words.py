"""The figures of a rung as a terminal and a page say them."""

from collections.abc import Mapping, Sequence
from typing import Any

from smidgen.reports import words

# Column -> what stands in it. Divergence is in nats for each token.
COLUMNS = {
    "bits": "Bits per weight",
    "bytes": "Size",
    "kl": "KL to F32",
    "top1": "Same top token",
    "perplexity": "Perplexity",
    "real_words": "Real words",
    "greedy": "Greedy loops",
    "sampled": "Sampled loops",
}


def cells(rung: Mapping[str, Any]) -> dict[str, str]:
    """One text for each column, values before their intervals."""
    return {
        "bits": f"{rung['bits_per_weight']:.2f}",
        "bytes": words.size(rung["bytes"]),
        "kl": divergence(rung["kl"]["value"]),
        "top1": words.percent(rung["top1"]["value"], 2),
        "perplexity": f"{rung['perplexity']['value']:.3f}",
        "real_words": share(rung["real_words"]),
        "greedy": share(rung["loops"]["greedy"]),
        "sampled": share(rung["loops"]["sampled"]),
    }


def intervals(rung: Mapping[str, Any]) -> dict[str, str]:
    """What stands below the value where it has an interval."""
    change = rung["perplexity_change"]
    return {
        "kl": _between(rung["kl"], divergence),
        "top1": _between(rung["top1"], lambda value: words.percent(value, 2)),
        "perplexity": f"{signed(change['value'])} ({signed(change['low'])} to {signed(change['high'])})",
        "real_words": _between(rung["real_words"], words.percent),
        "greedy": _between(rung["loops"]["greedy"], words.percent),
        "sampled": _between(rung["loops"]["sampled"], words.percent),
    }


def divergence(nats: float) -> str:
    return f"{nats:.1e}" if nats else "0"


def share(score: Mapping[str, Any] | None) -> str:
    """None where nothing was written that counts."""
    return words.percent(score["value"]) if score else "–"


def signed(change: float) -> str:
    text = f"{100 * abs(change):.2f}%"
    return text if text == "0.00%" else f"{'+' if change > 0 else words.MINUS}{text}"


def types_held(types: Mapping[str, int]) -> str:
    """The tensors of a file by type, norms in F32 aside: "24 Q4_K, 5 Q6_K"."""
    return words.listing([f"{count} {kind}" for kind, count in types.items()])


def scores_of(rung: Mapping[str, Any], compared: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Task, metric, value with interval, and the paired verdict against F32, of the metrics that were compared."""
    judged = {(one["task"], one["metric"]): one for one in rung["comparisons"]}
    return [
        {
            "task": task,
            "metric": metric.replace("_", " "),
            **rung["scores"][task][metric],
            "comparison": judged.get((task, metric)),
        }
        for task, metric in compared
    ]


def _between(score: Mapping[str, Any] | None, said: Any) -> str:
    return f"{said(score['low'])} to {said(score['high'])}" if score else ""
