"""Two processes that want to train in one run folder."""

import signal

from .processes import Mark, wait_until
from .trained import final_state


def test_a_second_process_is_turned_away_and_a_dead_one_blocks_nobody(new_run, processes, tmp_path, no_failures):
    straight = new_run(tokens=96 * 400)
    assert processes.train(straight).wait() == 0
    run = new_run(tokens=96 * 400)
    attempts = 4
    for number in range(attempts):
        mark = Mark(tmp_path / f"mark-{number}")
        first = processes.smidgen("train", "--resume", run.path, mark=str(mark.path))
        assert wait_until(lambda mark=mark: mark.saved_step, first), first.said
        first.send(signal.SIGSTOP)
        second = processes.smidgen("train", "--resume", run.path)
        assert second.wait() == 2, second.said
        assert f"{run.path} is in use by another process (pid {first.pid})" in second.said
        assert "Traceback" not in second.said
        first.send(signal.SIGKILL)
        assert first.wait() == -signal.SIGKILL
    last = processes.smidgen("train", "--resume", run.path)
    assert last.wait() == 0, last.said
    assert final_state(run) == final_state(straight)
    no_failures("second process in a run folder", attempts, "each after a kill of the one before")
