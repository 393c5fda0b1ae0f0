from types import SimpleNamespace

from smidgen.cli.display import progress_line, trial_line
from smidgen.reports.words import NO_BREAK

PROGRESS = {
    "step": 640,
    "steps": 1280,
    "loss": 3.1122,
    "bits_per_byte": 1.7311,
    "tokens_per_second": 17_480.0,
    "seconds_left": 152.0,
    "fraction_of_peak": 0.412,
    "peak_memory_bytes": 661_000_000,
    "gpu_memory_bytes": None,
}


def line(**changes):
    return progress_line(SimpleNamespace(**{**PROGRESS, **changes})).replace(NO_BREAK, " ")


def test_the_line_of_progress_says_where_a_run_stands():
    assert line() == (
        "step 640/1280  loss 3.112  held-out 1.731 bits/byte  17.5k tokens/s  2 min 32 s left  41% of peak  661 MB"
    )


def test_what_is_not_known_is_left_out_and_a_gpu_has_its_own_memory():
    assert "held-out" not in line(bits_per_byte=None)
    assert line(peak_memory_bytes=None).endswith("41% of peak")
    assert line(gpu_memory_bytes=2_500_000_000).endswith("661 MB  2.5 GB on GPU")


def test_quick_evaluations_and_samples_get_a_line():
    scores = {"minimal-pairs": {"acc": {"value": 0.74, "low": 0.71, "high": 0.77, "n": 440}}}
    record = {"kind": "evaluation", "step": 200, "scores": scores, "skipped": {"hellaswag": "it needs a file"}}
    assert trial_line(record) == (
        "step 200: minimal-pairs acc 0.740 (0.710 to 0.770); hellaswag skipped: it needs a file"
    )
    samples = [{"loop": True}, {"loop": False}]
    assert trial_line({"kind": "samples", "step": 200, "samples": samples}) == "step 200: 2 samples, 1 in a loop"
    assert trial_line({"kind": "training", "step": 200, "loss": 1.0}) == ""
