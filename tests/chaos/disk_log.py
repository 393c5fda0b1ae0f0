"""What a disk may hold after a power cut: the operations on a folder, recorded, and every state they can leave.

A write lasts once its file was flushed, and the making, renaming or removal of an entry once its directory was;
POSIX promises no more. Until then each may be lost on its own, whatever came before or after it, and the content of a
file may be there in part, or as zeros.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

# What changes a folder or makes changes last. Content is found by looking, whoever wrote it.
WATCHED = ("fsync", "rename", "replace", "unlink", "remove", "rmdir", "mkdir")
ROOT = 0


@dataclass(frozen=True)
class Entry:
    """Directory ``parent`` got (``thing``) or lost (None) an entry."""

    parent: int
    name: str
    thing: int | None
    is_directory: bool = False


@dataclass(frozen=True)
class Move:
    """One thing changed its place in one step."""

    old: tuple[int, str]
    new: tuple[int, str]
    thing: int
    is_directory: bool


@dataclass(frozen=True)
class Content:
    thing: int
    content: bytes


@dataclass(frozen=True)
class Flush:
    thing: int


@dataclass(frozen=True)
class Returned:
    """The program said that something is done; ``value`` is for the test."""

    value: object


Event = Entry | Move | Content | Flush | Returned


@dataclass
class DiskLog:
    """Records what happens below ``folder`` inside ``recording``."""

    folder: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._new_things = count(ROOT + 1)
        # By path: thing, whether a directory, inode, content.
        self._known: dict[str, tuple[int, bool, int, bytes]] = {"": (ROOT, True, self.folder.stat().st_ino, b"")}

    @contextmanager
    def recording(self) -> Iterator[None]:
        originals = {name: getattr(os, name) for name in WATCHED}

        def watched(name):
            def call(*arguments, **options):
                # Two looks, so that one operation is not taken for a part of another.
                self._look()
                result = originals[name](*arguments, **options)
                self._look()
                if name == "fsync":
                    inode = os.fstat(arguments[0]).st_ino
                    things = [thing for thing, _, own, _ in self._known.values() if own == inode]
                    self.events += map(Flush, things)
                return result

            return call

        for name in WATCHED:
            setattr(os, name, watched(name))
        try:
            yield
        finally:
            for name, original in originals.items():
                setattr(os, name, original)

    def returned(self, value: object) -> None:
        self._look()
        self.events.append(Returned(value))

    def _look(self) -> None:
        before, now, earlier = self._known, {"": self._known[""]}, len(self.events)
        places = {inode: path for path, (_, _, inode, _) in before.items()}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            inode, is_directory = path.stat().st_ino, path.is_dir()
            content = b"" if is_directory else path.read_bytes()
            old = places.get(inode)
            if old is None:
                thing = next(self._new_things)
                self.events.append(Entry(*self._place(now, name), thing, is_directory))
            else:
                thing = before[old][0]
                # The files in a renamed directory have the same place in it as before.
                if old != name and self._place(before, old) != self._place(now, name):
                    self.events.append(Move(self._place(before, old), self._place(now, name), thing, is_directory))
            if content != (b"" if old is None else before[old][3]):
                self.events.append(Content(thing, content))
            now[name] = (thing, is_directory, inode, content)
        kept = {thing for thing, *_ in now.values()}
        gone = sorted((path for path, (thing, *_) in before.items() if thing not in kept), reverse=True)
        # What another thing was moved over is gone with the move.
        replaced = {event.new for event in self.events[earlier:] if isinstance(event, Move)}
        for path in gone:
            if self._place(before, path) not in replaced:
                self.events.append(Entry(*self._place(before, path), None))
        self._known = now

    @staticmethod
    def _place(tree: dict, path: str) -> tuple[int, str]:
        parent, _, name = path.rpartition("/")
        return tree[parent][0], name


@dataclass(frozen=True)
class CrashState:
    """What is on the disk: directories (""  is the folder itself) and files; ``lost`` counts what did not last."""

    directories: frozenset[str]
    files: dict[str, bytes]
    lost: int

    @property
    def key(self) -> tuple:
        return self.directories, tuple(sorted(self.files.items()))

    def write_below(self, folder: Path) -> None:
        for directory in sorted(self.directories):
            (folder / directory).mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def crash_states(events: list[Event], draw: Random, draws: int) -> Iterator[CrashState]:
    """States in which a power cut after these events may leave the folder.

    With nothing, and with everything, of what was not flushed; with each beginning of it; and ``draws`` random parts.
    """
    pending = [place for place, event in enumerate(events) if _is_change(event) and not _lasts(events, place)]
    yield _state(events, set(pending), draw, torn=False)
    for end in range(len(pending) + 1):
        yield _state(events, set(pending[end:]), draw, torn=False)
    for _ in range(draws if pending else 0):
        yield _state(events, {place for place in pending if draw.random() < 0.5}, draw, torn=True)


def _is_change(event: Event) -> bool:
    return isinstance(event, Entry | Move | Content)


def _lasts(events: list[Event], place: int) -> bool:
    event = events[place]
    match event:
        case Content(thing=thing):
            needed = {thing}
        case Entry(parent=parent):
            needed = {parent}
        case Move(old=(first, _), new=(second, _)):
            needed = {first, second}
    return needed <= {later.thing for later in events[place:] if isinstance(later, Flush)}


def _state(events: list[Event], lost: set[int], draw: Random, *, torn: bool) -> CrashState:
    contents: dict[int, bytes] = {}
    directories: dict[int, dict[str, int]] = {ROOT: {}}
    for place, event in enumerate(events):
        match event:
            case Content(thing=thing, content=content):
                if place not in lost:
                    contents[thing] = content
                elif torn:
                    contents[thing] = _torn(content, draw)
            case Entry(parent=parent, name=name, thing=thing, is_directory=is_directory):
                if is_directory:
                    directories.setdefault(thing, {})
                if place not in lost:
                    _set(directories[parent], name, thing)
            case Move(old=(old_parent, old_name), new=(new_parent, new_name), thing=thing):
                if place not in lost:
                    _set(directories[old_parent], old_name, None)
                    _set(directories[new_parent], new_name, thing)
    found_directories, files = set(), {}
    queue = [("", ROOT)]
    while queue:
        path, thing = queue.pop()
        if thing in directories:
            found_directories.add(path)
            queue += [(f"{path}/{name}".lstrip("/"), inner) for name, inner in directories[thing].items()]
        else:
            files[path] = contents.get(thing, b"")
    return CrashState(frozenset(found_directories), files, len(lost))


def _set(directory: dict[str, int], name: str, thing: int | None) -> None:
    if thing is None:
        directory.pop(name, None)
    else:
        directory[name] = thing


def _torn(content: bytes, draw: Random) -> bytes:
    """A beginning of the content, with zeros in place of the rest or without."""
    end = draw.randrange(len(content) + 1)
    return content[:end] + bytes(len(content) - end) * draw.randrange(2)
