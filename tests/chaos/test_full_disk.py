"""A disk that fills up at fifty moments of a sitting."""

import shutil

from smidgen.checkpoints.checkpoint import newest_checkpoint

from .processes import Processes
from .trained import final_state, valid_steps

MOMENTS = 50
# One of so many is the whole command.
COMMANDS = 5
FIRST, SECOND = 5, 10
PLENTY = 10**9


def go_on(processes: Processes, run, tokens, free_bytes, *, as_command=True):
    """Train to a number of tokens on a disk with so much space left; without the stages around it in less time."""
    disk = {"disk": str(run.path), "disk_bytes": free_bytes}
    if not as_command:
        return processes.train(run, tokens=tokens, **disk)
    return processes.smidgen("train", "--resume", run.path, "--max-tokens", tokens, **disk)


def total_bytes(folder):
    """What a run needs: a live page for which there is no room is left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and "report" not in path.parts)
    return sum(path.stat().st_size for path in files)


def test_a_full_disk_costs_no_checkpoint_and_says_what_to_do(new_run, processes, memory_disk, no_failures):
    begun = new_run(log_steps=1, keep_checkpoints=3)
    assert go_on(processes, begun, FIRST * 96, PLENTY).wait() == 75
    assert valid_steps(begun) == [FIRST]
    run = type(begun)(memory_disk / "copy")

    def start_again():
        shutil.rmtree(run.path, ignore_errors=True)
        shutil.copytree(begun.path, run.path)

    start_again()
    before = total_bytes(run.path)
    process = go_on(processes, run, SECOND * 96, PLENTY)
    assert process.wait() == 75, process.said
    assert "tokens of --max-tokens are spent" in process.said
    needed = total_bytes(run.path) - before
    straight = final_state(run)
    refused, before_the_end = set(), 0
    for moment in range(MOMENTS):
        start_again()
        # More moments near the beginning, when small files are written.
        free_bytes = needed * moment**2 // MOMENTS**2
        process = go_on(processes, run, SECOND * 96, free_bytes, as_command=moment % COMMANDS == 0)
        assert process.wait() == 75, process.said
        sentence = process.said.splitlines()[-1]
        assert sentence.startswith("error: no space left on the disk"), process.said
        assert "Traceback" not in process.said
        refused.add(sentence)
        assert FIRST in valid_steps(run)
        before_the_end += SECOND not in valid_steps(run)
        assert newest_checkpoint(run.checkpoints)[1] == []
        # What was begun is gone, so that there is space to go on.
        assert not list(run.path.rglob(".unfinished-*"))
        if moment % COMMANDS == 0:
            assert go_on(processes, run, SECOND * 96, PLENTY, as_command=False).wait() == 0
            assert final_state(run) == straight
    assert any("step-00000010" in sentence for sentence in refused)
    assert any("measurements" in sentence for sentence in refused)
    assert before_the_end >= MOMENTS // 2
    no_failures("disk full", MOMENTS, f"{before_the_end} before the checkpoint was there")
