"""Measurements in the local database of Trackio (``pip install "smidgen[watch]"``); nothing leaves the machine."""

import os
import sys
from contextlib import redirect_stdout
from typing import Any

from smidgen.errors import BadInput
from smidgen.life.sinks.scalars import scalars

# With one of these Trackio would send what it is given to a server of others.
SENDING_AWAY = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_WEBHOOK_URL")


class TrackioSink:
    """One run of the project "smidgen"; look with ``trackio show --project smidgen``.

    Raises ``BadInput`` where the environment tells Trackio to send data away.
    """

    def __init__(self, run_name: str) -> None:
        import trackio

        sending = [name for name in SENDING_AWAY if os.environ.get(name)]
        if sending:
            raise BadInput(f"with {sending[0]} Trackio sends measurements away; unset it to keep them here")
        # What it prints must not get into --json.
        with redirect_stdout(sys.stderr):
            self._run = trackio.init(
                project="smidgen",
                name=run_name,
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )

    def write(self, record: dict[str, Any]) -> None:
        if values := scalars(record):
            self._run.log(values, step=record["step"])

    def close(self) -> None:
        with redirect_stdout(sys.stderr):
            self._run.finish()
