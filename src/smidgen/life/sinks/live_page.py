"""The live page of a run as a sink: written again when there is news, but never for much of the time."""

import time
from typing import Any

from smidgen.records.run_folder import RunFolder

# The page reads itself again every five seconds, and takes a twentieth of one to write.
LEAST_SECONDS = 3.0
# A page is written at most for this share of the time: thousands of points take longer to read and to draw.
MOST_SHARE = 1 / 200


class LivePageSink:
    """Only told that there are records: the page is made from the files of the run."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._due = 0.0
        self._write(is_running=True)

    def write(self, record: dict[str, Any]) -> None:
        if time.monotonic() >= self._due:
            self._write(is_running=True)

    def close(self) -> None:
        self._write(is_running=False)

    def _write(self, *, is_running: bool) -> None:
        # Imported here, in the thread of the sink: templates take a moment to load.
        from smidgen.reports.live.live_page import write_live_page

        started = time.thread_time()
        write_live_page(self._run, is_running=is_running)
        pause = max(LEAST_SECONDS, (time.thread_time() - started) / MOST_SHARE)
        self._due = time.monotonic() + pause
