"""The processes of one training: what they add up, what they agree on, and how they notice that one is missing.

Numbers go through gloo (processors) and NCCL (GPUs). Everything else goes through the launcher's store of keys, which
can be asked without waiting: who has come, who ended and why.

F values of several tensors, one after the other
"""

import hashlib
import json
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from smidgen.errors import BadInput, CheckFailed, Interrupted, OutOfResources, RankLost, SmidgenError
from smidgen.training.launch import Launch, usable_cores

# How long ranks wait for one that is training too; its slowest work is a held-out measurement or a checkpoint.
PATIENCE = timedelta(minutes=30)
# How long a process may take to come to the meeting point: queues of clusters start machines one after the other.
MEETING = timedelta(minutes=10)
POLL_SECONDS = 0.1
# A launcher ends the other ranks as soon as one has left with a code other than 0; the first gets so long to leave.
HEAD_START_SECONDS = 1.0
# How long a rank that lost its connection looks for the reason that another one may have left.
REASON_SECONDS = 2.0
ERRORS = {error.exit_code: error for error in (BadInput, CheckFailed, OutOfResources, Interrupted)}


class Ranks:
    """The ranks of one training, seen from one of them. Alone, everything is what this process has.

    ``device`` names this rank's device. Methods raise ``RankLost`` when another rank is gone or does not come in
    time, and the error with which another rank ended, where one did. All ranks call them in the same order.
    """

    def __init__(
        self, launch: Launch | None = None, *, device: str | None = None, patience: timedelta = PATIENCE
    ) -> None:
        self.launch = launch or Launch()
        self.device = device
        self._patience = patience
        self._store: Any = None
        self._exchanges = 0
        self._heard: SmidgenError | None = None

    @property
    def count(self) -> int:
        return self.launch.ranks

    @property
    def rank(self) -> int:
        return self.launch.rank

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that writes and speaks."""
        return self.launch.is_first

    # What ranks exchange.

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all ranks: one exchange of one row of values."""
        if self.count == 1:
            return
        row_F = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with self._exchange():
            dist.all_reduce(row_F)
        parts = row_F.split([tensor.numel() for tensor in tensors])
        summed = [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]
        torch._foreach_copy_(list(tensors), summed)

    def most(self, *numbers: int) -> tuple[int, ...]:
        """The largest of each number over all ranks. Waits for the hosts only, never for a GPU."""
        if self.count == 1:
            return numbers
        largest = torch.tensor([int(number) for number in numbers])
        with self._exchange():
            dist.all_reduce(largest, op=dist.ReduceOp.MAX)
        return tuple(largest.tolist())

    def from_first(self, name: str, find: Callable[[], Any]) -> Any:
        """What ``find`` returns on the first rank, as JSON carries it; the others wait however long it takes."""
        if self.count == 1:
            return find()
        if self.is_first:
            found = find()
            self._store.set(f"found/{name}", json.dumps(found))
            return found
        self._wait_for([f"found/{name}"], seconds=None)
        return json.loads(self._store.get(f"found/{name}"))

    def require_same(self, what: str, words: Sequence[str], tensors: Iterable[Tensor]) -> None:
        """Raise ``CheckFailed`` on all ranks, naming those whose words or bits of tensors are not the first's."""
        if self.count == 1:
            return
        digest = hashlib.blake2b(json.dumps(list(words)).encode(), digest_size=8)
        for tensor in tensors:
            digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
        own = torch.tensor([int.from_bytes(digest.digest(), "big", signed=True)])
        digests = [torch.empty_like(own) for _ in range(self.count)]
        with self._exchange():
            dist.all_gather(digests, own)
        others = [rank for rank, other in enumerate(digests) if other != digests[0]]
        if others:
            raise CheckFailed(
                f"{what} differ between rank 0 and {_names(others)}, and nothing of it is saved; start all ranks by "
                "the same command on machines of one kind with the same versions, to go on from the newest checkpoint"
            )

    # Coming and leaving.

    @contextmanager
    def joined(self) -> Iterator["Ranks"]:
        """Meet the other ranks, and leave together: the first tells how it ended, and the others end like it."""
        if self.count == 1:
            yield self
            return
        self._meet()
        try:
            yield self
        except RankLost:
            raise
        except SmidgenError as error:
            # What another rank told is not told again as if it were this one's.
            if error is not self._heard:
                self._tell_end(error)
            error.is_said_elsewhere = not self.is_first
            raise
        except KeyboardInterrupt:
            self._tell_end(Interrupted("interrupted; what was saved is kept"))
            raise
        else:
            if self.is_first:
                self._tell_end(None)
            else:
                self._wait_for(["end"], seconds=None)
        finally:
            self._hang_up()
            # Without a launcher the first keeps the store, in which the others read how it ended.
            if not self.is_first or not self.launch.is_served:
                time.sleep(HEAD_START_SECONDS)

    @contextmanager
    def sharing_cores(self) -> Iterator[None]:
        """Inside the block this rank computes with its share of the cores, afterwards the first with all of them."""
        if self.count == 1:
            yield
            return
        # The same on all, because sums over other numbers of threads differ in their last bits.
        (fewer,) = self.most(-self.launch.threads)
        torch.set_num_threads(-fewer)
        try:
            yield
        finally:
            if self.is_first:
                torch.set_num_threads(usable_cores())

    def _meet(self) -> None:
        launch = self.launch
        where = f"{launch.address}:{launch.port}"
        try:
            store = dist.TCPStore(
                launch.address,
                launch.port,
                is_master=launch.is_first and not launch.is_served,
                timeout=MEETING,
                wait_for_workers=False,
            )
        except (RuntimeError, ValueError) as error:
            raise BadInput(
                f"rank {launch.rank} finds no meeting point at {where} ({_first_line(error)}); MASTER_ADDR and "
                "MASTER_PORT must name a free port of the machine of rank 0 that all machines reach"
            ) from error
        # The launcher's store outlives a restart.
        self._lasting_store = store
        if store.check(["smidgen/end"]):
            raise _error_of(json.loads(store.get("smidgen/end")), "this training ended before the restart: ")
        self._store = dist.PrefixStore(f"smidgen/{launch.attempt}-{launch.ranks}", store)
        self._store.set(f"here/{launch.rank}", socket.gethostname())
        waiting = min(self._patience, MEETING)
        self._wait_for([f"here/{rank}" for rank in range(launch.ranks)], seconds=waiting.total_seconds())
        backend = "gloo"
        if self.device is not None and self.device.startswith("cuda"):
            torch.cuda.set_device(self.device)
            backend = "cpu:gloo,cuda:nccl" if dist.is_nccl_available() else backend
        with self._exchange():
            dist.init_process_group(
                backend,
                store=dist.PrefixStore("group", self._store),
                rank=launch.rank,
                world_size=launch.ranks,
                timeout=self._patience,
            )

    def _hang_up(self) -> None:
        # Of GPUs that wait for one that is gone, NCCL would wait for the end; their processes end anyway.
        if dist.is_initialized() and not (self.device or "").startswith("cuda"):
            dist.destroy_process_group()

    def _tell_end(self, error: SmidgenError | None) -> None:
        """Say how this rank ends: with a code and a sentence."""
        sentence = "" if error is None else str(error) if self.is_first else f"rank {self.rank}: {error}"
        end = json.dumps({"code": 0 if error is None else error.exit_code, "sentence": sentence})
        sys.stdout.flush()
        try:
            # A signal may be the launcher's, which ends what is left of an attempt before it begins another.
            if not isinstance(error, Interrupted):
                self._lasting_store.set("smidgen/end", end)
            self._store.set("end", end)
        except RuntimeError:
            # Whoever kept the store is gone, and with it whoever would have read this.
            return

    def _wait_for(self, keys: Sequence[str], *, seconds: float | None) -> None:
        """Return once all keys are there; without ``seconds`` as long as the store answers."""
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            while not self._store.check(list(keys)):
                self._raise_end()
                if deadline is not None and time.monotonic() > deadline:
                    missing = [int(key.rpartition("/")[2]) for key in keys if not self._store.check([key])]
                    raise RankLost(
                        f"{_names(missing)} of {self.count} did not come within {seconds:.0f} seconds; "
                        "start all of them, with the same MASTER_ADDR and MASTER_PORT"
                    )
                time.sleep(POLL_SECONDS)
            self._raise_end()
        except RuntimeError as error:
            raise RankLost(f"rank {self.rank} lost the store of keys ({_first_line(error)}); {_REPEAT}") from error

    def _raise_end(self) -> None:
        if self._store.check(["end"]):
            end = json.loads(self._store.get("end"))
            if end["code"]:
                self._heard = _error_of(end)
                raise self._heard

    @contextmanager
    def _exchange(self) -> Iterator[None]:
        """Turn a broken or silent connection into the reason for it."""
        started = time.monotonic()
        self._exchanges += 1
        try:
            self._store.set(f"came/{self.rank}", str(self._exchanges))
            yield
        except RuntimeError as error:
            raise self._loss(error, time.monotonic() - started) from error

    def _loss(self, error: RuntimeError, waited_seconds: float) -> SmidgenError:
        """The error with which another rank ended, else who is missing."""
        deadline = time.monotonic() + REASON_SECONDS
        try:
            while time.monotonic() < deadline:
                self._raise_end()
                time.sleep(POLL_SECONDS)
            late = [rank for rank in range(self.count) if self._came(rank) < self._exchanges]
        except SmidgenError as reason:
            return reason
        except RuntimeError:
            late = []
        who = f"{_names(late)} did not come" if late else "a rank is gone"
        waited = f"rank {self.rank} waited {waited_seconds:.0f} seconds"
        return RankLost(f"{who}: {waited} ({_first_line(error)}); {_REPEAT}")

    def _came(self, rank: int) -> int:
        key = f"came/{rank}"
        return int(self._store.get(key)) if self._store.check([key]) else 0


_REPEAT = "checkpoints are intact, and the command can be repeated to go on from the newest"


def device_of_rank(launch: Launch, name: str | None) -> str | None:
    """The device of this rank: a GPU of its own, or the processor. Raises ``BadInput`` for too few GPUs."""
    if launch.ranks == 1:
        return name
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not name.startswith("cuda"):
        return name
    gpus = torch.cuda.device_count()
    if name != "cuda":
        raise BadInput(f"--device {name} is one GPU, and {launch.ranks} ranks need one each; give --device cuda")
    if gpus < launch.local_ranks:
        raise BadInput(
            f"{launch.local_ranks} ranks were started on {socket.gethostname()}, which has {gpus} usable GPU"
            f"{'' if gpus == 1 else 's'}; give --nproc-per-node {gpus}, or --device cpu"
        )
    return f"cuda:{launch.local_rank}"


def _error_of(end: dict[str, Any], before: str = "") -> SmidgenError:
    error = ERRORS.get(end["code"], OutOfResources)
    return error(f"{before}{end['sentence'] or 'it was stopped'}")


def _names(ranks: Sequence[int]) -> str:
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {', '.join(map(str, ranks))}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:160]
