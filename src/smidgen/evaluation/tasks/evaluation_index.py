"""The evaluation sets that a recipe's text is compared with."""

from smidgen.data.quality.contamination import ContaminationIndex
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.tasks.evaluation_texts import evaluation_texts, tasks_with_texts
from smidgen.recipes.quality import QualitySettings


def evaluation_index(settings: QualitySettings, data: EvalData) -> tuple[ContaminationIndex | None, dict[str, str]]:
    """The index of the tasks that the settings name, and why some cannot be compared with; None if it is not wanted.

    Raises ``BadInput`` where no task can be read.
    """
    if settings.contamination == "off":
        return None, {}
    found, skipped = tasks_with_texts(settings.contamination_tasks, data)
    return ContaminationIndex.of(evaluation_texts(found, data)), skipped
