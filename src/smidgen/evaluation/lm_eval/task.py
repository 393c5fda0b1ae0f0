"""A task of lm-evaluation-harness scored by us: its items and metrics, our log-probabilities and intervals."""

from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput
from smidgen.evaluation.task import TaskOutcome

if TYPE_CHECKING:
    from lm_eval.tasks import TaskManager

# lm-evaluation-harness itself stops with an assertion at these.
WORDS = {
    "spanned": "endings were tokenised apart from their context, because a token spans both",
    "blank_contexts": "contexts are blank and count as none",
}


def score_lm_eval_task(
    model: OpenModel,
    name: str,
    *,
    eval_data: Path | None = None,
    limit: int | None = None,
    precision: str = "exact",
    stop_requested: Callable[[], bool] = lambda: False,
    manager: "TaskManager | None" = None,
) -> TaskOutcome:
    """Score every task that ``name`` stands for, at most ``limit`` documents of each.

    Few-shot examples are as the task's file says. Scores are by task and by group; a k-way tie counts 1/k, where
    lm-evaluation-harness takes the first ending. ``manager`` is the index of tasks, which takes about 8 s to build.

    Raises ``BadInput`` where lm-evaluation-harness is not installed and as ``load_definition`` does, ``CheckFailed``
    for a model that returns NaN, ``Interrupted`` when asked to stop.
    """
    if find_spec("lm_eval") is None:
        raise BadInput(f'{name} is a task of lm-evaluation-harness, which is missing; pip install "smidgen[eval]"')
    from lm_eval.tasks import TaskManager

    from smidgen.evaluation.lm_eval.aggregation import chance, group_scores, task_scores
    from smidgen.evaluation.lm_eval.definition import load_definition
    from smidgen.evaluation.lm_eval.model import SmidgenLM
    from smidgen.evaluation.lm_eval.result import results_of

    definition = load_definition(manager or TaskManager(), name, eval_data)
    lm = SmidgenLM(model, precision=precision, stop_requested=stop_requested)
    results = {task_name: results_of(lm, task, limit) for task_name, task in definition.tasks.items()}
    scores = {task_name: task_scores(definition.tasks[task_name], found) for task_name, found in results.items()}
    return TaskOutcome(
        scores={**scores, **group_scores(definition, scores)},
        baselines={task_name: floor for task_name, found in results.items() if (floor := chance(found))},
        items=[{"task": task_name, **result.record} for task_name, found in results.items() for result in found],
        warnings=_warnings(name, lm.counts),
    )


def _warnings(name: str, counts: Counter[str]) -> list[str]:
    return [f"{name}: {counts[what]:,} {words}" for what, words in WORDS.items() if counts[what]]
