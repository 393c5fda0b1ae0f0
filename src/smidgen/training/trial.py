"""A model tried out while it is trained: scores of quick tasks and texts that it writes."""

from pathlib import Path
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput, CheckFailed
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.evaluate import evaluate
from smidgen.evaluation.named_tasks import others
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.tasks.suites import expand
from smidgen.generation.text_sample import text_samples
from smidgen.model.decoder import Decoder
from smidgen.recipes.recipe import Recipe
from smidgen.records.run_folder import RunFolder
from smidgen.tokenization.tokenizer import Tokenizer

# What is kept of a score: enough for a curve with its interval.
_KEPT = ("value", "low", "high", "n")


class Trial:
    """Tries out a decoder whose weights change; the run's tokenizer must be there.

    Raises ``BadInput`` for an unknown task, so that this is said before the first step.
    """

    def __init__(self, recipe: Recipe, run: RunFolder, decoder: Decoder, *, eval_data: Path | None) -> None:
        self._recipe, self._eval_data = recipe, eval_data
        self._tasks = recipe.training.evaluate_tasks
        expand(self._tasks, others=others(self._tasks))
        self._model = OpenModel(
            name=recipe.name,
            path=run.path,
            decoder=decoder,
            tokenizer=Tokenizer.open(run.tokenizer),
            weights_sha256="",
            sampling=recipe.sampling,
            max_length=recipe.evaluation.max_length,
        )

    def scores(self) -> dict[str, Any]:
        """``scores`` with intervals and ``baselines`` by task, without the parts of tasks; what was not scored is
        named under ``skipped`` with the reason, and no reason ends a training."""
        self._model.decoder.eval()
        conditions = Conditions(data=EvalData(self._eval_data), seed=self._recipe.training.seed)
        try:
            record = evaluate(self._model, self._tasks, conditions)
        except (BadInput, CheckFailed) as error:
            return {"scores": {}, "baselines": {}, "skipped": dict.fromkeys(self._tasks, str(error))}
        scores = {
            task: {metric: {key: score[key] for key in _KEPT} for metric, score in metrics.items()}
            for task, metrics in record["scores"].items()
            if "/" not in task
        }
        baselines = {task: record["baselines"].get(task, {}) for task in scores}
        return {"scores": scores, "baselines": baselines, "skipped": record["skipped"]}

    def samples(self, step: int) -> dict[str, Any]:
        """``samples`` after each prompt and the ``loop_share`` of those that run into a loop.

        What is drawn depends on step and prompt alone, so that a run that was interrupted writes the same.
        """
        self._model.decoder.eval()
        prompts = self._recipe.training.sample_prompts or self._recipe.prompts
        # Seeds of neighbouring steps must not meet: each step has as many as there are prompts.
        first = self._recipe.training.seed + step * len(prompts)
        model = self._model
        samples = text_samples(model.decoder, model.tokenizer, prompts, model.sampling, seed=first)
        return {"samples": samples, "loop_share": sum(sample["loop"] for sample in samples) / len(samples)}
