"""Everything that an ablation has to carry out, as far as is known by now: its sweep first, then all variants."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from smidgen.errors import BadInput
from smidgen.lab.ablation.definition import Ablation
from smidgen.lab.ablation.sweep import NAME_PREFIX, Sweep
from smidgen.lab.ablation.sweep_outcome import SweepTrial, ordinal, with_confirmed
from smidgen.lab.ablation.trial import Trial, plan_trials, sweep_trial
from smidgen.trials.folder import AblationFolder
from smidgen.trials.halving import Agenda, agenda, require_measurements
from smidgen.trials.sweep_agenda import SweepAgenda
from smidgen.trials.sweep_sampler import load_optuna


class Programme:
    """The trials of an ablation. What a sweep has found by its end becomes part of it then.

    ``rates`` are tokens for each second or byte by variant, for a budget of these. Raises ``BadInput`` where the
    budget cannot be held equal, for halving before the first held-out measurement, and for a sweep without optuna.
    """

    def __init__(self, ablation: Ablation, folder: AblationFolder, rates: Mapping[str, float]) -> None:
        self.folder, self._rates = folder, rates
        self._sweep: SweepAgenda | None = None
        if ablation.sweep is not None:
            load_optuna()
            self._sweep = SweepAgenda(ablation, ablation.sweep, folder)
        self._plan(ablation)
        self.samples = () if ablation.sweep is None else tuple(_samples(ablation, ablation.sweep))
        require_measurements(self._planned, ablation.halving)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All that are known."""
        return (*(() if self._sweep is None else self._sweep.trials), *self._planned)

    @property
    def expected(self) -> tuple[Trial, ...]:
        """All that are known, and trials of the base in place of those whose settings are still to be chosen."""
        return (*self.trials, *(() if self._sweep is None else self._stand_ins(self._sweep)))

    @property
    def has_ended(self) -> bool:
        return (self._sweep is None or self._sweep.is_over) and self.folder.all_ended(self.trials)

    def look(self, free: int, taken: Collection[str]) -> Agenda:
        """What may be done now, the sweep's trials first; ``free`` places are to be filled, and trials with the
        folder names ``taken`` are being carried out here."""
        swept = Agenda(open=()) if self._sweep is None else self._sweep.look(free, taken)
        if self._sweep is not None and self._sweep.is_over and self.ablation is self._sweep.ablation:
            self._plan(self.ablation)
        rest = agenda(self._planned, self.folder, self.ablation.halving)
        return Agenda(open=(*swept.open, *rest.open), stopped=rest.stopped, pruned=swept.pruned)

    def _plan(self, ablation: Ablation) -> None:
        self.ablation = with_confirmed(ablation, self.folder.path)
        self._planned = plan_trials(self.ablation, self._rates)

    def _stand_ins(self, agenda: SweepAgenda) -> Iterator[Trial]:
        """Trials of the base under the names of those to come."""
        base = next(trial for trial in self._planned if trial.scale == 1)
        for number in range(agenda.asked + 1, agenda.sweep.planned + 1):
            name = SweepTrial(number=number, settings={}, judgements=(), seed=agenda.sweep.seed).name
            yield replace(base, variant=name, seed=agenda.sweep.seed)
        if not agenda.is_over:
            of_base = [trial for trial in self._planned if trial.variant == base.variant]
            for place in range(1, agenda.sweep.confirm + 1):
                for trial in of_base:
                    yield replace(trial, variant=f"{NAME_PREFIX}{ordinal(place)}")


def _samples(ablation: Ablation, sweep: Sweep) -> Iterator[Trial]:
    """Trials that need all the text that any settings can need. Raises ``BadInput`` for an end of an axis that cannot
    be trained with the budget."""
    for number, settings in enumerate(sweep.extremes()):
        name = f"{NAME_PREFIX}sample-{number}"
        try:
            yield sweep_trial(ablation, ablation.variant(name, settings), seed=sweep.seed)
        except BadInput as error:
            if len(settings) == 1:
                [(key, value)] = settings.items()
                raise BadInput(f"the sweep's {key} = {value!r}: {error}") from error
