"""What `run` and `train` share: a life with a display, stopped by signals or a budget."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from smidgen.cli.display import LiveDisplay
from smidgen.cli.processes import is_first_process
from smidgen.errors import Interrupted, OutOfResources, SmidgenError
from smidgen.life.sinks.sink import require_known
from smidgen.life.watcher import Watcher
from smidgen.recipes.ownership import claim
from smidgen.recipes.recipe import Recipe
from smidgen.records.run_folder import RunFolder
from smidgen.stopping import StopRequest, stop_on_signals


def live_run(
    recipe: Recipe,
    run: RunFolder,
    *,
    until: str,
    command: str,
    as_json: bool,
    max_seconds: float | None,
    sinks: Sequence[str],
    **options: Any,
) -> tuple[dict[str, Any], str]:
    """Run the stages up to ``until``; return their results and why training stopped early ("" when it did not).

    Of several processes only the first displays anything.
    """
    require_known(sinks)
    is_first = is_first_process()
    if is_first:
        claim(run, recipe)
    with LiveDisplay(recipe, run, as_json=as_json) if is_first else nullcontext(Watcher()) as watcher:
        # Imported late: torch takes seconds, and the user already sees what is going to happen.
        from smidgen import api

        with stop_on_signals(max_seconds) as stop_requested, time_as_resource(stop_requested):
            results = api.train(
                recipe,
                run.path,
                until=until,
                command=command,
                stop_requested=stop_requested,
                watcher=watcher,
                sinks=sinks,
                **options,
            )
            return results, "" if results["train"]["finished"] else stop_requested.reason or "tokens"


@contextmanager
def time_as_resource(stop_requested: StopRequest) -> Iterator[None]:
    """A stage before training that the time budget ended is out of resources too, not interrupted by somebody."""
    try:
        yield
    except Interrupted as error:
        if stop_requested.reason == "time":
            raise OutOfResources(str(error)) from error
        raise


def raise_if_stopped(reason: str, run: Path, *, saved: str = "the checkpoint is saved") -> None:
    """End the command with the exit code that tells a stopped training from a finished one."""
    if not reason:
        return
    how = f"{saved}; repeat the command to go on in {run}"
    spent = "time of --max-seconds is" if reason == "time" else "tokens of --max-tokens are"
    error: SmidgenError = OutOfResources(f"the {spent} spent: {how}")
    if reason == "signal":
        error = Interrupted(f"stopped on request: {how}")
    error.is_said_elsewhere = not is_first_process()
    raise error
