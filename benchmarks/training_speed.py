"""Speed of training on this processor, side by side in one run: real trainers, loops, ours, ours without each part.

    python benchmarks/training_speed.py [--recipe gpt-s-5m] [--rounds 5] [--sequences 8] [--threads 1]
        [--only stock,ours] [--litgpt-python PYTHON]

Each variant trains in a process of its own, which works only while it is asked for a step: one step each, in turns
(A B C A B C ...), because these machines are shared and drift; the ratios are what counts, and those of processor
time more than those of the clock where others are at work. A step is all that its loop does from one update to the
next, fetching the batch included.

  stock                   the best of PyTorch alone: model and loss compiled as one, bf16 autocast, fused AdamW
  transformers            their Llama in the same loop
  transformers.Trainer    the real one at its best: bf16, torch_compile, fused AdamW, data in memory, no logging
  litgpt                  its real pretraining loop, bf16-mixed and compiled; with --litgpt-python the interpreter of
                          an environment of its own, because its requirements are at odds with newer transformers
  nanoGPT style           what its train.py does on a processor by default: float32, not compiled, AdamW not fused
  ours                    the step of a run, and with documents kept apart
  ours in a whole run     `smidgen train` as it is: documents apart, a curriculum of two sources, held-out text,
                          looks at layers, checkpoints. Then a tenth of its run, with all that comes ten times in a
                          run, against as many bare steps.

All begin with the same weights and see the same tokens, so that losses agree, but for three: Llamas of others have no
XSA, and so less to compute; the Trainer predicts 511 tokens of 512; the whole run reads text. Freed memory is kept in
all of them: what that brings (5 to 9%) is not in the ratios. Documents apart is another task, and so its loss is
another one. `transformers.Trainer uncompiled` and `transformers.Trainer float32` are slower and run when --only names
them.
"""

import argparse
import math
import sys
import time
from contextlib import ExitStack

import torch
from training.competitor import Competitor
from training.tables import CONSOLE, show_against, show_parts, show_speeds, show_stretch
from training.task import DEVICE, Task
from training.turn import StepReport
from training.variants import LITGPT, OURS, UNASKED, VARIANTS, WHOLE_RUN
from training.whole_run import RUN_TOKENS, whole_recipe

from smidgen.design.flops import flops_per_token
from smidgen.training.device import peak_flops_per_second
from smidgen.training.plan import plan_training

# Steps that the whole run and the bare steps take in turns.
STEPS_OF_A_TURN = 7


def main() -> None:
    arguments = parsed()
    task = Task(recipe=arguments.recipe, sequences=arguments.sequences)
    with ExitStack() as until_end:
        competitors = started(arguments, task, until_end)
        for number in range(1, arguments.rounds + 1):
            for competitor in competitors:
                competitor.timed_step()
            say(f"round {number} of {arguments.rounds}")
        title = f"{task.recipe}, {task.sequences} x {task.config.context_length} tokens, {arguments.threads} threads"
        torch.set_num_threads(arguments.threads)
        peak = peak_flops_per_second(DEVICE, task.dtype)
        step_flops = flops_per_token(task.config)["training"] * task.step_tokens
        show_speeds(competitors, title=title, step_tokens=task.step_tokens, step_flops=step_flops, peak=peak)
        by_name = {competitor.name: competitor for competitor in competitors}
        if ours := by_name.get(OURS):
            show_against(ours, [other for other in competitors if not other.name.startswith(OURS)])
            if whole := by_name.get(WHOLE_RUN):
                run_a_stretch(whole, ours, task)
        show_parts(competitors)


def parsed() -> argparse.Namespace:
    usual = ",".join(name for name in VARIANTS if name not in UNASKED)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="gpt-s-5m")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sequences", type=int, default=8, help="of one step, which is one forward pass")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", default=usual, help="by comma; the first is what others relate to")
    parser.add_argument("--litgpt-python", default=sys.executable, help="where litgpt and this package are installed")
    arguments = parser.parse_args()
    arguments.only = [name.strip() for name in arguments.only.split(",")]
    unknown = [name for name in arguments.only if name not in VARIANTS]
    if unknown:
        parser.error(f"--only knows no {unknown[0]!r}; known are {', '.join(VARIANTS)}")
    return arguments


def started(arguments: argparse.Namespace, task: Task, until_end: ExitStack) -> list[Competitor]:
    """Those that can run here, one after the other; each has compiled and settled."""
    competitors = []
    for name in arguments.only:
        python = arguments.litgpt_python if name == LITGPT else sys.executable
        competitor = Competitor(name, task, threads=arguments.threads, python=python)
        until_end.callback(competitor.leave)
        if obstacle := competitor.start():
            say(f"{name}: left out, {obstacle}")
        else:
            say(f"{name}: ready")
            competitors.append(competitor)
    return competitors


def run_a_stretch(whole: Competitor, bare: Competitor, task: Task) -> None:
    """A tenth of the whole run, wherever it begins: so all that a run does ten times is done once."""
    plan = plan_training(whole_recipe(task), device_type=DEVICE.type)
    steps = plan.held_out_steps
    # This one saves, where the turns of others took more than five minutes since the last checkpoint.
    whole.step()
    reports: dict[str, list[StepReport]] = {whole.name: [], bare.name: []}
    for turn in range(math.ceil(steps / STEPS_OF_A_TURN)):
        for competitor in (whole, bare):
            for _ in range(min(STEPS_OF_A_TURN, steps - turn * STEPS_OF_A_TURN)):
                reports[competitor.name].append(competitor.step())
    show_stretch(
        f"{steps} of {plan.steps} steps of a run of {RUN_TOKENS:,} tokens, with one measurement on held-out text, "
        "one look at layers and one checkpoint",
        reports[whole.name],
        reports[bare.name],
        step_tokens=task.step_tokens,
    )


def say(what: str) -> None:
    CONSOLE.print(f"{time.strftime('%H:%M:%S')} {what}", highlight=False)


if __name__ == "__main__":
    main()
