"""kill -9 at random moments, many of them inside a save."""

import random
import signal
import time

from smidgen.checkpoints.checkpoint import newest_checkpoint

from .processes import Mark, wait_until
from .trained import final_state, valid_steps

# Of the kills this share is aimed at saves; of the others some hit one too.
AIMED = 0.4
INSIDE_A_SAVE = 0.3
KILLS_PER_RUN = 8
KEPT = 2


def kill_somewhere(process, mark, draw):
    """Whether the process was killed before it ended by itself, and whether that was inside a save."""
    if draw.random() < AIMED:
        wait_until(lambda: mark.saving, process)
        # A save takes about 3 ms here, and a whole run half a second.
        time.sleep(draw.uniform(0, 0.003))
    else:
        time.sleep(draw.uniform(0, 0.4))
    process.send(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL, mark.saving


def survive(run, processes, mark, draw, interval, most_kills):
    """Kill a training again and again until it is done; return how often, and how often inside a save."""
    kills = inside = 0
    seen = 0
    while kills < most_kills:
        mark.clear_saving()
        killed, was_saving = kill_somewhere(processes.train(run, mark=str(mark.path)), mark, draw)
        if not killed:
            break
        kills += 1
        inside += was_saving
        newest, notices = newest_checkpoint(run.checkpoints)
        step = newest.step if newest else 0
        assert notices == []
        assert step >= mark.saved_step
        # Only whole checkpoints take the place of older ones.
        assert step >= seen
        assert len(valid_steps(run)) >= min(KEPT, step // interval)
        seen = step
    process = processes.train(run)
    assert process.wait() == 0, process.said
    return kills, inside


def test_killed_runs_end_with_the_bits_of_an_uninterrupted_one(new_run, processes, tmp_path, trials, no_failures):
    draw = random.Random(5)
    wanted = trials(40, 200)
    kills = inside = finished = 0
    straight = {}
    while kills < wanted:
        settings = {"checkpoint_steps": draw.choice((1, 1, 2)), "keep_checkpoints": KEPT}
        interval = settings["checkpoint_steps"]
        if interval not in straight:
            run = new_run(**settings)
            assert processes.train(run).wait() == 0
            straight[interval] = final_state(run)
        run = new_run(**settings)
        mark = Mark(tmp_path / f"mark-{finished}")
        killed, inside_saves = survive(run, processes, mark, draw, interval, min(KILLS_PER_RUN, wanted - kills))
        kills, inside, finished = kills + killed, inside + inside_saves, finished + 1
        assert final_state(run) == straight[interval]
    assert kills >= wanted
    assert inside >= INSIDE_A_SAVE * kills
    no_failures("kill -9 while training", kills, f"{inside} inside a save, {finished} finished runs with equal bits")
