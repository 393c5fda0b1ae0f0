"""Trainings over several ranks, one after the other in the processes of a single torchrun: imports take seconds.

    torchrun --nproc-per-node N rank_worker.py JOBS

JOBS is a JSON file: ``data`` (a folder), ``recipe`` (as a run stores it), and ``jobs`` with ``run``, ``name``,
``ranks``, ``port`` and what each is to do. Every rank writes ``RUN-NAME-RANK.json``: the samples it took, and how it
ended.
"""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch

from smidgen.data.training_data import open_data
from smidgen.errors import OutOfResources, SmidgenError
from smidgen.recipes.loading import recipe_from_dict
from smidgen.records.atomic import write_json
from smidgen.records.run_folder import RunFolder
from smidgen.training import ranks as ranks_module
from smidgen.training import trainer
from smidgen.training.launch import Launch
from smidgen.training.ranks import Ranks

# Nobody ends these processes as soon as one of them is done.
ranks_module.HEAD_START_SECONDS = 0.3
ranks_module.MEETING = timedelta(seconds=30)
PATIENCE = timedelta(seconds=3)
UNLUCKY_RANK = 1


class NotedData:
    """Training data that tell which samples are taken of them."""

    def __init__(self, data, note):
        self._data, self._note = data, note

    def __getattr__(self, name):
        return getattr(self._data, name)

    def batch(self, samples):
        self._note(samples)
        return self._data.batch(samples)


class Worker:
    """One rank of one job, which notes what it does and has one thing go wrong if the job says so."""

    def __init__(self, job, rank, data, recipe):
        self.job, self.rank, self.recipe = job, rank, recipe
        self.data = NotedData(data, self.note)
        self.samples, self.ended = [], {}
        self.in_a_step = False

    def note(self, samples):
        if not self.in_a_step:
            return
        self.samples.append(samples)
        if self.rank == UNLUCKY_RANK and len(self.samples) == self.job.get("at"):
            getattr(self, self.job["fault"])()

    def run(self):
        launch = Launch(
            rank=self.rank, ranks=self.job["ranks"], local_ranks=4, address="localhost", port=self.job["port"]
        )
        ranks = Ranks(launch, patience=PATIENCE)
        try:
            with ranks.joined():
                ranks.from_first("data", lambda: None)
                self.ended = self.train(ranks)
        except SmidgenError as error:
            self.ended = {"error": type(error).__name__, "sentence": str(error), "elsewhere": error.is_said_elsewhere}

    def train(self, ranks):
        run = RunFolder(Path(self.job["run"]))
        run.path.mkdir(exist_ok=True)
        build, self.trainer = trainer.Trainer, None

        def noted(*args, **options):
            self.trainer = build(*args, **options)
            self.compute_gradients, self.trainer.compute_gradients = self.trainer.compute_gradients, self.step
            return self.trainer

        trainer.Trainer = noted
        try:
            result = trainer.train(
                self.recipe,
                run,
                self.data,
                self.recipe.design,
                device=torch.device("cpu"),
                stop_requested=self.stop_requested,
                max_tokens=self.job.get("max_tokens"),
                ranks=ranks,
            )
        finally:
            trainer.Trainer = build
        return result.as_dict()

    def step(self):
        self.in_a_step = True
        try:
            return self.compute_gradients()
        finally:
            self.in_a_step = False

    def stop_requested(self):
        return self.rank == UNLUCKY_RANK and len(self.samples) == self.job.get("stop_after")

    # What can go wrong.

    def silence(self):
        time.sleep(PATIENCE.total_seconds() + 4)

    def drift(self):
        with torch.no_grad():
            self.trainer.decoder.embed_tokens.weight[3, 2] += 1e-6

    def memory(self):
        raise OutOfResources("memory ran out")

    def infinity(self):
        weight = self.trainer.decoder.embed_tokens.weight
        handle = weight.register_hook(lambda gradient: (handle.remove(), gradient * float("inf"))[1])


def main():
    work = json.loads(Path(sys.argv[1]).read_text())
    rank = int(os.environ["RANK"])
    torch.set_num_threads(1)
    trainer.peak_flops_per_second = lambda *_: 1.0
    recipe = recipe_from_dict(work["recipe"], origin="")
    for job in work["jobs"]:
        worker = Worker(job, rank, open_data(Path(work["data"]), None), recipe)
        if rank < job["ranks"]:
            worker.run()
        write_json(file_of(job, rank), {"samples": worker.samples, "ended": worker.ended})
        # Else those without work would be early for the next job and wait long before they try again.
        while not all(file_of(job, other).exists() for other in range(int(os.environ["WORLD_SIZE"]))):
            time.sleep(0.02)


def file_of(job, rank):
    return Path(f"{job['run']}-{job['name']}-{rank}.json")


if __name__ == "__main__":
    main()
