"""The solution of ``smidgen solve`` on one page that needs nothing but itself."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from smidgen.records import atomic
from smidgen.reports import words
from smidgen.reports.charts import budget_bar, design_space, svg
from smidgen.reports.page import NARROW, WIDE, Chart, asset, content_policy, environment
from smidgen.reports.solving.landmarks import landmarks
from smidgen.reports.solving.space import LIMITS, space_of
from smidgen.reports.stored.design import StoredDesign
from smidgen.reports.summary import KeyFigure

BUDGET_WIDTH = 190


def write_solution_page(result: dict[str, Any], out: Path, *, command: str) -> Path:
    """Write the page of what ``smidgen.solve`` returns, and return its path. ``command`` is what it says made it."""
    atomic.write_text(out, render(result, command=command))
    return out


def render(result: dict[str, Any], *, command: str) -> str:
    candidates = result["candidates"]
    best = candidates[0]
    space = space_of(result["space"], landmarks())
    style, script = asset("page.css") + asset("solution.css"), asset("page.js")
    parts = [part for part, number in best["parts"].items() if number]
    return (
        environment()
        .get_template("solution.html.jinja")
        .render(
            title=f"{words.count(result['budget'])} parameters: {best['num_layers']} layers of {best['hidden_size']}",
            summary=_summary(best),
            key_figures=_key_figures(result),
            notes=result["notes"],
            derivation=result["derivation"],
            terms=result["terms"],
            considered=result["considered"],
            candidates=candidates,
            has_speed="tokens_per_second" in best,
            budgets=[_budget(one) for one in candidates],
            parts=[(part.replace("_", " "), svg.series(number)) for number, part in enumerate(parts)],
            space_chart=Chart(design_space.draw(space, WIDE), design_space.draw(space, NARROW)),
            landmarks=space.landmarks,
            limits=LIMITS,
            command=command,
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def _summary(best: dict[str, Any]) -> str:
    return (
        f"A vocabulary of {words.exact(best['vocab_size'])}, {words.plural(best['num_heads'], 'query head')} and "
        f"{words.plural(best['num_kv_heads'], 'key-value head')} of {best['head_dim']} channels, a feed-forward "
        f"network of {best['intermediate_size']}."
    )


def _key_figures(result: dict[str, Any]) -> list[KeyFigure]:
    best = result["candidates"][0]
    figures = [
        KeyFigure(
            name="Parameters",
            value=words.exact(best["parameters"]),
            note=f"{words.exact(result['budget'] - best['parameters'])} of the budget unspent",
        ),
        KeyFigure(
            name="In the vocabulary",
            value=words.percent(best["parts"]["embedding"] / best["parameters"]),
            note="of all parameters",
        ),
        KeyFigure(name="Score", value=f"{best['score']:.3f}%", note="of the loss above an ideal shape"),
        KeyFigure(name="Cache", value=words.size(best["kv_cache_bytes"]), note="of a full context, bfloat16"),
        KeyFigure(name="Training", value=f"{words.count(best['training_flops_per_token'])}FLOP", note="per token"),
    ]
    if "tokens_per_second" in best:
        hardware = result["constraints"]["hardware"]
        figures.append(
            KeyFigure(name="Speed", value=words.count(best["tokens_per_second"]), note=f"tokens/s on {hardware}")
        )
    return figures


def _budget(candidate: dict[str, Any]) -> Markup:
    design = StoredDesign(
        total=candidate["parameters"],
        parts={part: number for part, number in candidate["parts"].items() if number},
        flops_per_token={},
        memory={},
        findings=(),
    )
    return budget_bar.draw(design, BUDGET_WIDTH)
