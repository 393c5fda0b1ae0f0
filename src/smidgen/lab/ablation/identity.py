"""What of a recipe decides about the trained model and its scores."""

from typing import Any

from smidgen.recipes.recipe import Recipe

# Words about a model, what is drawn from it afterwards, and what an ablation decides itself.
_SECTIONS_WITHOUT_EFFECT = (
    "name",
    "description",
    "source",
    "inferred",
    "prompts",
    "sampling",
    "published",
)
_SOURCE_KEYS_WITHOUT_EFFECT = ("purpose", "license")
# How often a run is looked at, and what stays of it on the disk.
_TRAINING_KEYS_WITHOUT_EFFECT = (
    "log_steps",
    "held_out_steps",
    "evaluate_steps",
    "evaluate_tasks",
    "sample_steps",
    "sample_prompts",
    "statistics_steps",
    "keep_checkpoints",
    "keep_best",
)


def decisive(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data without what changes neither weights nor scores, and without the tasks."""
    content = {key: value for key, value in recipe.as_dict().items() if key not in _SECTIONS_WITHOUT_EFFECT}
    del content["evaluation"]["tasks"]
    for key in _TRAINING_KEYS_WITHOUT_EFFECT:
        del content["training"][key]
    for source in content["data"]["sources"].values():
        for key in _SOURCE_KEYS_WITHOUT_EFFECT:
            del source[key]
    return content
