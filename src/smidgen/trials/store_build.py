"""A store in the making: by one process at a time, and only once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from smidgen.life.stages import Life, data_stage, tokenizer_stage
from smidgen.life.watcher import Watcher
from smidgen.recipes.loading import recipe_from_dict
from smidgen.records import manifest
from smidgen.records.run_folder import RunFolder
from smidgen.records.run_lock import LOCK_NAME
from smidgen.stopping import StopRequest
from smidgen.trials.job import Job
from smidgen.trials.store import Store, key_of
from smidgen.trials.turn import lock_in_turn


def build_stores(job: Job, tell: Callable[..., None], stop_requested: StopRequest) -> dict[str, Any]:
    """Build the stores of a job, or wait until another process has built them. Raises what the stages raise."""
    for work in job.works:
        recipe = recipe_from_dict(work.recipe, origin=work.name)
        store = Store(path=Path(work.store), key=key_of(recipe), scales=work.scales, tokens=recipe.training.tokens)
        life = Life(
            recipe=recipe,
            run=RunFolder(store.path),
            cache=Path(job.cache) if job.cache else None,
            stop_requested=stop_requested,
            watcher=_Teller(tell),
        )
        with lock_in_turn(store.path / LOCK_NAME, f"prepares {store.path}", stop_requested, life.watcher.noticed):
            if not store.is_ready:
                _build(store, life, tell)
    return {}


def _build(store: Store, life: Life, tell: Callable[..., None]) -> None:
    tell("preparing", what="tokenizer")
    tokenizer_stage(life)
    # Trials lead here by links, so that their own lists of files do not vouch for it.
    manifest.seal(life.run.tokenizer)
    tell("preparing", what="data")
    data_stage(life)
    store.write_record()


class _Teller(Watcher):
    def __init__(self, tell: Callable[..., None]) -> None:
        self.tell = tell

    def counted(self, what: str, done: int, total: int) -> None:
        self.tell("counted", what=what, done=done, total=total)

    def noticed(self, message: str) -> None:
        self.tell("notice", message=message)
