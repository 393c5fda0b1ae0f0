from dataclasses import dataclass

from smidgen.records import atomic, measurements
from smidgen.records.run_folder import RunFolder
from smidgen.trials.trial_record import write_trial_record


@dataclass
class Named:
    variant: str = "no-xsa"
    seed: int = 3
    scale: float = 2.0


def scored_run(path):
    run = RunFolder(path)
    atomic.write_json(run.design, {"parameters": {"total": 123}, "flops_per_token": {"forward": 4, "training": 12}})
    for step in (1, 2):
        measurements.append(
            run.measurements, measurements.TRAINING, step=step, tokens=100 * step, seconds=9.0, tokens_per_second=50.0
        )
    scores = {
        name: {"bits_per_byte": {"value": value}}
        for name, value in (("bits-per-byte", 2.5), ("bits-per-byte/a", 2.0))
    }
    atomic.write_json(run.scores / "recipe.json", {"scores": {**scores, "piqa": {"acc": {"value": 0.5}}}})
    sizes = {"text": (1000, 3000), "sums": (10, 10)}
    sources = {name: {"train_tokens": tokens, "train_text_bytes": size} for name, (tokens, size) in sizes.items()}
    atomic.write_json(run.data / "index.json", {"shares": {"text": 0.75, "sums": 0.25}, "sources": sources})
    return run


def test_a_finished_trial_tells_what_it_took_and_what_came_of_it(tmp_path):
    record = write_trial_record(scored_run(tmp_path), Named(), "finished")
    assert record == {
        "variant": "no-xsa",
        "seed": 3,
        "scale": 2.0,
        "state": "finished",
        "message": "",
        "step": 2,
        "tokens": 200,
        "text_bytes": 500,
        "seconds": 4.0,
        "tokens_per_second": 50.0,
        "parameters": 123,
        "flops_per_token": 12,
        "bits_per_byte": 2.5,
        "by_source": {"a": 2.0},
    }


def test_what_did_not_finish_has_no_bits_per_byte_even_where_some_were_scored(tmp_path):
    record = write_trial_record(scored_run(tmp_path), Named(), "halved", "stopped at 25%")
    assert (record["bits_per_byte"], record["by_source"], record["message"]) == (None, {}, "stopped at 25%")


def test_a_trial_that_never_began_has_a_record_too(tmp_path):
    record = write_trial_record(RunFolder(tmp_path / "new"), Named(), "halved")
    assert (record["step"], record["tokens"], record["seconds"], record["parameters"]) == (0, 0, 0.0, None)
    assert (tmp_path / "new" / "trial.json").is_file()
