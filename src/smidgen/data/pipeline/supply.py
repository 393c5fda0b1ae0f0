"""The tables of parts in order, and what is probably needed next processed meanwhile."""

import math
from collections.abc import Sequence

from smidgen.data.listing import Listing
from smidgen.data.parts import FilePart, Part, parts_of
from smidgen.data.pipeline.part_file import PartTable, open_part_file
from smidgen.data.pipeline.processing import Processing, Task, path_of
from smidgen.data.pipeline.runner import Runner


class Supply:
    """Gives the table of a source's part, by position and number, as often as it is asked for.

    What is submitted beyond the part that is asked for follows from how many tokens the parts of a source gave so
    far; a wrong guess costs work and changes no result. ``wanted_tokens`` are those of each source.
    """

    def __init__(
        self,
        listings: Sequence[Listing],
        processing: Processing,
        runner: Runner,
        *,
        wanted_tokens: Sequence[int],
        part_bytes: Sequence[int],
    ) -> None:
        self._processing = processing
        self._runner = runner
        self._wanted_tokens = wanted_tokens
        self._sources = [
            _Source(listing, each_bytes) for listing, each_bytes in zip(listings, part_bytes, strict=True)
        ]

    def table(
        self, position: int, number: int, *, tokens_so_far: int, only_held_out: bool = False, expected: int = 0
    ) -> PartTable | None:
        """The table of part ``number`` of the source at ``position``; None when the source has ended.

        ``expected`` is how many parts are probably needed from this one on, where it does not follow from the tokens.
        """
        source = self._sources[position]
        expected = expected or source.parts_for(self._wanted_tokens[position] - tokens_so_far)
        self._submit_ahead(position, number + expected, number, only_held_out=only_held_out)
        part = source.part(number)
        if part is None:
            return None
        task = source.tasks.get(number)
        if task is None or (task.only_held_out and not only_held_out):
            task = self._task(part, only_held_out)
        source.tasks[number] = task
        source.is_submitted(number + 1)
        table = self._whole(task)
        source.not_waited_for.discard(number)
        if not task.only_held_out:
            source.measure(number, len(table.tokens))
        return table

    def file_of(self, position: int, number: int) -> str:
        """Where the file of a part lies; empty for a generator."""
        part = self._sources[position].part(number)
        return part.file.location if isinstance(part, FilePart) else ""

    def _whole(self, task: Task) -> PartTable:
        path = path_of(task, self._processing)
        for _ in range(2):
            self._runner.wait(task)
            table = open_part_file(path)
            if table is not None:
                return table
            # A power cut left half of it.
            path.unlink(missing_ok=True)
        raise OSError(f"{path} is damaged as soon as it is written")

    def _submit_ahead(self, position: int, until: int, number: int, *, only_held_out: bool) -> None:
        room = self._runner.ahead - sum(len(source.not_waited_for) for source in self._sources)
        for later, source in enumerate(self._sources[position:], start=position):
            if later != position:
                self._look_at_first(source)
                until, number, only_held_out = source.parts_for(self._wanted_tokens[later]), 0, False
            for ahead in range(max(number, source.next_to_submit), until):
                part = source.part(ahead) if room > 0 else None
                if part is None:
                    break
                task = self._task(part, only_held_out)
                source.tasks[ahead] = task
                source.not_waited_for.add(ahead)
                source.is_submitted(ahead + 1)
                self._runner.submit(task)
                room -= 1

    def _look_at_first(self, source: "_Source") -> None:
        """Learn how large the parts of a later source are, if its first one happens to be there."""
        task = source.tasks.get(0)
        if task and not source.is_measured and path_of(task, self._processing).exists():
            table = open_part_file(path_of(task, self._processing))
            if table is not None:
                source.measure(0, len(table.tokens))

    def _task(self, part: Part, only_held_out: bool) -> Task:
        """A part file with all tokens, left by an earlier try, serves for the held-out side as well."""
        complete = Task(part=part)
        if only_held_out and not path_of(complete, self._processing).exists():
            return Task(part=part, only_held_out=True)
        return complete


class _Source:
    """The parts of a source as far as they are listed, and what is known of them."""

    def __init__(self, listing: Listing, part_bytes: int) -> None:
        self._more = parts_of(listing, part_bytes=part_bytes)
        self._parts: list[Part] = []
        self._tokens: dict[int, int] = {}
        self._has_ended = False
        self.tasks: dict[int, Task] = {}
        self.next_to_submit = 0
        self.not_waited_for: set[int] = set()

    def part(self, number: int) -> Part | None:
        while len(self._parts) <= number and not self._has_ended:
            part = next(self._more, None)
            if part is None:
                self._has_ended = True
            else:
                self._parts.append(part)
        return self._parts[number] if number < len(self._parts) else None

    @property
    def is_measured(self) -> bool:
        return bool(self._tokens)

    def is_submitted(self, until: int) -> None:
        self.next_to_submit = max(self.next_to_submit, until)

    def measure(self, number: int, tokens: int) -> None:
        self._tokens[number] = tokens

    def parts_for(self, tokens: int) -> int:
        """How many parts so many tokens probably take; 1 as long as nothing is known."""
        seen = sum(self._tokens.values())
        return max(1, math.ceil(tokens * len(self._tokens) / seen)) if seen else 1
