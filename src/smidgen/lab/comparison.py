"""Models against each other, task by task, with verdicts that hold for all comparisons of one call together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from smidgen.errors import BadInput
from smidgen.lab.difference import Difference, level_after, verdict
from smidgen.lab.holm import holm
from smidgen.lab.item_results import CONTENT
from smidgen.lab.metric import Metric
from smidgen.lab.paired import Pairs, difference
from smidgen.lab.score_record import Identity, ScoredTask, ScoreRecord, labelled
from smidgen.recipes.keys import suggestion


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What ``b`` did against ``a`` in one task: a difference still without its verdict."""

    task: str
    metric: Metric
    a: str
    b: str
    difference: Difference


@dataclass(kw_only=True)
class Findings:
    """What comes of looking through the tasks of some pairs of models."""

    matched: list[Matched] = field(default_factory=list)
    only_in_one: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    refused: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(self, task: str, metric: str, a: str, b: str, reason: str) -> None:
        self.refused.append({"task": task, "metric": metric, "a": a, "b": b, "reason": reason})
        self.warnings.append(f"{task}, {metric.replace('_', ' ')}: {b} is not compared with {a}, because {reason}")


def compare_records(
    records: Sequence[ScoreRecord],
    *,
    all_pairs: bool = False,
    metric: str | None = None,
    tasks: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Compare each later model with the first, or all pairs, in every task that both were scored on.

    Each task is compared in the metric to quote first, or in ``metric``, on the items that both have. Differences,
    and the words "better" and "worse", are those of model b against model a. The p-values are adjusted over all
    comparisons of the call (Holm), and the adjusted ones decide. ``refused`` lists what cannot be compared, and why.

    Raises ``BadInput`` for fewer than two records, unknown tasks, or when nothing can be compared.
    """
    if len(records) < 2:
        raise BadInput(f"models given: {len(records)}, a comparison needs two or more")
    _check_tasks(records, tasks)
    named = labelled(records)
    findings = Findings()
    for a, b in combinations(named, 2) if all_pairs else ((named[0], later) for later in named[1:]):
        _compare_two(findings, a, b, metric=metric, tasks=tasks)
    if not findings.matched:
        raise BadInput(nothing_to_compare(findings, metric))
    return judged(findings)


def judged(findings: Findings) -> dict[str, Any]:
    """Plain data with verdicts, after the correction over all that was matched."""
    adjusted = holm([one.difference.p for one in findings.matched])
    return {
        "comparisons": [_as_dict(one, p) for one, p in zip(findings.matched, adjusted, strict=True)],
        "only_in_one": findings.only_in_one,
        "refused": findings.refused,
        "warnings": list(dict.fromkeys(findings.warnings)),
    }


def nothing_to_compare(findings: Findings, metric: str | None) -> str:
    if findings.refused:
        first = findings.refused[0]
        return f"{first['task']}, {first['metric']}: cannot be compared, because {first['reason']}"
    what = f"a task with the metric {metric}" if metric else "a task"
    return f"the models have not {what} in common; score both with `smidgen evaluate MODEL --tasks A,B`"


def matched_pairs(a: ScoredTask, b: ScoredTask, metric: Metric) -> tuple[Pairs, int]:
    """Results of the items that both have, and how many share only a name. Raises ``ValueError``."""
    shared = [identity for identity in a.by_identity if identity in b.by_identity]
    alike = [identity for identity in shared if same_item(a, b, identity)]
    results_a = [metric.result_of(a.by_identity[identity]) for identity in alike]
    results_b = [metric.result_of(b.by_identity[identity]) for identity in alike]
    pairs = Pairs(
        a=np.array([result for result, _ in results_a], dtype=np.float64),
        b=np.array([result for result, _ in results_b], dtype=np.float64),
        weights=np.array([weight for _, weight in results_a], dtype=np.float64),
    )
    return pairs, len(shared) - len(alike)


def same_item(a: ScoredTask, b: ScoredTask, identity: Identity) -> bool:
    """Whether what two models were asked under one name is the same, as far as the records tell."""
    first, second = a.by_identity.get(identity), b.by_identity.get(identity)
    return bool(first and second and all(first.get(key) == second.get(key) for key in CONTENT))


def tasks_of(record: ScoreRecord, tasks: Sequence[str] | None) -> Iterator[str]:
    return (name for name in record.tasks if tasks is None or name in tasks)


def metric_of(a: ScoredTask, b: ScoredTask, wanted: str | None) -> Metric | None:
    """The metric to compare, where both tasks report it."""
    metric = Metric(wanted) if wanted else a.primary
    return metric if metric.name in a.metrics and metric.name in b.metrics else None


def why_not_comparable(tokenizer_a: str, tokenizer_b: str, metric: Metric) -> str:
    """Why models of two tokenizers (their hashes) cannot be compared in this metric; empty where they can."""
    if metric.units == "tokens" and tokenizer_a != tokenizer_b:
        return (
            "their tokenizers differ, and perplexity per token depends on how many tokens a text has; "
            "bits_per_byte can be compared"
        )
    return ""


def caveats(a: ScoredTask, b: ScoredTask, n: int) -> Iterator[str]:
    """What differs between two scorings of a task, apart from the model."""
    if a.files != b.files:
        yield f"{a.name}: the two were scored on different files; compared on the {n:,} items both have"
    elif a.by_identity.keys() != b.by_identity.keys():
        yield f"{a.name}: the two were scored on different items; compared on the {n:,} items both have"
    if a.precision != b.precision:
        yield f"{a.name}: scored in different precisions, {a.precision} and {b.precision}, which moves scores"


def _compare_two(
    findings: Findings, a: ScoreRecord, b: ScoreRecord, *, metric: str | None, tasks: Sequence[str] | None
) -> None:
    if a.weights_sha256 and a.weights_sha256 == b.weights_sha256:
        findings.warnings.append(f"{a.label} and {b.label} have the same weights")
    _count_lonely_items(findings, a, b, tasks)
    for name in tasks_of(a, tasks):
        task_a, task_b = a.task(name), b.task(name)
        chosen = metric_of(task_a, task_b, metric) if task_a and task_b else None
        if task_a is None or task_b is None or chosen is None:
            continue
        reason = why_not_comparable(a.tokenizer_sha256, b.tokenizer_sha256, chosen)
        if not reason:
            reason = _match(findings, (a.label, task_a), (b.label, task_b), chosen)
        if reason:
            findings.refuse(name, chosen.name, a.label, b.label, reason)


def _match(findings: Findings, a: tuple[str, ScoredTask], b: tuple[str, ScoredTask], metric: Metric) -> str:
    """Add the difference in one task, or say why there is none."""
    (label_a, task_a), (label_b, task_b) = a, b
    try:
        pairs, impostors = matched_pairs(task_a, task_b, metric)
    except ValueError as error:
        return str(error)
    if impostors:
        findings.warnings.append(
            f"{task_a.name}: {impostors:,} items of {label_a} and {label_b} share a name but not their content; "
            "they are left out"
        )
    findings.warnings += caveats(task_a, task_b, len(pairs.a))
    findings.matched.append(
        Matched(task=task_a.name, metric=metric, a=label_a, b=label_b, difference=difference(pairs, metric))
    )
    return ""


def _count_lonely_items(findings: Findings, a: ScoreRecord, b: ScoreRecord, tasks: Sequence[str] | None) -> None:
    """Items that only one of two models was scored on, by task; tasks with none are left out."""
    counts = {}
    for name in dict.fromkeys([*tasks_of(a, tasks), *tasks_of(b, tasks)]):
        in_a, in_b = (set(task.by_identity) if (task := one.task(name)) else set() for one in (a, b))
        if in_a != in_b:
            counts[name] = {a.label: len(in_a - in_b), b.label: len(in_b - in_a)}
    if counts:
        findings.only_in_one[f"{b.label} against {a.label}"] = counts


def _check_tasks(records: Sequence[ScoreRecord], tasks: Sequence[str] | None) -> None:
    known = list(dict.fromkeys(name for record in records for name in record.tasks))
    unknown = [name for name in tasks or () if name not in known]
    if unknown:
        raise BadInput(f"--tasks {unknown[0]}: none of the models was scored on it; {suggestion(unknown[0], known)}")


def _as_dict(one: Matched, p_adjusted: float) -> dict[str, Any]:
    found = one.difference
    return {
        "task": one.task,
        "metric": one.metric.name,
        "a": one.a,
        "b": one.b,
        "value_a": found.value_a,
        "value_b": found.value_b,
        "difference": found.value_b - found.value_a,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "p_adjusted": p_adjusted,
        "n": found.n,
        "discordant": found.discordant,
        "test": found.test,
        "needed": found.needed(level_after(found.p, p_adjusted)),
        "verdict": verdict(found, p_adjusted=p_adjusted, lower_is_better=one.metric.lower_is_better),
    }
