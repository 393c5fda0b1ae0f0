"""How a recipe's training is cut into steps and forward passes on this device."""

import bisect
import math
from dataclasses import dataclass

from smidgen.errors import BadInput
from smidgen.recipes.recipe import Recipe
from smidgen.recipes.training import TrainingSettings

# On a CPU more tokens per pass only cost memory: 8 x 512 tokens run as fast as 32 x 512 (0.84 against 1.9 GB).
CPU_MICRO_BATCH_TOKENS = 8192
PROGRESS_LINES, HELD_OUT_MEASUREMENTS, CHECKPOINTS, LOOKS_AT_LAYERS = 200, 10, 10, 10


@dataclass(frozen=True, kw_only=True)
class BatchPhase:
    """Steps of equal size: from ``first_step`` and sample ``first_sequence`` on, ``sequences`` a step."""

    first_step: int
    first_sequence: int
    sequences: int


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Steps of the run and sequences of each step; ``micro_batch`` divides this rank's share of every step.

    Which samples a step takes is a pure function of the step: the phases are fixed before the first one, whatever
    the number of ranks.
    """

    steps: int
    phases: tuple[BatchPhase, ...]
    micro_batch: int
    context_length: int
    log_steps: int
    held_out_steps: int
    checkpoint_steps: int
    statistics_steps: int
    rank: int = 0
    ranks: int = 1

    @property
    def tokens(self) -> int:
        return self.tokens_before(self.steps)

    @property
    def total_sequences(self) -> int:
        return self.sequences_before(self.steps)

    def step_sequences(self, step: int) -> int:
        return self._phase(step).sequences

    def sequences_before(self, step: int) -> int:
        """Sequences of the steps before ``step``, which is the first sample of that step."""
        phase = self._phase(step)
        return phase.first_sequence + (step - phase.first_step) * phase.sequences

    def share(self, step: int) -> range:
        """The samples of a step that this rank takes."""
        own, first = share_of(self.step_sequences(step), self.rank, self.ranks), self.sequences_before(step)
        return range(first + own.start, first + own.stop)

    def tokens_before(self, step: int) -> int:
        return self.sequences_before(step) * self.context_length

    def _phase(self, step: int) -> BatchPhase:
        return self.phases[bisect.bisect_right(self.phases, step, key=lambda phase: phase.first_step) - 1]


def plan_training(recipe: Recipe, *, device_type: str, rank: int = 0, ranks: int = 1) -> TrainingPlan:
    """The plan of one of several ranks on a device; only the size of its passes depends on these, never the steps.

    Raises ``BadInput`` for more ranks than a step has sequences.
    """
    settings, context = recipe.training, recipe.design.context_length
    steps, phases = _phases(settings, context)
    _require_work_for_all(phases, context, ranks)
    wanted = settings.micro_batch_size
    if device_type == "cpu":
        wanted = min(wanted, max(1, CPU_MICRO_BATCH_TOKENS // context))
    return TrainingPlan(
        steps=steps,
        phases=phases,
        micro_batch=max(size for size in micro_batches(phases, rank, ranks) if size <= wanted),
        context_length=context,
        log_steps=settings.log_steps or math.ceil(steps / PROGRESS_LINES),
        held_out_steps=settings.held_out_steps or math.ceil(steps / HELD_OUT_MEASUREMENTS),
        checkpoint_steps=settings.checkpoint_steps or math.ceil(steps / CHECKPOINTS),
        statistics_steps=settings.statistics_steps or math.ceil(steps / LOOKS_AT_LAYERS),
        rank=rank,
        ranks=ranks,
    )


def micro_batches(phases: tuple[BatchPhase, ...], rank: int = 0, ranks: int = 1) -> list[int]:
    """Sequences of a pass that divide a rank's share of every step, rising: one shape for the run, compiled once."""
    common = math.gcd(*(len(share_of(phase.sequences, rank, ranks)) for phase in phases))
    return [size for size in range(1, common + 1) if common % size == 0]


def share_of(sequences: int, rank: int, ranks: int) -> range:
    """The part of so many sequences that a rank takes, neighbours in their order; parts differ by at most one."""
    return range(sequences * rank // ranks, sequences * (rank + 1) // ranks)


def uneven_shares(plan: TrainingPlan) -> list[str]:
    """A sentence where some ranks have to wait for others that take a sequence more."""
    for phase in plan.phases:
        if phase.sequences % plan.ranks:
            even = round(phase.sequences / plan.ranks) * plan.ranks
            return [
                f"{phase.sequences} sequences a step do not divide over {plan.ranks} ranks: some take one more, in "
                f"passes of another size; training.batch_tokens={even * plan.context_length} would divide"
            ]
    return []


def _require_work_for_all(phases: tuple[BatchPhase, ...], context: int, ranks: int) -> None:
    fewest = min(phase.sequences for phase in phases)
    if fewest < ranks:
        raise BadInput(
            f"a step of {fewest * context:,} tokens has {fewest} sequence{'' if fewest == 1 else 's'}, too few for "
            f"{ranks} ranks, which need one each; at most {fewest} ranks, or training.batch_tokens="
            f"{ranks * context}, would work"
        )


def _phases(settings: TrainingSettings, context: int) -> tuple[int, tuple[BatchPhase, ...]]:
    """The number of steps, and the phases that have any.

    A phase ends with the step that comes nearest to the next point; the last takes as many steps as fit, so that
    the run never exceeds its tokens.
    """
    points = [(0.0, settings.batch_tokens), *((point.at, point.tokens) for point in settings.batch_schedule)]
    ends = [*(round(at * settings.tokens) for at, _ in points[1:]), settings.tokens]
    phases: list[BatchPhase] = []
    step = sequence = 0
    for (_, batch_tokens), end in zip(points, ends, strict=True):
        done = sequence * context
        fitting = (settings.tokens - done) // batch_tokens
        count = fitting if end == settings.tokens else min(fitting, max(0, round((end - done) / batch_tokens)))
        if count:
            phases.append(BatchPhase(first_step=step, first_sequence=sequence, sequences=batch_tokens // context))
        step += count
        sequence += count * (batch_tokens // context)
    return step, tuple(phases)
