"""A study of sampling settings on one page that needs nothing but itself."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smidgen.records import atomic
from smidgen.reports import words
from smidgen.reports.charts import heat_map
from smidgen.reports.charts.heat_map import HeatCell, HeatPanel
from smidgen.reports.page import NARROW, WIDE, Chart, asset, content_policy, environment
from smidgen.reports.samplers import setting_words as spoken
from smidgen.reports.summary import KeyFigure

TITLE = "Loops, repeated words, unknown words and likelihood by sampling setting"


def write_samplers_page(result: dict[str, Any], out: Path) -> Path:
    """Write the page of what ``smidgen.samplers`` returns, and return its path."""
    atomic.write_text(out, render(result))
    return out


def render(result: dict[str, Any]) -> str:
    style, script = asset("page.css") + asset("samplers.css"), asset("page.js")
    best = result["recommended"]
    drawn = _on_the_grid(result)
    rows = list(dict.fromkeys(spoken.others_words(one) for one in drawn))
    columns = [f"{one:g}" for one in sorted({one["temperature"] for one in drawn})]
    panels = _panels(result, drawn)
    named = [one for one in result["settings"] if one["names"]]
    examples = [one for one in result["settings"] if one["names"] or _is_best(one, best)]
    return (
        environment()
        .get_template("samplers.html.jinja")
        .render(
            title=f"How to sample {result['model']}",
            summary=f"Recommended: {spoken.setting_words(best)}.",
            key_figures=_key_figures(result),
            conditions=result["conditions"],
            rule=best["rule"],
            why=best["why"],
            recipe_section=result["recipe_section"],
            chart=Chart(*(heat_map.draw(TITLE, panels, rows, columns, width) for width in (WIDE, NARROW))),
            settings=result["settings"],
            named=named,
            examples=examples,
            real={**result["real_text"], "names": []},
            is_best=lambda one: _is_best(one, best),
            spoken=spoken,
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def _is_best(one: dict[str, Any], best: dict[str, Any]) -> bool:
    return all(one[name] == best[name] for name in ("temperature", *spoken.OFF))


def _key_figures(result: dict[str, Any]) -> list[KeyFigure]:
    best, real = result["recommended"], result["real_text"]

    def figure(name: str, key: str, unit: str = "") -> KeyFigure:
        return KeyFigure(
            name=name, value=spoken.value(best, key), note=f"{unit}{spoken.value(real, key)} in real text"
        )

    return [
        figure("Loops", "loop_rate"),
        figure("Unknown words", "garble"),
        figure("Distinct 3-grams", "distinct"),
        figure("Surprise", "nll", "nats a token; "),
        KeyFigure(name="Settings", value=words.exact(len(result["settings"])), note="tried"),
    ]


def _on_the_grid(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings that share their temperature and all else with others: a card's alone would be a row each."""
    settings, best = result["settings"], result["recommended"]
    rows = Counter(spoken.others_words(one) for one in settings)
    columns = Counter(one["temperature"] for one in settings)
    on_the_grid = [
        one
        for one in settings
        if _is_best(one, best) or (rows[spoken.others_words(one)] > 1 and columns[one["temperature"]] > 1)
    ]
    return on_the_grid if len(on_the_grid) > 1 else settings


def _panels(result: dict[str, Any], drawn: list[dict[str, Any]]) -> list[HeatPanel]:
    aim, best = result["real_text"]["nll"] or 0.0, result["recommended"]
    return [
        _panel(drawn, best, "Loops", lambda one: one["loop_rate"], lambda worst: f"darkest {worst:.0%} of texts"),
        _panel(drawn, best, "Unknown words", lambda one: one["garble"] or 0.0, lambda worst: f"darkest {worst:.1%}"),
        _panel(
            drawn, best, "Repeated 3-grams", lambda one: 1 - one["distinct"], lambda worst: f"darkest {worst:.0%}"
        ),
        _panel(
            drawn,
            best,
            "Off real likelihood",
            lambda one: abs((one["nll"] or 0.0) - aim),
            lambda worst: f"darkest {worst:.1f} nats",
        ),
    ]


def _panel(
    drawn: list[dict[str, Any]],
    best: dict[str, Any],
    title: str,
    badness: Callable[[dict[str, Any]], float],
    worst: Callable[[float], str],
) -> HeatPanel:
    darkest = max(map(badness, drawn))
    cells = [
        HeatCell(
            row=spoken.others_words(one),
            column=f"{one['temperature']:g}",
            shade=badness(one) / darkest if darkest else 0.0,
            tip=_tip(one),
            is_best=_is_best(one, best),
        )
        for one in drawn
    ]
    return HeatPanel(title=title, worst=worst(darkest), cells=tuple(cells))


def _tip(one: dict[str, Any]) -> str:
    measured = [f"{name} {spoken.value_with_interval(one, key)}" for key, name in spoken.SHOWN.items()]
    advice = [f"advice of {words.listing(one['names'])}"] if one["names"] else []
    return "\n".join([spoken.setting_words(one), *measured, *advice])
