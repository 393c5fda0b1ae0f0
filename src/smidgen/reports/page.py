"""``index.html``: the run on one page that needs nothing but itself."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from smidgen.reports import reproduction, score_words, words
from smidgen.reports.absences import absences
from smidgen.reports.charts import (
    bar_chart,
    budget_bar,
    interval_chart,
    labelled_bars,
    length_chart,
    loss_curve,
    mixture_chart,
)
from smidgen.reports.limitations import limitations
from smidgen.reports.run_records import RunRecords
from smidgen.reports.settings_table import design_rows, sampling_words, self_reported_rows, training_rows
from smidgen.reports.summary import key_figures, sentence
from smidgen.reports.tokenizers import spending

TEMPLATES = Path(__file__).parent / "templates"
# A chart is drawn for a desk and for a phone, and the style sheet shows one: a single drawing scaled down to a
# phone would have letters of six pixels.
WIDE, NARROW = 720, 340


@dataclass(frozen=True)
class Chart:
    wide: Markup
    narrow: Markup


def render(records: RunRecords) -> str:
    template = environment().get_template("page.html.jinja")
    style, script = asset("page.css"), asset("page.js")
    return template.render(
        run=records,
        style=style,
        script=script,
        policy=content_policy(style, script),
        sentence=sentence(records),
        key_figures=key_figures(records),
        absences=absences(records),
        limitations=limitations(records),
        charts=charts(records),
        score_notes=score_words.notes(records.scores) if records.scores else [],
        commands=reproduction.commands(records),
        design_rows=design_rows(records.recipe),
        training_rows=training_rows(records.recipe),
        sampling=sampling_words(records),
        self_reported=self_reported_rows(records),
    )


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        words=words,
        score_words=score_words,
        loss_curve=loss_curve,
        length_chart=length_chart,
        mixture_chart=mixture_chart,
        spending=spending,
    )
    return made


def charts(records: RunRecords) -> dict[str, Chart]:
    """The charts for which the run has the numbers, by name."""
    drawn: dict[str, Chart] = {}
    if records.design:
        drawn["budget"] = _both(budget_bar.draw, records.design)
    if records.training:
        drawn["loss"] = _both(loss_curve.draw, records.training)
    if spent := spending.rows_of(records.tokenizer):
        drawn["spending"] = Chart(*(labelled_bars.draw(spending.TITLE, spent, width) for width in (WIDE, NARROW)))
    if records.mixture:
        drawn["mixture"] = _both(mixture_chart.draw, records.mixture)
    if records.manifest and records.manifest.stages:
        drawn["stages"] = _bars(bar_chart.STAGES_TITLE, bar_chart.stage_groups(records.manifest.stages))
    return {**drawn, **_score_charts(records)}


def content_policy(style: str, script: str) -> str:
    """Nothing may be loaded or sent; of styles and scripts only the page's own, by their hashes."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _score_charts(records: RunRecords) -> dict[str, Chart]:
    scores = records.scores
    drawn: dict[str, Chart] = {}
    if scores and scores.fractions:
        drawn["scores"] = _both(interval_chart.draw, scores.fractions)
    if scores and length_chart.lines(scores.scores):
        drawn["lengths"] = _both(length_chart.draw, scores.scores)
    bits = bar_chart.bits_groups(scores.bits_per_byte, scores.bits_by_source) if scores else []
    if bits:
        drawn["bits"] = _bars(bar_chart.BITS_TITLE, bits)
    return drawn


def _both(draw, content) -> Chart:
    return Chart(draw(content, WIDE), draw(content, NARROW))


def _bars(title: str, groups: list[bar_chart.BarGroup]) -> Chart:
    return Chart(bar_chart.draw(title, groups, WIDE), bar_chart.draw(title, groups, NARROW))


def asset(name: str) -> Markup:
    """A style sheet or script of ours, which holds no data of a run."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
