"""Lines of progress under what was printed already; what the displays of commands share."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from smidgen.cli.output import console


class BarDisplay:
    """A context manager, so that the terminal is left in order. Tasks of ``bar`` need the field ``detail``."""

    def __init__(self, *, as_json: bool, bar_width: int) -> None:
        self.screen: Console = console(as_json=as_json)
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=bar_width),
            TextColumn("{task.fields[detail]}"),
            console=self.screen,
            transient=True,
        )

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()
