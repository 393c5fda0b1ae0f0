"""All sinks of a run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from smidgen.life.sinks.feed import Feed
from smidgen.life.sinks.live_page import LivePageSink
from smidgen.life.sinks.sink import Sink
from smidgen.life.sinks.tensorboard import TensorBoardSink
from smidgen.life.sinks.trackio import TrackioSink
from smidgen.records.run_folder import RunFolder

LIVE_PAGE = "live page"


@contextmanager
def fed(
    run: RunFolder, names: Sequence[str], on_notice: Callable[[str], None]
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield what takes each record: the live page and the sinks of these names, closed when the block ends."""
    # Below the report, which is made from the rest of the folder and has no hashes in its manifest.
    openers: dict[str, Callable[[], Sink]] = {
        "tensorboard": partial(TensorBoardSink, run.report / "tensorboard"),
        "trackio": partial(TrackioSink, run.path.resolve().name),
        LIVE_PAGE: partial(LivePageSink, run),
    }
    feeds = [Feed(name, openers[name], on_notice) for name in dict.fromkeys([LIVE_PAGE, *names])]

    def put(record: dict[str, Any]) -> None:
        for feed in feeds:
            feed.put(record)

    try:
        yield put
    finally:
        for feed in feeds:
            feed.close()
