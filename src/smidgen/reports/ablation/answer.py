"""What came of an ablation, in sentences."""

from dataclasses import dataclass

from smidgen.reports import words
from smidgen.reports.ablation import quantity, sweep
from smidgen.reports.ablation.result import BITS, BITS_TASK, DIVERGED, FAILED, FINISHED, OPEN, Result, Verdict

MOST_NAMED = 5
# Told at once; more are told behind a fold, the best first.
MOST_TOLD = 8
ORDER = ("better", "unsure", "worse", "diverged", "halved", "open")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A variant's name, what kind of verdict it got, and the rest of the sentence."""

    name: str
    kind: str
    words: str

    @property
    def sentence(self) -> str:
        return f"{self.name} {self.words}"


def headline(result: Result) -> str:
    if not result.variants:
        answer = _noise_words(result) if result.sweep is None else sweep.summary(result.sweep)
    elif len(result.variants) == 1:
        answer = told(result)[0].sentence
    else:
        answer = _counted(result)
    return answer + _base_words(result)


def told(result: Result) -> list[Told]:
    """A sentence for each variant; of many, the best come first."""
    listed = [_told(result, variant.name) for variant in result.variants]
    if len(listed) <= MOST_TOLD:
        return listed
    gains = {name: _gain(verdict) for name, verdict in result.main_verdicts.items()}
    return sorted(listed, key=lambda one: (ORDER.index(one.kind), -gains.get(one.name, 0.0)))


def _counted(result: Result) -> str:
    """ "Of 5 variants, 1 is better than the base (x) and 1 is worse (y); 2 cannot be told from it." """
    total = words.plural(len(result.variants), "variant")
    kinds: dict[str, list[str]] = {}
    for variant in result.variants:
        kinds.setdefault(result.kind(variant.name), []).append(variant.name)
    claims = [
        f"{len(names)} {'is' if len(names) == 1 else 'are'} {kind} ({words.listing(names, MOST_NAMED)})"
        for kind in ("better", "worse")
        if (names := kinds.get(kind))
    ]
    rest = [
        f"{len(kinds[kind])} {singular if len(kinds[kind]) == 1 else plural}"
        for kind, singular, plural in (
            ("unsure", "cannot be told from it", "cannot be told from it"),
            ("diverged", "diverged", "diverged"),
            ("halved", "was stopped by halving", "were stopped by halving"),
            ("open", "has no verdict yet", "have no verdict yet"),
        )
        if kind in kinds
    ]
    parts = [words.listing(claims)] if claims else ["none is shown to be better or worse"]
    return f"Of {total} against the base, {'; '.join([*parts, *([words.listing(rest)] if rest else [])])}."


def _base_words(result: Result) -> str:
    """That the base itself went wrong, which every verdict suffers from."""
    trials = [trial for trial in result.everyone[0].trials if trial.scale == result.main_scale]
    lost = sum(trial.state in (DIVERGED, FAILED) for trial in trials)
    return f" The base itself diverged or failed with {lost} of its {len(result.seeds)} seeds." if lost else ""


def _noise_words(result: Result) -> str:
    floor = next((one for one in result.noise_floor if one.task == BITS_TASK), None)
    if floor is None:
        return f"The noise floor of {result.base} is not measured yet: it needs two seeds that have ended."
    spread = quantity.size_words(BITS, floor.standard_deviation)
    begin = f"{words.plural(floor.seeds, 'seed')} of {result.base} differ by {spread} bits per byte"
    if (detectable := result.detectable(BITS_TASK)) is None:
        return f"{begin} (standard deviation)."
    return (
        f"{begin} (standard deviation). A change must make a difference of {quantity.size_words(BITS, detectable)} "
        f"to be found with {words.plural(len(result.seeds), 'seed')} in four of five tries."
    )


def _told(result: Result, name: str) -> Told:
    verdict = result.main_verdicts.get(name)
    if verdict is None:
        return Told(name=name, kind=result.kind(name), words=f"has no verdict yet: {_ended(result, name)}.")
    return Told(name=name, kind=verdict.kind, words=f"{_verdict_words(verdict)}.{_tasks_words(result, name)}")


def _verdict_words(verdict: Verdict) -> str:
    if verdict.kind == OPEN:
        return f"has no verdict: {verdict.verdict}"
    if verdict.kind not in ("better", "worse", "unsure"):
        return verdict.verdict
    said = ", ".join(part for part in (words.plural(verdict.seeds, "seed"), _chance_words(verdict)) if part)
    difference = verdict.difference or 0.0
    if verdict.kind == "unsure":
        shown = quantity.with_interval(verdict.metric, difference, verdict.low, verdict.high)
        return f"cannot be told from the base: {shown} bits per byte, {said}{_needs(verdict)}"
    return f"is {verdict.kind} by {_size(verdict)}, {said}{_expected(verdict)}"


def _size(verdict: Verdict) -> str:
    """ "0.0061 bits per byte (0.0032 to 0.0090)": in the direction that the verdict names."""
    difference = verdict.difference or 0.0
    size = f"{quantity.size_words(verdict.metric, difference)} {quantity.unit(verdict.metric)}"
    if verdict.low is None or verdict.high is None:
        return size
    near, far = sorted((verdict.low, verdict.high), key=abs)
    return f"{size} ({quantity.size_words(verdict.metric, near)} to {quantity.size_words(verdict.metric, far)})"


def _needs(verdict: Verdict) -> str:
    """What the verdict itself says in brackets: how many more seeds, or why none would help."""
    return f"; {verdict.verdict.partition('(')[2].rstrip(')')}" if "(" in verdict.verdict else ""


def _expected(verdict: Verdict) -> str:
    if verdict.kind != "better" or verdict.expected_gain is None:
        return ""
    return f"; a repetition should gain about {quantity.size_words(verdict.metric, verdict.expected_gain)}"


def _tasks_words(result: Result, name: str) -> str:
    """What is established on tasks, besides bits per byte."""
    found: dict[str, list[str]] = {}
    for verdict in result.verdicts:
        if verdict.variant == name and verdict.task != BITS_TASK and verdict.scale == result.main_scale:
            shown = (
                f"{quantity.signed_words(verdict.metric, verdict.difference or 0.0)} {quantity.unit(verdict.metric)}"
            )
            said = f"{quantity.task_words(verdict.task)} ({shown})"
            found.setdefault(verdict.kind, []).append(said)
    told = [f"{kind} on {words.listing(found[kind])}" for kind in ("better", "worse") if kind in found]
    return f" Also {' and '.join(told)}." if told else ""


def _ended(result: Result, name: str) -> str:
    """How many trials of a variant have ended at the main scale."""
    variant = next(one for one in result.everyone if one.name == name)
    ended = sum(trial.scale == result.main_scale and trial.state == FINISHED for trial in variant.trials)
    return f"{ended} of {words.plural(len(result.seeds), 'seed')} finished"


def _chance_words(verdict: Verdict) -> str:
    """The p-value that decides: of several verdicts the corrected one."""
    if verdict.p_adjusted is None or verdict.p_adjusted == verdict.p:
        return quantity.chance_words(verdict.p)
    return f"adjusted {quantity.chance_words(verdict.p_adjusted)}"


def _gain(verdict: Verdict) -> float:
    return quantity.gain(verdict.metric, verdict.difference or 0.0)
