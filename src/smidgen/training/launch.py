"""What a launcher such as torchrun tells each of its processes, by environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from smidgen.errors import BadInput

NUMBERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """This process among those of one training; by default it is alone.

    ``rank`` counts over all machines, ``local_rank`` on this one. The processes meet at ``address`` and ``port``,
    where the launcher listens if it ``is_served`` by it, else rank 0. ``attempt`` counts restarts. ``threads`` are
    those of each process.
    """

    rank: int = 0
    ranks: int = 1
    local_rank: int = 0
    local_ranks: int = 1
    address: str = ""
    port: int = 0
    is_served: bool = False
    attempt: int = 0
    threads: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0


def read_launch(environment: Mapping[str, str]) -> Launch:
    """Raises ``BadInput`` for variables that are incomplete or contradict each other."""
    if "RANK" not in environment and "WORLD_SIZE" not in environment:
        return Launch()
    needed = [*NUMBERS, "MASTER_ADDR"]
    missing = [name for name in needed if not environment.get(name)]
    given = ", ".join(name for name in needed if name not in missing)
    if missing:
        raise BadInput(
            f"{given} say that this is one of several processes, but {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing; torchrun sets all of them, and a single process needs "
            "none"
        )
    values = {name: _number(name, environment[name]) for name in NUMBERS}
    for name, total in (("RANK", "WORLD_SIZE"), ("LOCAL_RANK", "LOCAL_WORLD_SIZE")):
        if not values[name] < values[total]:
            raise BadInput(f"{name}={values[name]} is not below {total}={values[total]}; ranks count from 0")
    local_ranks = values["LOCAL_WORLD_SIZE"]
    return Launch(
        rank=values["RANK"],
        ranks=values["WORLD_SIZE"],
        local_rank=values["LOCAL_RANK"],
        local_ranks=local_ranks,
        address=environment["MASTER_ADDR"],
        port=values["MASTER_PORT"],
        is_served=environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
        attempt=_number("TORCHELASTIC_RESTART_COUNT", environment.get("TORCHELASTIC_RESTART_COUNT", "0")),
        threads=_threads(environment.get("OMP_NUM_THREADS", ""), local_ranks),
    )


def usable_cores() -> int:
    """The processor's cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise BadInput(f"{name}={text!r} is not a whole number; torchrun sets it to one")
    return int(text)


def _threads(asked: str, local_ranks: int) -> int:
    # torchrun sets 1 where the user sets nothing, which would leave cores idle.
    if asked.isdecimal() and int(asked) > 1:
        return int(asked)
    return max(1, usable_cores() // local_ranks)
