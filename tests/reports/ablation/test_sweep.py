"""The page of an ablation with a sweep."""

import copy

import pytest

from smidgen.errors import BadInput
from smidgen.reports.ablation.ablation_page import write_ablation_page
from smidgen.reports.ablation.sweep import read_sweep, shares_words, summary

from .conftest import Change
from .test_ablation_page import HOSTILE, drawings, shown, titles

RATE, BATCH = "training.peak_learning_rate", "training.batch_tokens"
CONFIRMED = {"sweep-1st": Change(effect=-0.01, settings={RATE: 2e-3, BATCH: 16384})}


def trial(number, rate, batch, bits=None, state="finished", judged=(), message=""):
    return {
        "number": number,
        "settings": {RATE: rate, BATCH: batch},
        "state": state,
        "message": message,
        "bits_per_byte": bits,
        "seconds": 100.0,
        "judged": list(judged),
        "seed": 0,
        "folder": f"trials/sweep-{number:03d}/seed-0",
    }


STOPPED = {"at": 0.25, "bits_per_byte": 2.2, "limit": 2.0, "goes_on": False}
SWEEP = {
    "axes": [
        {"key": RATE, "low": 5e-4, "high": 8e-3, "log": True, "are_whole": False},
        {"key": BATCH, "values": [8192, 16384, 32768]},
    ],
    "trials": [
        trial(1, 1e-3, 8192, 1.66),
        trial(2, 2e-3, 16384, 1.61),
        trial(3, 4e-3, 32768, state="pruned", judged=[STOPPED]),
        trial(4, 8e-3, 8192, state="diverged", message="step 45: the loss is 9.812"),
        trial(5, 5e-3, 8192, state="failed", message="no recipe"),
    ],
    "seed": 0,
    "sampler": "tpe",
    "pruner": "median",
    "at": [0.25, 0.5],
    "confirm": 1,
    "planned": 5,
    "finished": True,
    "best": {"number": 2, "settings": {RATE: 2e-3, BATCH: 16384}, "bits_per_byte": 1.61},
    "confirmed": [{"variant": "sweep-1st", "number": 2}],
    "importance": {RATE: 0.72, BATCH: 0.28},
    "boundary": [{"axis": RATE, "value": 2e-3, "end": "low", "message": "widen the rate"}],
    "transfer": [
        {"where": "at 4 times the batch", "key": RATE, "value": 4e-3, "rule": "grows", "source": "arXiv:2205.10287"},
        {"where": "at 10 times the training", "key": RATE, "value": None, "rule": "falls", "source": "arXiv:1"},
    ],
    "warnings": [],
}


@pytest.fixture
def written(ablation, tmp_path):
    def write(sweep, changes=CONFIRMED, **options):
        return write_ablation_page(ablation(changes, sweep=sweep, **options), tmp_path).read_text(encoding="utf-8")

    return write


def changed(**other):
    return {**copy.deepcopy(SWEEP), **other}


def test_the_page_shows_settings_rules_and_all_trials(written):
    page = written(SWEEP)
    assert "Bits per byte of every trial of the sweep, by setting" in titles(page)
    for said in (
        'href="#sweep"',
        "5 settings of 5 tried under seed 0 (tpe), 1 pruned, 1 diverged and 1 failed.",
        "The best, trial 2, has 1.6100 bits per byte with",
        "Confirmed under the seeds of the base: sweep-1st.",
        f"{RATE} 72%, {BATCH} 28%",
        "widen the rate",
        "at 4 times the batch",
        "arXiv:2205.10287",
        "pruned at 25% of the training",
        "step 45: the loss is 9.812",
    ):
        assert said in page, said
    rows = page[page.index("All trials") :]
    assert rows.index("<tr><th>2<br>") < rows.index("<tr><th>1</th>") < rows.index("<tr><th>3</th>")


def test_the_charts_stay_inside_their_frames(written):
    for chart in drawings(written(SWEEP)):
        width, height = (float(number) for number in chart.get("viewBox").split()[2:])
        for node in shown(chart):
            for key in ("x", "x1", "x2", "cx", "y", "y1", "y2", "cy"):
                if node.get(key):
                    assert -6 <= float(node.get(key)) <= (width if "x" in key else height) + 6, node.attrib


def test_a_sweep_that_goes_on_says_what_is_to_come(written):
    trials = [trial(1, 1e-3, 8192, 1.66), trial(2, 2e-3, 16384, state="pending")]
    page = written(
        changed(
            trials=trials, finished=False, confirmed=[], importance={}, planned=20, best=SWEEP["best"] | {"number": 1}
        ),
        changes={},
        finished=False,
    )
    assert "1 of 20 trials of the sweep have ended. Its best settings are then trained" in page
    assert "The best, trial 1, has 1.6600" in page.partition("<nav")[0]


def test_a_sweep_without_results_has_no_chart(written):
    page = written(changed(trials=[], best=None, confirmed=[], boundary=[], transfer=[], importance={}), changes={})
    assert "None has finished." in page
    assert "Bits per byte of every trial of the sweep, by setting" not in titles(page)


def test_words_of_others_cannot_break_out_of_the_page(written):
    settings = {RATE: 2e-3, BATCH: HOSTILE}
    hostile = changed(
        axes=[SWEEP["axes"][0], {"key": BATCH, "values": [HOSTILE, "b"]}],
        trials=[trial(1, 2e-3, HOSTILE, 1.6, message=HOSTILE) | {"settings": settings}],
        best={"number": 1, "settings": settings, "bits_per_byte": 1.6},
        confirmed=[],
    )
    page = written(hostile)
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_damage_is_named(written):
    with pytest.raises(BadInput, match=r"ablation\.json is damaged"):
        written(changed(trials=[{"number": "one"}]))


def test_the_shares_are_told_largest_first_and_only_where_they_are_known():
    assert shares_words(read_sweep(changed(importance={BATCH: 0.6, RATE: 0.4}))) == f"{BATCH} 60%, {RATE} 40%"
    assert shares_words(read_sweep(changed(importance={}))) == ""


def test_a_summary_counts_what_has_ended():
    assert summary(read_sweep(SWEEP)).startswith("5 settings of 5 tried under seed 0 (tpe), 1 pruned")
