"""``smidgen ablate`` as a user calls it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture(scope="module")
def straight(write_ablation, tmp_path_factory):
    """What a command that nothing disturbed printed and left: the process, the definition and the place."""
    place = tmp_path_factory.mktemp("straight")
    file = write_ablation(place / "lr.toml")
    words = ["ablate", file, "--out", place / "out", *options(place), "--log", place / "log.md", "--json"]
    process = subprocess.run(
        [sys.executable, "-m", "smidgen", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return process, file, place


def options(place):
    return ["--noise", place / "noise", "--workers", "2"]


def numbers(result):
    return [variant["bits_per_byte"] for variant in result["variants"]]


def test_json_is_the_result_and_stands_alone_on_stdout(straight):
    process, _, place = straight
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert result == json.loads((place / "out" / "ablation.json").read_text())
    assert result["finished"]
    assert [variant["name"] for variant in result["variants"]] == ["base", "quick"]
    for variant in result["variants"]:
        assert variant["seeds"] == 2
        assert variant["bits_per_byte"]["low"] < variant["bits_per_byte"]["mean"] < variant["bits_per_byte"]["high"]
    [verdict] = result["verdicts"]
    assert (verdict["variant"], verdict["task"], verdict["seeds"]) == ("quick", "bits-per-byte", 2)
    assert (place / "out" / "report" / "index.html").stat().st_size > 10_000
    for said in ("4 trials", "2 workers (1 thread each)", "of disk", "4/4  "):
        assert said in process.stderr, said


def test_a_repeated_command_shows_the_verdicts_and_logs_nothing_twice(smidgen, straight):
    process, file, place = straight
    again = smidgen("ablate", file, "--out", place / "out", *options(place), "--log", place / "log.md")
    assert (again.code, again.err) == (0, "")
    assert "Does a larger learning rate help?" in again.out
    assert json.loads(process.stdout)["verdicts"][0]["verdict"] in " ".join(again.out.split())
    assert (place / "log.md").read_text().count("* ") == 1


def test_time_that_is_spent_before_the_trials_is_a_resource_and_the_plan_is_none(smidgen, write_ablation, tmp_path):
    file = write_ablation(tmp_path / "lr.toml")
    outcome = smidgen("ablate", file, "--out", tmp_path / "out", *options(tmp_path), "--max-seconds", "0", "--json")
    assert (outcome.code, outcome.out) == (75, "")
    assert "stopped before the trials began; repeat the command" in outcome.err


def steps_of(folder):
    lines = [line for file in folder.glob("trials/*/*/measurements.jsonl") for line in file.read_text().splitlines()]
    return sum('"training"' in line for line in lines)


def wait_for(condition, process, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_ablation_that_was_killed_and_interrupted_goes_on_to_the_same_numbers(
    smidgen, start_smidgen, straight, tmp_path
):
    """The command's sudden death, after which its workers save by themselves, then Ctrl-C, then time that is up."""
    process, file, _ = straight
    folder = tmp_path / "out"
    words = ["ablate", file, "--out", folder, *options(tmp_path), "--json"]
    killed = start_smidgen(*words)
    wait_for(lambda: steps_of(folder) > 10, killed)
    killed.kill()
    killed.communicate(timeout=60)
    before = steps_of(folder)
    interrupted = start_smidgen(*words)
    wait_for(lambda: steps_of(folder) > before + 30, interrupted)
    interrupted.send_signal(signal.SIGINT)
    output, _ = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130, output
    assert "what the trials have is saved; repeat the command" in output
    assert not json.loads(next(line for line in output.splitlines() if line.startswith("{")))["finished"]
    assert numbers(smidgen(*words).json) == numbers(json.loads(process.stdout))


def test_two_commands_share_a_folder_and_no_trial_is_carried_out_twice(start_smidgen, straight, tmp_path):
    process, file, _ = straight
    words = ["ablate", file, "--out", tmp_path / "out", *options(tmp_path), "--json"]
    processes = [start_smidgen(*words) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    for output in outputs:
        result = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
        assert numbers(result) == numbers(json.loads(process.stdout))
    for file in (tmp_path / "out").glob("trials/*/*/measurements.jsonl"):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        # A second beginning would leave a second line for each step.
        steps = [line["step"] for line in lines if line["kind"] == "training"]
        assert steps == sorted(set(steps))


def test_a_full_disk_ends_all_with_75_and_is_gone_on_with(smidgen, straight, tmp_path):
    """The system refuses files beyond a size, here one that checkpoints exceed."""
    process, file, place = straight
    shutil.copytree(place / "out" / "shared", tmp_path / "out" / "shared")
    shutil.copy(place / "out" / "definition.json", tmp_path / "out")
    words = ["ablate", file, "--out", tmp_path / "out", *options(tmp_path), "--json"]
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY)); "
        "from smidgen.cli import main; main(sys.argv[1:])"
    )
    stopped = subprocess.run(
        [sys.executable, "-c", limited, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert stopped.returncode == 75, stopped.stderr
    assert "/seed-1: no space left on the disk while writing" in stopped.stderr
    assert numbers(smidgen(*words).json) == numbers(json.loads(process.stdout))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base = 'quickstart'\nbudget.tokens = 100", "less than one step"),
        ("base = 'quickstart'\nvariants.same.'design.xsa' = false\nbudget.equal = 'tokens'", "variant same"),
        ("base = 'quickstart'\nseeds = [1, 1]", "names 1 twice"),
        ("base = 'quickstart'\nbudgte = 1", "budget"),
    ],
)
def test_a_definition_that_cannot_be_used_is_bad_input_and_leaves_nothing(smidgen, tmp_path, text, message):
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    outcome = smidgen("ablate", file, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert message in outcome.err
    assert not (tmp_path / "out").exists()
