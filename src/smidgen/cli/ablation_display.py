"""What a person sees of an ablation: the plan, the trials as they run, the verdicts."""

import time
from pathlib import Path
from typing import Any

from rich.progress import TaskID
from rich.text import Text

from smidgen.cli.bar_display import BarDisplay
from smidgen.cli.display import DOING, LINES_WITHOUT_TERMINAL
from smidgen.lab.ablation.definition import Ablation
from smidgen.lab.ablation.outcome import FINISHED
from smidgen.lab.ablation.sweep import Sweep
from smidgen.reports import words
from smidgen.trials.forecast import Forecast
from smidgen.trials.watcher import AblationWatcher


class AblationDisplay(BarDisplay, AblationWatcher):
    """The watcher of an ablation on the command line."""

    def __init__(self, ablation: Ablation, folder: Path, *, as_json: bool) -> None:
        super().__init__(as_json=as_json, bar_width=20)
        self.all: TaskID | None = None
        self.rows: dict[str, TaskID] = {}
        # How far each trial is that has not ended, and how many trials' worth was done since it began here.
        self.fractions: dict[str, float] = {}
        self.gained = 0.0
        self.trials = self.done = self.printed = 0
        self.begun_at = time.monotonic()
        self.screen.print(Text(ablation.question or ablation.name, style="bold"))
        names = ", ".join(variant.name for variant in ablation.variants) or "none: the noise floor alone"
        if ablation.sweep is not None:
            names = ", ".join([*(variant.name for variant in ablation.variants), sweep_words(ablation.sweep)])
        self.screen.print(Text(f"base {ablation.base.recipe.name}, variants {names}"))
        self.screen.print(f"folder {folder}")

    # The methods of `AblationWatcher`.

    def planned(self, forecast: Forecast) -> None:
        self._end_preparations()
        for line in plan_lines(forecast):
            self.screen.print(Text(line))
        if forecast.disk_bytes_left > forecast.free_bytes:
            self.noticed(
                f"the disk has {words.size(forecast.free_bytes)} free, and up to "
                f"{words.size(forecast.disk_bytes_left)} may be needed"
            )
        self.trials, self.done = forecast.trials, forecast.ended

    def preparing(self, what: str) -> None:
        self._end_preparations()
        self.rows[""] = self.bar.add_task(DOING.get(what, what), total=None, detail="")

    def counted(self, what: str, done: int, total: int) -> None:
        if "" in self.rows:
            detail = f"{what}: {words.count(done)} of {words.count(total)} tokens"
            self.bar.update(self.rows[""], completed=min(done, total), total=total, detail=detail)

    def started(self, trial: str) -> None:
        self._end_preparations()
        if self.all is None:
            self.begun_at = time.monotonic()
            self.all = self.bar.add_task("all trials", total=self.trials, detail="")
        self.rows[trial] = self.bar.add_task(trial, total=None, detail="")
        self._show_all()

    def told(self, trial: str, event: dict[str, Any]) -> None:
        if trial not in self.rows:
            return
        if event["event"] == "stage":
            self.bar.update(self.rows[trial], total=None, detail=DOING[event["stage"]])
            return
        fraction = event["step"] / event["steps"]
        self.gained += fraction - self.fractions.get(trial, fraction)
        self.fractions[trial] = fraction
        self.bar.update(self.rows[trial], completed=event["step"], total=event["steps"], detail=trial_detail(event))
        self._show_all()

    def left(self, trial: str) -> None:
        if trial in self.rows:
            self.bar.remove_task(self.rows.pop(trial))

    def ended(self, trial: str, record: dict[str, Any]) -> None:
        self.fractions.pop(trial, None)
        self.done += 1
        self.screen.print(Text(f"{self.done}/{self.trials}  {trial}  {ended_words(record)}"))
        self._show_all()

    def noticed(self, message: str) -> None:
        self.screen.print(Text(f"note: {message}", style="yellow"))

    def _end_preparations(self) -> None:
        if "" in self.rows:
            self.bar.remove_task(self.rows.pop(""))

    def _show_all(self) -> None:
        if self.all is None:
            return
        completed = self.done + sum(self.fractions.values())
        running = len(self.rows)
        detail = f"{self.done} done, {running} running, {self.trials - self.done - running} to come"
        if self.gained > 0 and completed < self.trials:
            seconds = (time.monotonic() - self.begun_at) / self.gained * (self.trials - completed)
            detail += f", about {words.duration(seconds)} left"
        self.bar.update(self.all, completed=completed, detail=detail)
        due = int(completed * LINES_WITHOUT_TERMINAL / self.trials)
        if not self.screen.is_terminal and due > self.printed:
            self.printed = due
            self.screen.print(f"  {detail}")


def plan_lines(forecast: Forecast) -> list[str]:
    """What is going to happen, before it does."""
    ended = f", {forecast.ended} of them ended before" if forecast.ended else ""
    kinds = {kind: forecast.workers.count(kind) for kind in dict.fromkeys(forecast.workers)}
    workers = ", ".join(f"{words.plural(count, 'worker')} ({kind} each)" for kind, count in kinds.items())
    time_words = (
        "time is known once the first trial runs"
        if forecast.seconds is None
        else f"about {words.duration(forecast.seconds)} at the speeds measured so far"
    )
    return [
        f"{words.plural(forecast.trials, 'trial')}{ended}; {words.count(forecast.tokens)} tokens to train on",
        time_words,
        f"{workers}; at most {words.size(forecast.disk_bytes)} of disk",
        *forecast.sentences,
    ]


def sweep_words(sweep: Sweep) -> str:
    """What a sweep adds to the variants."""
    axes = words.listing([axis.key for axis in sweep.axes])
    tried = f"{words.plural(sweep.planned, 'setting')} of {axes} (seed {sweep.seed}, {sweep.sampler})"
    return f"the best {sweep.confirm} of {tried}"


def trial_detail(event: dict[str, Any]) -> str:
    """The state of a running trial, the nearest things first, because a narrow terminal cuts the end."""
    parts = [
        f"loss {event['loss']:.3f}",
        f"{words.duration(event['seconds_left'])} left",
        "" if event["bits_per_byte"] is None else f"{event['bits_per_byte']:.3f} bits/byte",
        f"{words.count(event['tokens_per_second'])} tokens/s",
    ]
    return "  ".join(part for part in parts if part)


def ended_words(record: dict[str, Any]) -> str:
    if record["state"] == FINISHED:
        return f"{record['bits_per_byte']:.4f} bits/byte, {words.duration(record['seconds'])}"
    return f"{record['state']}: {record['message']}"
