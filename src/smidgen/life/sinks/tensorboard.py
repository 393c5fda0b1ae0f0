"""Measurements as event files of TensorBoard (``pip install "smidgen[watch]"``)."""

from pathlib import Path
from typing import Any

from smidgen.life.sinks.scalars import scalars
from smidgen.records import measurements


class TensorBoardSink:
    """Writes below ``folder``; look with ``tensorboard --logdir FOLDER``."""

    def __init__(self, folder: Path) -> None:
        # Imported here: it is no dependency, and takes a second.
        from torch.utils.tensorboard import SummaryWriter

        self._folder, self._make_writer = folder, SummaryWriter
        self._writer: Any = None

    def write(self, record: dict[str, Any]) -> None:
        step = record["step"]
        if self._writer is None:
            # A run that goes on from a checkpoint measures some steps again: what is there from these on is hidden.
            self._writer = self._make_writer(str(self._folder), purge_step=step)
        for name, value in scalars(record).items():
            self._writer.add_scalar(name, value, step)
        if record["kind"] == measurements.EVENT:
            self._writer.add_text("events", record["message"], step)
        for number, sample in enumerate(record.get("samples", [])):
            self._writer.add_text(f"samples/{number}", f"**{sample['prompt']}**{sample['text']}", step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
