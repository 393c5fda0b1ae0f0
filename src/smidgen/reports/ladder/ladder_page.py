"""A ladder of GGUF files on one page that needs nothing but itself."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from smidgen.records import atomic
from smidgen.reports import words
from smidgen.reports.charts.forest_plot import Axis, Estimate, Row, draw, limits
from smidgen.reports.ladder import rung_words
from smidgen.reports.page import NARROW, WIDE, Chart, asset, content_policy, environment
from smidgen.reports.summary import KeyFigure

REFERENCE = "F32"
# By the verdict; the style sheet decides the colours.
COLOURS = {"as good": "good", "slightly worse": "slight", "worse": "less", "scrambled": "lost"}
# A divergence of nothing has no place on a logarithmic axis.
_LEAST_KL = 1e-8

Rung = Mapping[str, Any]


def write_ladder_page(record: dict[str, Any], out: Path) -> Path:
    """Write the page of an export with a ladder, and return its path."""
    atomic.write_text(out, render(record))
    return out


def render(record: dict[str, Any]) -> str:
    ladder = record["ladder"]
    rungs = ladder["rungs"]
    style = asset("page.css") + asset("comparison.css") + asset("ladder.css")
    script = asset("page.js")
    return (
        environment()
        .get_template("ladder.html.jinja")
        .render(
            title=f"{ladder['model']}: what each GGUF type costs",
            summary=_summary(rungs),
            key_figures=_key_figures(ladder),
            ladder=ladder,
            rungs=rungs,
            columns=rung_words.COLUMNS,
            cells=rung_words.cells,
            intervals=rung_words.intervals,
            types_held=rung_words.types_held,
            scores_of=rung_words.scores_of,
            divergence=rung_words.divergence,
            has_scores=any(rung["scores"] for rung in rungs),
            colours=COLOURS,
            charts=_charts(ladder),
            refused=record["refused"],
            parity=record["parity"],
            notes=record["notes"],
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def _summary(rungs: Sequence[Rung]) -> str:
    """The smallest file of each verdict, best first."""
    found = []
    for verdict in COLOURS:
        names = [rung["type"] for rung in rungs if rung["verdict"] == verdict and rung["type"] != REFERENCE]
        if names:
            found.append(f"{words.listing(names)} {'are' if len(names) > 1 else 'is'} {_said(verdict)}")
    return f"{'; '.join(found)}." if found else "Nothing but F32 itself was written."


def _said(verdict: str) -> str:
    return f"{verdict} as F32" if verdict == "as good" else verdict


def _key_figures(ladder: Mapping[str, Any]) -> list[KeyFigure]:
    good = [rung for rung in ladder["rungs"] if rung["verdict"] == "as good"]
    figures = [KeyFigure(name="Parameters", value=words.count(ladder["parameters"]), note="")]
    if ladder["training_tokens"]:
        each = ladder["training_tokens"] / ladder["parameters"]
        figures.append(
            KeyFigure(
                name="Training tokens",
                value=words.count(ladder["training_tokens"]),
                note=f"{words.count(each)} for each parameter",
            )
        )
    if good:
        smallest = min(good, key=lambda rung: rung["bytes"])
        note = f"{smallest['type']}, {smallest['bits_per_weight']:.2f} bits per weight"
        figures.append(KeyFigure(name="Smallest as good", value=words.size(smallest["bytes"]), note=note))
    text = ladder["text"]
    note = f"{words.plural(text['texts'], 'text')} written"
    figures.append(KeyFigure(name="Held-out tokens", value=words.count(text["tokens"]), note=note))
    return figures


def _charts(ladder: Mapping[str, Any]) -> list[tuple[str, str, Chart]]:
    """Title, what to look for, and the drawing."""
    reference = ladder["reference"]
    found = [
        (
            "Divergence from F32",
            "In nats for each token, on a logarithmic scale. Less is better; F32 itself has none.",
            _divergence_chart(ladder["rungs"]),
        )
    ]
    if reference["real_words"]:
        found.append(
            (
                "Real words in what it writes",
                "Words that training text has. Shaded: the interval of F32.",
                _share_chart("Real words", ladder, lambda rung: rung["real_words"]),
            )
        )
    for how, share in (("greedy", _greedy_loops), ("sampled", _sampled_loops)):
        found.append(
            (
                f"{how.title()} texts that run into a loop",
                "Some unit of up to 64 tokens, four times in a row. Shaded: the interval of F32.",
                _share_chart(f"{how.title()} loops", ladder, share),
            )
        )
    return found


def _greedy_loops(rung: Rung) -> Any:
    return rung["loops"]["greedy"]


def _sampled_loops(rung: Rung) -> Any:
    return rung["loops"]["sampled"]


def _divergence_chart(rungs: Sequence[Rung]) -> Chart:
    rows = [_row(rung, *_logarithms(rung["kl"])) for rung in rungs if rung["kl"]["value"] > _LEAST_KL] or [
        Row(label="every file", words="no divergence")
    ]
    low, high = limits(rows) if rows[0].estimates else (-8.0, 0.0)
    axis = Axis(low=math.floor(low), high=math.ceil(high), tick_words=_power)
    return _both("Divergence of each file from F32", rows, axis)


def _logarithms(kl: Mapping[str, float]) -> tuple[float, float, float]:
    value, low, high = (math.log10(max(kl[key], _LEAST_KL)) for key in ("value", "low", "high"))
    return value, low, high


def _share_chart(title: str, ladder: Mapping[str, Any], share: Callable[[Rung], Any]) -> Chart:
    rows = [
        _row(rung, found["value"], found["low"], found["high"], words.percent(found["value"]))
        for rung in ladder["rungs"]
        if (found := share(rung))
    ]
    band = share(ladder["reference"])
    low, high = limits(rows, band["low"], band["high"])
    axis = Axis(
        low=max(0.0, low),
        high=min(1.0, high),
        tick_words=lambda value: words.percent(value, 0 if high - low > 0.1 else 1),
        band=(band["low"], band["high"]),
    )
    return _both(title, rows, axis)


def _row(rung: Rung, value: float, low: float, high: float, said: str = "") -> Row:
    colour = COLOURS[rung["verdict"]]
    return Row(
        label=f"{rung['type']}, {rung['bits_per_weight']:.2f} bits",
        estimates=(Estimate(value=value, low=low, high=high, colour=colour),),
        words=said or rung_words.divergence(rung["kl"]["value"]),
        tip=f"{rung['type']}\n{rung['verdict']}: {rung['why']}",
    )


def _power(exponent: float) -> str:
    return f"1e{exponent:.0f}" if exponent == round(exponent) else ""


def _both(title: str, rows: Sequence[Row], axis: Axis) -> Chart:
    return Chart(draw(title, rows, axis, WIDE), draw(title, rows, axis, NARROW))
