"""``live.html``: a run while it goes on, on one page that needs nothing but itself and reads itself again."""

import time
from dataclasses import dataclass

from smidgen.records.atomic import TEMPORARY_PREFIX
from smidgen.records.run_folder import RunFolder
from smidgen.reports import words
from smidgen.reports.live import live_charts
from smidgen.reports.live.live_records import LiveRecords, read_live
from smidgen.reports.page import asset, content_policy, environment

NAME = "live.html"
REFRESH_SECONDS = 5
MOST_EVENTS = 40
# Sets of samples that are shown; all are in measurements.jsonl.
MOST_SAMPLE_SETS = 6


@dataclass(frozen=True, kw_only=True)
class Figure:
    name: str
    value: str
    note: str = ""


def write_live_page(run: RunFolder, *, is_running: bool) -> None:
    """Replace ``report/live.html`` in one step; a reader sees the old page or the new one.

    Unlike a run's own files it is not flushed to the disk: after a power cut it is made again.
    """
    path = run.report / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{TEMPORARY_PREFIX}{NAME}")
    try:
        unfinished.write_text(render(read_live(run), is_running=is_running, written=time.time()), encoding="utf-8")
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def render(records: LiveRecords, *, is_running: bool, written: float) -> str:
    """``written`` are seconds since 1970; a page that is no longer running does not read itself again."""
    style, script = asset("page.css") + asset("live.css"), asset("page.js") + asset("live.js")
    return (
        environment()
        .get_template("live.html.jinja")
        .render(
            run=records,
            style=style,
            script=script,
            policy=content_policy(style, script),
            refresh_seconds=REFRESH_SECONDS if is_running else None,
            written=written,
            written_words=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(written)),
            sentence=sentence(records, is_running=is_running),
            figures=figures(records),
            charts=live_charts.charts(records),
            sources=live_charts.sources(records),
            trial_charts=live_charts.trial_charts(records),
            layer_charts=live_charts.layer_charts(records),
            layer_columns=_columns(records),
            sample_sets=records.samples[::-1][:MOST_SAMPLE_SETS],
            events=records.events[::-1][:MOST_EVENTS],
        )
    )


def sentence(records: LiveRecords, *, is_running: bool) -> str:
    """Where the run stands."""
    if not records.training:
        return "Waiting for the first measurement." if is_running else "Stopped before anything was measured."
    tokens = f"{words.count(records.training.tokens)} tokens"
    if records.is_complete and not is_running:
        return f"Trained on {tokens} in {words.duration(records.training.seconds)}."
    done = f"{tokens} of {words.count(records.planned_tokens)}" if records.planned_tokens else tokens
    if not is_running:
        return f"Stopped after {done}; the same command goes on."
    left = records.seconds_left
    return f"Training: {done}{'' if left is None else f', about {words.duration(left)} left'}."


def figures(records: LiveRecords) -> list[Figure]:
    """The newest numbers, as far as they were measured."""
    found: list[Figure] = []
    if last := records.last:
        found.append(Figure(name="Loss", value=f"{last.loss:.3f}", note="nats per token"))
    if records.training and records.training.held_out:
        measured = records.training.held_out[-1]
        found.append(
            Figure(
                name="Held-out text",
                value=f"{measured.bits_per_byte:.3f}",
                note=f"bits per byte at step {words.exact(measured.step)}",
            )
        )
    if last and last.tokens_per_second is not None:
        found.append(Figure(name="Speed", value=words.count(last.tokens_per_second), note="tokens per second"))
    if last and last.fraction_of_peak is not None:
        share = words.percent(last.fraction_of_peak, 0)
        found.append(Figure(name="Of peak", value=share, note="of the best matrix product here"))
    if last and last.peak_memory_bytes is not None:
        on_gpu = "" if last.gpu_memory_bytes is None else f", {words.size(last.gpu_memory_bytes)} on the GPU"
        found.append(Figure(name="Memory", value=words.size(last.peak_memory_bytes), note=f"most so far{on_gpu}"))
    if last:
        found.append(Figure(name="Step", value=words.exact(last.step), note=words.duration(last.seconds)))
    return found


def _columns(records: LiveRecords) -> list[tuple[str, str, object]]:
    """The statistics that any part has: key, title, and how values are written."""
    parts = records.statistics[-1].parts.values() if records.statistics else ()
    return [column for column in live_charts.STATISTICS if any(column[0] in values for values in parts)]
