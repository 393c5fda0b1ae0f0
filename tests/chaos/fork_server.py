"""Starts Smidgen in processes that begin at once: torch is imported here a single time, then each job is a fork.

Run as a program by ``processes.Processes``; reads one JSON object a line and answers with one. No thread is started
and no number computed before a fork, so that the child's torch is as fresh as after an import.
"""

import json
import mmap
import os
import resource
import sys
import traceback
from pathlib import Path

import torch
import torch._dynamo  # what torch's optimisers import when the first one is made, for more than a second

from smidgen.checkpoints import checkpoint

SAVING, SAVED_STEP = 0, slice(8, 16)
mark: mmap.mmap | None = None
save_checkpoint = checkpoint.save_checkpoint


def save_with_mark(root, *, step, **options):
    """Leaves in shared memory, which outlives a kill, whether a save goes on and the step of the last finished."""
    if mark is None:
        return save_checkpoint(root, step=step, **options)
    mark[SAVING] = 1
    folder = save_checkpoint(root, step=step, **options)
    mark[SAVED_STEP] = step.to_bytes(8, "little")
    mark[SAVING] = 0
    return folder


# Before the trainer takes the function by name.
checkpoint.save_checkpoint = save_with_mark

from smidgen.cli import main  # noqa: E402
from smidgen.data.training_data import open_data  # noqa: E402
from smidgen.errors import SmidgenError  # noqa: E402
from smidgen.life import run as _life  # noqa: E402, F401  (what every command would import, once)
from smidgen.recipes.loading import recipe_from_dict  # noqa: E402
from smidgen.records.run_folder import RunFolder  # noqa: E402
from smidgen.training import trainer  # noqa: E402

if hasattr(trainer, "peak_flops_per_second"):
    # Half a second at the end of every training that no test here is about.
    trainer.peak_flops_per_second = lambda *_: 1.0


outputs: dict[int, int] = {}


def serve() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        if "wait" in job:
            # Read to its end first: a process whose output nobody takes would never end.
            with os.fdopen(outputs.pop(job["wait"]), errors="replace") as output:
                said = output.read()
            _, status = os.waitpid(job["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status), "said": said}
        else:
            answer = {"pid": start(job)}
        print(json.dumps(answer), flush=True)


def start(job) -> int:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = run(job, writing)
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    outputs[pid] = reading
    return pid


def run(job, output) -> int:
    global mark
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    torch.set_num_threads(1)
    if "mark" in job:
        with Path(job["mark"]).open("r+b") as file:
            mark = mmap.mmap(file.fileno(), 16)
    if "disk_bytes" in job:
        shrink_disk(Path(job["disk"]), job["disk_bytes"])
    if "train" in job:
        return train(RunFolder(Path(job["train"])), job.get("tokens"))
    try:
        main(job["words"])
    except SystemExit as leaving:
        return leaving.code or 0
    return 0


def train(folder, tokens) -> int:
    """The training of a prepared run alone, without the stages and displays around it."""
    recipe, data = recipe_from_dict(folder.stored_recipe(), origin=""), open_data(folder.data, None)
    try:
        trainer.train(recipe, folder, data, recipe.design, device=torch.device("cpu"), max_tokens=tokens)
    except SmidgenError as error:
        print(f"error: {error}")
        return error.exit_code
    return 0


def shrink_disk(disk: Path, free_bytes: int) -> None:
    """Let the files below ``disk`` grow by ``free_bytes`` and no more: the kernel refuses the write at that byte.

    Whenever a file is opened for writing, its limit is set to what is left. Python tells of every opening.
    """

    def used() -> int:
        sizes = 0
        for file in disk.rglob("*"):
            try:
                sizes += file.stat().st_size
            except FileNotFoundError:
                continue
        return sizes

    before = used()
    counting = False

    def on_event(event, details) -> None:
        nonlocal counting
        if event != "open" or counting or not isinstance(details[0], str) or not details[0].startswith(str(disk)):
            return
        if not details[2] & (os.O_WRONLY | os.O_RDWR):
            return
        counting = True
        path = Path(details[0])
        own = path.stat().st_size if path.exists() and not details[2] & os.O_TRUNC else 0
        left = max(0, free_bytes - (used() - before))
        resource.setrlimit(resource.RLIMIT_FSIZE, (own + left, resource.RLIM_INFINITY))
        counting = False

    sys.addaudithook(on_event)


if __name__ == "__main__":
    serve()
