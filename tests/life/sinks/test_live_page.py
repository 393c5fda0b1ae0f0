import pytest

from smidgen.life.sinks import live_page
from smidgen.life.sinks.live_page import LEAST_SECONDS, MOST_SHARE, LivePageSink
from smidgen.records.run_folder import RunFolder


@pytest.fixture
def clock(monkeypatch):
    """Clocks that stand still, and what was written: whether the run goes on, and when."""

    class Clock:
        def __init__(self):
            self.now = self.worked = self.cost = 0.0
            self.written = []

        def write(self, run, *, is_running):
            self.written.append((self.now, is_running))
            self.worked += self.cost

    clock = Clock()
    monkeypatch.setattr(live_page.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(live_page.time, "thread_time", lambda: clock.worked)
    monkeypatch.setattr("smidgen.reports.live.live_page.write_live_page", clock.write)
    return clock


def measure(clock, sink, seconds):
    """A measurement every tenth of a second."""
    for _ in range(seconds * 10):
        clock.now = round(clock.now + 0.1, 1)
        sink.write({})


def test_a_page_is_there_from_the_start_and_says_at_the_end_that_it_is_over(clock, tmp_path):
    sink = LivePageSink(RunFolder(tmp_path))
    sink.close()
    assert clock.written == [(0.0, True), (0.0, False)]


def test_it_is_written_again_at_most_every_few_seconds(clock, tmp_path):
    measure(clock, LivePageSink(RunFolder(tmp_path)), 10)
    assert [when for when, _ in clock.written] == [0.0, LEAST_SECONDS, 2 * LEAST_SECONDS, 3 * LEAST_SECONDS]


def test_a_page_that_takes_long_is_written_less_often(clock, tmp_path):
    clock.cost = 0.5
    measure(clock, LivePageSink(RunFolder(tmp_path)), 1000)
    assert len(clock.written) * clock.cost <= 1000 * MOST_SHARE + clock.cost
    assert len(clock.written) > 5
