"""The process that trains in one way, a step whenever it is asked; ``Competitor`` starts it."""

import argparse
from contextlib import suppress
from multiprocessing.connection import Connection
from pkgutil import resolve_name

import torch

from smidgen.training.freed_memory import keep_freed_memory
from training.task import Task
from training.turn import Turn
from training.variants import VARIANTS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("variant")
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--sequences", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--connection", type=int, required=True, help="a file descriptor")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    with Connection(arguments.connection) as connection:
        try:
            train = resolve_name(VARIANTS[arguments.variant])
        except ImportError as error:
            connection.send(str(error))
            return
        # Nobody asks for a further step, or wants to know what the last one took.
        with suppress(EOFError, ConnectionError):
            train(Task(recipe=arguments.recipe, sequences=arguments.sequences), Turn(connection))


if __name__ == "__main__":
    main()
