"""A sweep in the making: which settings are tried next, which trials go on, and which are confirmed in the end.

The folder remembers all of it: a file for each trial, written before it begins and again when it is judged, and the
choice at the end. One process at a time decides, here or on another machine.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from smidgen.errors import BadInput
from smidgen.lab.ablation.definition import Ablation
from smidgen.lab.ablation.outcome import FAILED, PENDING
from smidgen.lab.ablation.sweep import Settings, Sweep
from smidgen.lab.ablation.sweep_outcome import (
    CONFIRMED_NAME,
    SWEEP_FOLDER,
    SweepTrial,
    choose,
    is_over,
    read_confirmed,
    read_sweep_trials,
    trial_file,
)
from smidgen.lab.ablation.sweep_pruning import Judgement, judge
from smidgen.lab.ablation.trial import Trial, sweep_trial
from smidgen.records import atomic
from smidgen.records.run_lock import lock
from smidgen.trials.folder import AblationFolder
from smidgen.trials.halving import Agenda, is_measured, tokens_at, value_at
from smidgen.trials.job import Work
from smidgen.trials.sweep_sampler import suggest
from smidgen.trials.trial_record import write_trial_record
from smidgen.trials.turn import lock_in_turn


class SweepAgenda:
    """What a sweep has to be done, looked at again and again."""

    def __init__(self, ablation: Ablation, sweep: Sweep, folder: AblationFolder) -> None:
        self.ablation, self.sweep, self.folder = ablation, sweep, folder
        self._known: dict[int, Trial] = {}

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All that were asked for and can be trained."""
        return tuple(trial for one in self._read() if (trial := self._trial(one)) is not None)

    @property
    def asked(self) -> int:
        """How many were asked for, those that cannot be trained included."""
        return len(self._read())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left but to train what was chosen."""
        return read_confirmed(self.folder.path) is not None

    def look(self, free: int, taken: Collection[str]) -> Agenda:
        """What may be done now, by folder names without those ``taken`` here; ``free`` places are to be filled.

        New settings are asked for and trials judged as far as is due.
        """
        if self.is_over:
            return Agenda(open=())
        claim = self.folder.claim_of("sweep")
        with lock_in_turn(claim, "chooses settings of the sweep", lambda: False, lambda _: None):
            asked = self._read()
            for place, one in enumerate(asked):
                asked[place] = self._judged(one, asked)
            asked = self._ask(asked, free, taken)
            if is_over(self.sweep, asked):
                chosen = {"confirmed": choose(self.ablation, asked)}
                atomic.write_json(self.folder.path / SWEEP_FOLDER / CONFIRMED_NAME, chosen)
        pending = [(one, trial) for one in asked if one.state == PENDING and (trial := self._trial(one))]
        return Agenda(
            open=tuple((trial, self._goal(one, trial)) for one, trial in pending if not one.is_stopped),
            pruned=tuple((trial, self._reason(one)) for one, trial in pending if one.is_stopped),
        )

    def _read(self) -> list[SweepTrial]:
        return read_sweep_trials(self.folder.path, self.sweep)

    def _trial(self, one: SweepTrial) -> Trial | None:
        """As it is trained; ``None`` for settings that make no recipe, or cannot have the budget."""
        if one.number not in self._known:
            try:
                self._known[one.number] = self._resolved(one)
            except BadInput:
                return None
        return self._known[one.number]

    def _resolved(self, one: SweepTrial) -> Trial:
        return sweep_trial(self.ablation, self.ablation.variant(one.name, one.settings), seed=one.seed)

    # Judging.

    def _judged(self, one: SweepTrial, others: Sequence[SweepTrial]) -> SweepTrial:
        """The trial after the next fraction of its training, where it has come there and was not judged yet."""
        trial = self._trial(one) if one.state == PENDING and not one.is_stopped else None
        at = None if trial is None else self._next_fraction(one, trial)
        value = None if trial is None or at is None else value_at(trial, self.folder, at)
        if at is None or value is None:
            return one
        before = [judgement.bits_per_byte for other in others for judgement in other.judgements if judgement.at == at]
        judged = replace(one, judgements=(*one.judgements, judge(self.sweep.pruner, at, value, before)))
        self._write(judged)
        return judged

    def _next_fraction(self, one: SweepTrial, trial: Trial) -> float | None:
        """Where it is judged next; fractions before its first held-out measurement are passed over."""
        if self.sweep.pruner == "none":
            return None
        judged = {judgement.at for judgement in one.judgements}
        return next((at for at in self.sweep.at if at not in judged and is_measured(trial, at)), None)

    def _goal(self, one: SweepTrial, trial: Trial) -> int | None:
        at = self._next_fraction(one, trial)
        return None if at is None else tokens_at(trial, at)

    def _reason(self, one: SweepTrial) -> str:
        last: Judgement = one.judgements[-1]
        return (
            f"stopped at {last.at:.0%} of the training: {last.bits_per_byte:.4f} held-out bits per byte, and the "
            f"{self.sweep.pruner} of those that came there is {last.limit:.4f}"
        )

    # Asking.

    def _ask(self, asked: list[SweepTrial], free: int, taken: Collection[str]) -> list[SweepTrial]:
        """With new trials, so that ``free`` places have work.

        Where the choice does not depend on what came before, all are asked for at once.
        """
        waiting = sum(self._is_waiting(one, taken) for one in asked)
        while len(asked) < self.sweep.planned and (waiting < free or self.sweep.sampler != "tpe"):
            new = self._new(max((one.number for one in asked), default=0) + 1, suggest(self.sweep, asked))
            asked = [*asked, new]
            waiting += new.state == PENDING
        return asked

    def _is_waiting(self, one: SweepTrial, taken: Collection[str]) -> bool:
        """Whether nobody works on a trial that is to go on, here or elsewhere."""
        if one.state != PENDING or one.is_stopped or one.folder_name in taken:
            return False
        claim = self.folder.claim_of(one.folder_name)
        if not claim.exists():
            return True
        with lock(claim) as holder:
            return not holder

    def _new(self, number: int, settings: Settings) -> SweepTrial:
        one = SweepTrial(number=number, settings=settings, judgements=(), seed=self.sweep.seed)
        self._write(one)
        try:
            self._known[number] = self._resolved(one)
        except BadInput as error:
            work = Work(name=one.folder_name, recipe={}, variant=one.name, seed=one.seed, scale=1)
            write_trial_record(self.folder.run_of(one.folder_name), work, FAILED, str(error))
            return replace(one, state=FAILED, message=str(error))
        return one

    def _write(self, one: SweepTrial) -> None:
        record = {
            "number": one.number,
            "settings": one.settings,
            "judged": [judgement.as_dict() for judgement in one.judgements],
        }
        atomic.write_json(trial_file(self.folder.path, one.number), record)
