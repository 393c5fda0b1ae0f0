"""What a person sees while a run goes on: stages as they come, live progress, results as soon as they exist."""

from typing import Any

from rich.progress import TaskID
from rich.text import Text

from smidgen.cli.bar_display import BarDisplay
from smidgen.cli.design_display import show_design
from smidgen.cli.show import show_data, show_export, show_samples, show_scores
from smidgen.recipes.recipe import Recipe
from smidgen.records.run_folder import RunFolder
from smidgen.reports import words

# What each stage is called while it runs.
DOING = {
    "design": "counting the design",
    "tokenizer": "training the tokenizer",
    "data": "tokenising the mixture",
    "train": "pretraining",
    "evaluate": "scoring",
    "export": "exporting and reading back",
    "samples": "sampling",
    "report": "writing the report",
}
# Without a terminal a line of training progress is printed at each of these fractions of the steps.
LINES_WITHOUT_TERMINAL = 20


def progress_line(progress: Any) -> str:
    """The state of a training in one line: the nearest things first, because a narrow terminal cuts the end."""
    parts = [
        f"step {progress.step}/{progress.steps}",
        f"loss {progress.loss:.3f}",
        "" if progress.bits_per_byte is None else f"held-out {progress.bits_per_byte:.3f} bits/byte",
        f"{words.count(progress.tokens_per_second)} tokens/s",
        f"{words.duration(progress.seconds_left)} left",
        f"{words.percent(progress.fraction_of_peak, 0)} of peak",
        "" if progress.peak_memory_bytes is None else words.size(progress.peak_memory_bytes),
        "" if progress.gpu_memory_bytes is None else f"{words.size(progress.gpu_memory_bytes)} on GPU",
    ]
    return "  ".join(part for part in parts if part)


def trial_line(record: dict[str, Any]) -> str:
    """A quick evaluation or a set of samples in one line, "" for any other measurement."""
    if record["kind"] == "samples":
        samples = record["samples"]
        looping = sum(sample["loop"] for sample in samples)
        return f"step {record['step']}: {words.plural(len(samples), 'sample')}, {looping} in a loop"
    if record["kind"] != "evaluation":
        return ""
    scores = [
        f"{task} {metric} {score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"
        for task, metrics in record["scores"].items()
        for metric, score in list(metrics.items())[:1]
    ]
    skipped = [f"{task} skipped: {reason}" for task, reason in record["skipped"].items()]
    return f"step {record['step']}: {'; '.join([*scores, *skipped])}"


class LiveDisplay(BarDisplay):
    """The watcher of a run on the command line."""

    def __init__(self, recipe: Recipe, run: RunFolder, *, as_json: bool) -> None:
        super().__init__(as_json=as_json, bar_width=28)
        self.run = run
        self.shown: TaskID | None = None
        self.printed_steps = 0
        self.screen.print(Text(f"{recipe.name}  {recipe.description}", style="bold"))
        self.screen.print(f"run folder {run.path}")

    # The methods of `life.watcher.Watcher`, which is not imported because it would bring torch along.

    def stage_started(self, stage: str) -> None:
        if self.shown is not None:
            self.bar.remove_task(self.shown)
        self.shown = self.bar.add_task(DOING[stage], total=None, detail="")

    def stage_finished(self, stage: str, result: dict[str, Any], seconds: float) -> None:
        if self.shown is not None:
            self.bar.remove_task(self.shown)
            self.shown = None
        self.screen.print()
        self.screen.print(Text.assemble((stage, "bold cyan"), (f"  {words.duration(seconds)}", "dim")))
        getattr(self, f"_show_{stage}")(result)

    def counted(self, what: str, done: int, total: int) -> None:
        self._update(min(done, total), total, f"{what}: {words.count(done)} of {words.count(total)} tokens")

    def scoring(self, task: str) -> None:
        self._update(None, None, task)

    def trained(self, progress: Any) -> None:
        detail = progress_line(progress)
        self._update(progress.step, progress.steps, detail)
        due = progress.step * LINES_WITHOUT_TERMINAL // progress.steps
        if not self.screen.is_terminal and due > self.printed_steps:
            self.printed_steps = due
            self.screen.print(f"  {detail}")

    def measured(self, record: dict[str, Any]) -> None:
        """Losses are in the line of progress; what the model was tried on is shown as it comes."""
        if line := trial_line(record):
            self.screen.print(Text(f"  {line}"))

    def noticed(self, message: str) -> None:
        self.screen.print(Text(f"note: {message}", style="yellow"))

    def _update(self, done: float | None, total: float | None, detail: str) -> None:
        if self.shown is not None:
            self.bar.update(self.shown, completed=done, total=total, detail=detail)

    def _show_design(self, result: dict[str, Any]) -> None:
        show_design(self.screen, result, in_full=False)

    def _show_tokenizer(self, result: dict[str, Any]) -> None:
        self.screen.print(f"byte-level BPE with {result['vocab_size']:,} entries")

    def _show_data(self, result: dict[str, Any]) -> None:
        # Warnings were shown as they came.
        show_data(self.screen, {**result, "warnings": []})

    def _show_train(self, result: dict[str, Any]) -> None:
        loss = "" if result["loss"] is None else f", loss {result['loss']:.3f} nats per token"
        self.screen.print(
            f"{words.count(result['tokens'])} tokens in {result['step']} steps{loss}; "
            f"{words.count(result['tokens_per_second'])} tokens/s, "
            f"{words.percent(result['fraction_of_peak'])} of this machine's best matrix product"
        )

    def _show_evaluate(self, result: dict[str, Any]) -> None:
        show_scores(self.screen, result)

    def _show_export(self, result: dict[str, Any]) -> None:
        show_export(self.screen, result)

    def _show_samples(self, result: dict[str, Any]) -> None:
        show_samples(self.screen, result)

    def _show_report(self, result: dict[str, Any]) -> None:
        self.screen.print(f"open {result['report']}\ncard {result['card']}")
