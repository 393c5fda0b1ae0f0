"""Training several models of one design together, as one program: passes over all of them, and all else by each.

Every member is a run like any other: its own folder, sample order, optimiser, averages, measurements and checkpoints,
any of which ``train`` can go on with alone. Only the gradients are computed together (``stack_step``). Memory holds
weights, gradients and optimiser states of all members, each once, and what passes over all of them leave behind.

M models    S sequences of a step    U tokens and the next
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from smidgen.data.training_data import TrainingData
from smidgen.errors import BadInput, SmidgenError
from smidgen.model.config import ModelConfig
from smidgen.recipes.recipe import Recipe
from smidgen.records.run_folder import RunFolder
from smidgen.training.autotune import Choice
from smidgen.training.device import deterministic, should_compile
from smidgen.training.progress import Progress, TrainingResult
from smidgen.training.stack_choice import choose, sizes_of_passes
from smidgen.training.stack_step import StackedStep
from smidgen.training.trainer import Trainer

# What a pass depends on and the number of steps. Optimiser, schedule, seed, averages and record-keeping may differ.
SHARED_SETTINGS = (
    "tokens",
    "batch_tokens",
    "batch_schedule",
    "precision",
    "document_masks",
    "z_loss",
    "question_weight",
    "answer_weight",
    "scratch_weight",
    "place_offset",
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A run that is trained with others; what its fields mean is said at ``train``."""

    recipe: Recipe
    run: RunFolder
    data: TrainingData
    config: ModelConfig
    max_tokens: int | None = None
    eval_data: Path | None = None
    on_progress: Callable[[Progress], None] = lambda progress: None
    on_notice: Callable[[str], None] = lambda notice: None
    on_measurement: Callable[[dict[str, Any]], None] = lambda record: None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How far a member came, and the error that ended it, where one did: what ``train`` would have raised.

    Its seconds are those of the whole stack.
    """

    result: TrainingResult
    error: SmidgenError | None = None


def can_be_stacked(recipes: Sequence[Recipe]) -> str:
    """Why these recipes cannot be trained together, "" where they can: one program has one shape."""
    first = recipes[0]
    for recipe in recipes[1:]:
        for name, value in _shape(recipe).items():
            other = _shape(first)[name]
            if value != other:
                return f"{name}={value} differs from {other}: models that are trained together agree in it"
    return ""


def train_together(
    members: Sequence[Member],
    *,
    device: torch.device,
    compile: bool | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """``train`` for each of the members, all in one program; the outcomes come in the same order.

    A member that diverges, or ends for any other reason, ends alone. Members that stand at different steps, because
    saving was interrupted, go on too: those ahead wait for the others. Raises ``BadInput`` for members that cannot be
    stacked, and ``OutOfResources`` where memory does not hold one sequence of each.
    """
    _require_stackable(members)
    stack = Stack(members, device=device, compile=compile)
    with deterministic(device):
        while due := stack.due(stop_requested):
            for seat, loss, gradient_norm in stack.compute_gradients(due):
                stack.take_step(seat, loss, gradient_norm)
    return stack.outcomes()


class Seat:
    """A member in the stack, until it has an outcome."""

    def __init__(self, member: Member, device: torch.device) -> None:
        self.member = member
        self.trainer = Trainer(
            member.recipe,
            member.run,
            member.data,
            member.config,
            device=device,
            on_notice=member.on_notice,
            on_measurement=member.on_measurement,
            eval_data=member.eval_data,
            is_stacked=True,
        )
        self.limit = min(self.trainer.plan.tokens, member.max_tokens or self.trainer.plan.tokens)
        self.outcome: Outcome | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """What goes wrong inside the block ends this member and no other."""
        try:
            yield
        except SmidgenError as error:
            self.outcome = Outcome(result=self.trainer.result(), error=error)

    def finish(self) -> None:
        with self.alone():
            self.trainer.save()
            self.outcome = Outcome(result=self.trainer.result())


class Stack:
    """The members in memory; ``train_together`` above is their life."""

    def __init__(self, members: Sequence[Member], *, device: torch.device, compile: bool | None) -> None:
        self.device = device
        self.seats = [Seat(member, device) for member in members]
        first = self.seats[0].trainer
        wanted = first.settings.compile if compile is None else compile
        self.is_compiled, notice = should_compile(wanted, first.plan.tokens * len(members))
        self._seat_together()
        for seat in self.seats:
            with seat.alone():
                seat.trainer.resume_or_start()
        if notice:
            self._tell(notice)

    # Phases, in the order in which `train_together` calls them.

    def due(self, stop_requested: Callable[[], bool]) -> list[Seat]:
        """The members that take the next step: of those that go on, those that are furthest behind."""
        is_stopped = stop_requested()
        for seat in self.living:
            if not seat.trainer.goes_on(seat.limit, lambda: is_stopped):
                seat.finish()
        if not self.living:
            return []
        if 2 * len(self.living) <= len(self.together):
            self._seat_together()
        lowest = min(seat.trainer.step for seat in self.living)
        due = [seat for seat in self.living if seat.trainer.step == lowest]
        # Saved at the same step, so that all can go on from one.
        overdue = any(seat.trainer.save_is_overdue for seat in due)
        for seat in due:
            seat.trainer.save_is_overdue = overdue
        return due

    def compute_gradients(self, due: Sequence[Seat]) -> list[tuple[Seat, Tensor, Tensor]]:
        """Loss and gradient norm of the members that are due, as ``Trainer.compute_gradients`` has them.

        The shape never changes: in the place of a member that has ended or waits, the work is done for nothing.
        """
        ids = {seat: seat.trainer.next_ids() for seat in due}
        ids_SMU = self._of_all(ids)
        assert ids_SMU is not None
        losses_M, norms_M = self.step.gradients(
            ids_SMU,
            place_offset_SM=self._of_all({seat: seat.trainer.next_place_offsets() for seat in due}),
            scratch_SMT=self._of_all({seat: seat.trainer.scratch(ids_SU) for seat, ids_SU in ids.items()}),
        )
        found = zip(self.together, losses_M.unbind(), norms_M.unbind(), strict=True)
        return [(seat, loss, norm) for seat, loss, norm in found if seat in ids]

    def _of_all(self, of_due: Mapping[Seat, Tensor | None]) -> Tensor | None:
        """What the members that are due have, and the first of them in the place of each other: (S, M, ...); None
        where they have none.
        """
        known = {seat: tensor for seat, tensor in of_due.items() if tensor is not None}
        if not known:
            return None
        first = next(iter(known.values()))
        return torch.stack([known.get(seat, first) for seat in self.together], dim=1)

    def take_step(self, seat: Seat, loss: Tensor, gradient_norm: Tensor) -> None:
        before = seat.trainer.clock.seconds_aside
        with seat.alone():
            seat.trainer.take_step(loss, gradient_norm)
            seat.member.on_progress(seat.trainer.progress())
        spent = seat.trainer.clock.seconds_aside - before
        # While one member measures or saves, the others do not train.
        for other in self.living:
            if other is not seat:
                other.trainer.clock.seconds_aside += spent

    def outcomes(self) -> list[Outcome]:
        return [seat.outcome for seat in self.seats if seat.outcome is not None]

    # What the phases need.

    @property
    def living(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.outcome is None]

    def _seat_together(self) -> None:
        """Make one program of those that live; again when half of them have ended, whose places cost as much."""
        if self.is_compiled:
            # Lets go of the program before, which would count as one of the few that PyTorch keeps.
            torch.compiler.reset()
        self.together = self.living
        steps = [seat.trainer.computation for seat in self.together]
        sizes = sizes_of_passes(self.together[0].trainer.plan, len(steps), self.device)
        choice = choose(steps, sizes, compiled=self.is_compiled)
        self.step = StackedStep(
            steps,
            micro_batch=choice.micro_batch,
            compile_mode=choice.compile_mode,
            smaller=[size for size in sizes if size < choice.micro_batch],
            on_notice=self._take_smaller_passes,
        )
        self._describe(choice)

    def _describe(self, choice: Choice) -> None:
        for step in (seat.trainer.computation for seat in self.together):
            step.stack = f"{len(self.together)} models together, {choice}"

    def _take_smaller_passes(self, notice: str) -> None:
        self._describe(Choice(micro_batch=self.step.micro_batch, compile_mode=self.step.compile_mode))
        self._tell(notice)

    def _tell(self, notice: str) -> None:
        for seat in self.living:
            seat.trainer.notice(notice)


def _shape(recipe: Recipe) -> dict[str, Any]:
    """What recipes that are trained together agree in, by the keys that people know."""
    # How weights are drawn matters before the first step only.
    design = {key: value for key, value in vars(recipe.design).items() if key != "initializer_range"}
    settings = {name: getattr(recipe.training, name) for name in SHARED_SETTINGS}
    return {f"design.{k}": v for k, v in design.items()} | {f"training.{k}": v for k, v in settings.items()}


def _require_stackable(members: Sequence[Member]) -> None:
    if not members:
        raise BadInput("a stack of no models cannot be trained; one or more work")
    resolved = [replace(member.recipe, design=member.config) for member in members]
    ends = {member.data.index["end_of_text_id"] for member in members}
    reason = can_be_stacked(resolved)
    if len(ends) > 1:
        reason = reason or f"their texts end with different tokens ({', '.join(map(str, sorted(ends)))})"
    if reason:
        raise BadInput(f"{reason}; train them one by one")
