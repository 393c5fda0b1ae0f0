"""Two or more models on one page: who is better at what, how sure that is, and where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.lab.diagnosis import Disagreements, disagreements
from smidgen.records import atomic
from smidgen.reports import words
from smidgen.reports.comparison import provenance, score_grid
from smidgen.reports.comparison.breakdown import breakdowns, domains
from smidgen.reports.comparison.contender import Contender, contenders
from smidgen.reports.comparison.metrics import signed, signed_words
from smidgen.reports.comparison.panel import calibration_panels, margin_panels
from smidgen.reports.comparison.verdict import Duel, Verdict, duels
from smidgen.reports.page import NARROW, WIDE, Chart, asset, content_policy, environment
from smidgen.reports.stored.values import text

# Panels that are open at once, and items listed on each side of a disagreement.
OPEN_PANELS = 4
MOST_ITEMS = 10


@dataclass(frozen=True, kw_only=True)
class Contested:
    """The items of one comparison on which two models differ."""

    verdict: Verdict
    found: Disagreements


def write_comparison_page(
    records: Sequence[Mapping[str, Any]], comparisons: Sequence[Mapping[str, Any]], out: Path
) -> Path:
    """Write one self-contained page from score records and the outcomes of comparing them, and return its path.

    ``comparisons`` name models as the records do and hold the fields of ``Verdict``. Raises ``BadInput`` for fewer
    than two records, for two of the same name, and for a comparison with a model that is not among them.
    """
    models, pairs = contenders(records), duels(comparisons)
    _check_names(models, pairs)
    atomic.write_text(out, text(render(models, pairs)))
    return out


def render(models: Sequence[Contender], pairs: Sequence[Duel]) -> str:
    metrics = metrics_to_quote(models, pairs)
    style, script = asset("page.css") + asset("comparison.css"), asset("page.js")
    return (
        environment()
        .get_template("comparison.html.jinja")
        .render(
            models=models,
            signed=signed,
            signed_words=signed_words,
            duels=pairs,
            title=title(models),
            forests={duel: _forests(duel) for duel in pairs},
            main_rows=score_grid.main_rows(models, metrics),
            all_rows=score_grid.all_rows(models),
            margins=margin_panels(models, metrics),
            calibrations=calibration_panels(models, metrics),
            breakdowns=breakdowns(models, metrics),
            domains=domains(models),
            contested=contested(models, pairs),
            open_panels=OPEN_PANELS,
            most_items=MOST_ITEMS,
            provenance=provenance.rows(models, metrics),
            mismatches=provenance.mismatches(models),
            warnings=provenance.warnings(models),
            data_files=provenance.data_files(models),
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def title(models: Sequence[Contender]) -> str:
    names = [model.name for model in models]
    return f"{names[0]} against {names[1]}" if len(names) == 2 else f"{len(names)} models compared"


def metrics_to_quote(models: Sequence[Contender], pairs: Sequence[Duel]) -> dict[str, str]:
    """By task: the metric that was compared, else the first of the record."""
    compared = {verdict.task: verdict.metric for duel in reversed(pairs) for verdict in reversed(duel.verdicts)}
    quoted: dict[str, str] = {}
    for model in models:
        for task in model.main_tasks:
            quoted.setdefault(task, compared.get(task) or next(iter(model.record["scores"][task])))
    return quoted


def contested(models: Sequence[Contender], pairs: Sequence[Duel]) -> list[Contested]:
    """For each comparison whose items say who was right."""
    by_name = {model.name: model.record for model in models}
    found = [
        Contested(
            verdict=verdict,
            found=disagreements(by_name[verdict.a], by_name[verdict.b], verdict.task, verdict.metric),
        )
        for duel in pairs
        for verdict in duel.verdicts
    ]
    return [one for one in found if one.found.only_a or one.found.only_b]


def _check_names(models: Sequence[Contender], pairs: Sequence[Duel]) -> None:
    known = [model.name for model in models]
    unknown = next((name for duel in pairs for name in (duel.a, duel.b) if name not in known), None)
    if unknown is not None:
        raise BadInput(f"a comparison names {unknown!r}, and the records are of {words.listing(known)}")


def _forests(duel: Duel) -> dict[str, Chart]:
    wide, narrow = duel.plots(WIDE), duel.plots(NARROW)
    return {unit: Chart(wide[unit], narrow[unit]) for unit in wide}
