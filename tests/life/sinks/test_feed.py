import errno
import threading

import pytest

from smidgen.life.sinks import feed as feed_module
from smidgen.life.sinks.feed import Feed


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self):
        self.records, self.is_closed = [], False

    def write(self, record):
        self.records.append(record)

    def close(self):
        self.is_closed = True


def fed(open_sink, records=range(10), **options):
    """The notices of a feed that was given some records, and the feed."""
    notices = []
    feed = Feed("test", open_sink, notices.append, **options)
    for number in records:
        feed.put({"kind": "training", "step": number})
    feed.close()
    return notices, feed


def test_a_sink_gets_every_record_in_order_and_is_closed():
    kept = Kept()
    notices, feed = fed(lambda: kept)
    assert [record["step"] for record in kept.records] == list(range(10))
    assert kept.is_closed
    assert (notices, feed.dropped) == ([], 0)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no such thing"),
        OSError(errno.ENOSPC, "No space left on device"),
        SystemExit(3),
        MemoryError(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("where", ["open", "write", "close"])
def test_a_sink_that_fails_becomes_one_notice(error, where):
    class Failing(Kept):
        def __init__(self):
            super().__init__()
            self.fail("open")

        def write(self, record):
            self.fail("write")

        def close(self):
            self.fail("close")

        def fail(self, place):
            if place == where:
                raise error

    notices, _ = fed(Failing)
    [notice] = notices
    assert type(error).__name__ in notice
    assert str(error) in notice
    assert "the run goes on" in notice


def test_a_sink_that_blocks_for_ever_holds_nobody_up_and_what_it_misses_is_counted(monkeypatch):
    monkeypatch.setattr(feed_module, "MOST_WAITING", 5)
    release, started = threading.Event(), threading.Event()

    class Blocking(Kept):
        def write(self, record):
            started.set()
            release.wait()

    notices = []
    feed = Feed("test", Blocking, notices.append, closing_seconds=0.05)
    feed.put({"step": 0})
    assert started.wait(10)
    for number in range(1, 26):
        feed.put({"step": number})
    feed.close()
    # One is being written and five wait.
    assert feed.dropped == 20
    assert len(notices) == 1
    assert "does not keep up" in notices[0]
    release.set()


def test_a_sink_that_hangs_at_the_end_is_left_behind():
    release = threading.Event()

    class Hanging(Kept):
        def close(self):
            release.wait()

    notices, _ = fed(Hanging, closing_seconds=0.05)
    assert len(notices) == 1
    assert "did not finish within 0.05 s" in notices[0]
    release.set()


def test_a_missing_library_is_named_with_what_installs_it():
    def missing():
        import no_such_library_anywhere  # noqa: F401

    notices, _ = fed(missing)
    assert len(notices) == 1
    assert 'no_such_library_anywhere is not installed; pip install "smidgen[watch]"' in notices[0]


def test_a_sink_that_hangs_does_not_keep_the_process(tmp_path):
    import subprocess
    import sys

    program = """
import threading
from smidgen.life.sinks.feed import Feed
class Hanging:
    def write(self, record): threading.Event().wait()
    def close(self): pass
feed = Feed("test", Hanging, print, closing_seconds=0.05)
feed.put({"step": 1})
feed.close()
print("over")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.endswith("over\n")
