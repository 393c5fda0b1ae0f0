"""``report/index.html`` of an ablation: the answer first, then everything that it rests on."""

import shlex
from collections import Counter
from pathlib import Path
from typing import Any

from smidgen.records import atomic
from smidgen.reports import words
from smidgen.reports.ablation import answer, noise, quantity, scaling, sweep, variant_table
from smidgen.reports.ablation.course import RUNNING, Courses, read_courses
from smidgen.reports.ablation.curve_charts import curve_charts, other_tokens
from smidgen.reports.ablation.effect import effects
from smidgen.reports.ablation.palette import colours
from smidgen.reports.ablation.realised import realised
from smidgen.reports.ablation.result import BITS_TASK, FINISHED, HALVED, Result, read_result
from smidgen.reports.ablation.sweep_chart import sweep_chart, sweep_rows
from smidgen.reports.page import asset, content_policy, environment
from smidgen.reports.stored.manifest import Manifest, read_manifest
from smidgen.reports.stored.values import text
from smidgen.reports.summary import KeyFigure

# Of more trials the table is folded.
MOST_OPEN_TRIALS = 16
# Undecided verdicts that are listed with the seeds they would take.
MOST_WANTING = 8


def write_ablation_page(result: dict[str, Any], folder: Path) -> Path:
    """Write ``report/index.html`` in the folder of an ablation and return its path.

    ``result`` is what ``ablation.json`` holds; curves come from ``trials/*/*/measurements.jsonl``. Results that are
    not finished are shown as far as they go. Raises ``BadInput`` for a result or measurements that are damaged.
    """
    read = read_result(result, folder / "ablation.json")
    index = folder / "report" / "index.html"
    page = render(read, read_courses(read, folder), folder)
    index.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(index, text(page))
    return index


def render(result: Result, courses: Courses, folder: Path) -> str:
    style = asset("page.css") + asset("comparison.css") + asset("ablation.css")
    script = asset("page.js")
    return (
        environment()
        .get_template("ablation.html.jinja")
        .render(
            result=result,
            title=result.question or result.name,
            headline=answer.headline(result),
            told=answer.told(result),
            most_told=answer.MOST_TOLD,
            key_figures=key_figures(result, courses),
            unfinished=unfinished(result),
            realised=realised(result),
            effects=effects(result),
            swept=sweep,
            sweep_chart=None if result.sweep is None else sweep_chart(result, result.sweep),
            sweep_rows=[] if result.sweep is None else sweep_rows(result.sweep),
            curves=curve_charts(result, courses),
            curve_names=_curve_names(result, courses),
            has_background=len(result.everyone) > len(colours(result)),
            has_cut=any(not one.is_whole and one.state != RUNNING for one in courses.trials) or _has(courses, HALVED),
            others=other_tokens(result),
            scalings=scaling.scaling_charts(result),
            colours=colours(result),
            holds_words=scaling.holds_words,
            place_words=lambda scale: scaling.place_words(result, scale),
            seed_counts=noise.seed_counts(result),
            noise_rows=noise.noise_rows(result),
            wanting=noise.wanting(result),
            most_wanting=MOST_WANTING,
            seeds_chart=noise.seeds_chart(result),
            variant_rows=variant_table.variant_rows(result),
            trial_rows=variant_table.trial_rows(result),
            most_open_trials=MOST_OPEN_TRIALS,
            definition=_definition(folder),
            command=shlex.join(["smidgen", "ablate", str(folder / "ablation.toml"), "--out", str(folder)]),
            manifest=_manifest(folder),
            quantity=quantity,
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def key_figures(result: Result, courses: Courses) -> list[KeyFigure]:
    trials = [trial for variant in result.everyone for trial in variant.trials]
    finished = sum(trial.state == FINISHED for trial in trials)
    planned = variant_table.planned_trials(result)
    spent = [trial.seconds for trial in trials]
    if result.sweep is not None:
        spent += [trial.seconds for trial in result.sweep.trials]
    seconds = sum(one or 0.0 for one in spent)
    figures = [
        KeyFigure(name="Seeds of each", value=str(len(result.seeds)), note=_seeds_words(result)),
        KeyFigure(name="Trials finished", value=f"{finished} of {planned}", note=_states_words(result, courses)),
    ]
    floor = next((one for one in result.noise_floor if one.task == BITS_TASK), None)
    if floor:
        spread = quantity.size_words(floor.metric, floor.standard_deviation)
        figures.append(KeyFigure(name="Noise floor", value=spread, note="bits per byte between seeds of the base"))
    if (detectable := result.detectable(BITS_TASK)) is not None:
        shown = quantity.size_words("bits_per_byte", detectable)
        figures.append(KeyFigure(name="Detectable", value=shown, note="bits per byte, in four of five tries"))
    if seconds:
        figures.append(KeyFigure(name="Training time", value=words.duration(seconds), note="of all trials together"))
    return figures


def unfinished(result: Result) -> str:
    """What is still to come, empty where nothing is."""
    if result.is_finished:
        return ""
    if result.sweep and not result.sweep.is_finished:
        return (
            f"{result.sweep.ended} of {words.plural(result.sweep.planned, 'trial')} of the sweep have ended. Its "
            "best settings are then trained under all seeds; the same command goes on where it stopped."
        )
    ended = sum(trial.has_ended for variant in result.everyone for trial in variant.trials)
    planned = variant_table.planned_trials(result)
    return (
        f"{ended} of {words.plural(planned, 'trial')} have ended. Verdicts are over the seeds that both sides have, "
        "and may change; the same command goes on where it stopped."
    )


def _seeds_words(result: Result) -> str:
    named = words.listing([str(seed) for seed in result.seeds])
    return f"{named}, the same for all" if len(result.seeds) < 8 else "the same for all"


def _states_words(result: Result, courses: Courses) -> str:
    """ "6 diverged, 1 running": of the trials that did not finish."""
    states = Counter(trial.state for variant in result.everyone for trial in variant.trials if trial.has_ended)
    states.update({RUNNING: _has(courses, RUNNING)})
    return ", ".join(
        f"{number} {variant_table.state_words(state)}"
        for state, number in states.items()
        if number and state != FINISHED
    )


def _has(courses: Courses, state: str) -> int:
    return sum(one.state == state for one in courses.trials)


def _curve_names(result: Result, courses: Courses) -> list[tuple[str, str]]:
    """Names with the classes of their colours, of those that have a curve."""
    return [(name, colour) for name, colour in colours(result).items() if courses.of(name)]


def _definition(folder: Path) -> str:
    """The file that the ablation was read from, as its folder keeps it."""
    path = folder / "ablation.toml"
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""


def _manifest(folder: Path) -> Manifest | None:
    """Of the first trial that has one: all trials of a machine have the same."""
    paths = sorted((folder / "trials").glob("*/*/manifest.json"))
    return read_manifest(paths[0]) if paths else None
