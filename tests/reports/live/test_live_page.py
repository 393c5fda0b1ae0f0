import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from smidgen.errors import BadInput
from smidgen.reports.live import live_page
from smidgen.reports.live.live_page import render, write_live_page
from smidgen.reports.live.live_records import read_live
from smidgen.reports.words import NO_BREAK

VOID = {"meta", "br", "progress"}


class Outline(HTMLParser):
    """Tags in the order in which they close, what is wrong with them, and the text outside of styles and scripts."""

    def __init__(self, page):
        super().__init__()
        self.open, self.faults, self.addresses, self.text = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href", "action", "style")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.faults.append(tag)

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)

    @property
    def words(self):
        return re.sub(r"\s+", " ", "".join(self.text))


@pytest.fixture
def page(begun):
    """The page of a run with so many points."""

    def call(points, *, is_running=True, **options):
        return render(read_live(begun(points, **options)), is_running=is_running, written=1_790_000_000.0)

    return call


@pytest.mark.parametrize("points", [0, 1, 2, 7, 120, 10_000])
def test_pages_are_whole_and_load_nothing(page, points):
    text = page(points)
    outline = Outline(text)
    assert (outline.faults, outline.open, outline.addresses) == ([], [], [])
    assert "default-src &#39;none&#39;" in text
    assert "http://" not in text
    assert "https://" not in text
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    # Training and held-out text for desks and phones, two scores, seven statistics.
    assert len(charts) == (13 if points else 0)
    for chart in charts:
        ElementTree.fromstring(chart)
        assert not re.search(r'"[^"]*\b(nan|inf)\b', re.sub(r'(data-tip|aria-label)="[^"]*"', "", chart))


def test_a_run_without_measurements_waits(page):
    assert "Waiting for the first measurement." in page(0)
    assert "Stopped before anything was measured." in page(0, is_running=False)


def test_ten_thousand_points_make_a_page_of_moderate_size(page):
    assert len(page(10_000)) < 350_000


def test_the_newest_numbers_and_the_time_left_are_said(page):
    words = Outline(page(120, done=0.5)).words.replace(NO_BREAK, " ")
    assert "Training: 4.92M tokens of 9.83M, about 2 min 10 s left." in words
    assert "661 MB" in words
    assert "41%" in words
    assert 'value="0.5000"' in page(120, done=0.5)


def test_a_page_that_is_running_reads_itself_again_and_a_finished_one_does_not(page):
    assert 'data-refresh="5"' in page(7)
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page(7)
    finished = page(7, done=1.0, is_running=False)
    assert 'data-refresh="0"' in finished
    assert 'http-equiv="refresh"' not in finished
    assert "Trained on 9.83M tokens" in finished
    assert "Stopped after 4.92M tokens of 9.83M; the same command goes on." in page(7, done=0.5, is_running=False)


def test_everything_that_was_measured_is_shown(page):
    words = Outline(page(120)).words
    for shown in ("documentation", "minimal-pairs", "Tom and Ruth", "Dead feed-forward units", "is a spike above"):
        assert shown in words
    assert "0.740 (0.710 to 0.770)" in words


def test_texts_of_a_model_stay_texts(begun):
    run = begun(7)
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e{{ 7 * 7 }}"
    place = {"step": 1200, "tokens": 9_830_400, "seconds": 1.0}
    sample = {"prompt": hostile, "text": hostile, "tokens": 1, "finish_reason": "stop", "loop": True}
    scores = {hostile: {hostile: {"value": 0.5, "low": 0.4, "high": 0.6, "n": 3}}}
    more = [
        {"kind": "samples", **place, "samples": [sample], "loop_share": 1.0},
        {"kind": "evaluation", **place, "scores": scores, "baselines": {}, "skipped": {hostile: hostile}},
        {"kind": "event", "step": 1200, "message": hostile},
        {"kind": "statistics", **place, "parts": [{"name": f"layers.{hostile}", "weight_norm": 1.0}]},
    ]
    with run.measurements.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in more)
    text = render(read_live(run), is_running=True, written=0.0)
    outline = Outline(text)
    assert (outline.faults, outline.open, outline.addresses) == ([], [], [])
    assert text.count("<script>") == 1
    assert "{{ 7 * 7 }}" in text


def test_lines_of_an_older_version_lack_what_came_later(begun):
    run = begun(0)
    line = {"kind": "training", "step": 1, "tokens": 10, "seconds": 1.0, "loss": 2.0}
    run.measurements.write_text(json.dumps(line) + "\n")
    assert "2.000" in render(read_live(run), is_running=True, written=0.0)


def test_damaged_measurements_are_named(begun):
    run = begun(0)
    run.measurements.write_text('{"kind": "training", "step": 1, "tokens": "many"}\n')
    with pytest.raises(BadInput, match=r"measurements\.jsonl is damaged"):
        read_live(run)


def test_the_page_is_replaced_in_one_step_and_leaves_nothing_behind(begun, monkeypatch):
    run = begun(7)
    write_live_page(run, is_running=True)
    before = (run.report / "live.html").read_text()
    monkeypatch.setattr(live_page, "render", lambda *_, **__: "x" * 1000 + "\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_live_page(run, is_running=True)
    assert (run.report / "live.html").read_text() == before
    assert [path.name for path in run.report.iterdir()] == ["live.html"]
