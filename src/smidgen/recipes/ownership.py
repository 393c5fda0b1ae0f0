"""Which recipe a run folder belongs to."""

from typing import Any

from smidgen.recipes.loading import recipe_from_dict
from smidgen.recipes.recipe import Recipe
from smidgen.records.run_folder import RunFolder


def claim(run: RunFolder, recipe: Recipe) -> None:
    """Make the folder this recipe's, or check that it already is. Raises ``BadInput`` as ``RunFolder.claim`` does.

    A run of an older version lacks the keys that came later: these have their defaults, which is what it ran with.
    """

    def completed(stored: dict[str, Any]) -> dict[str, Any]:
        return recipe_from_dict(stored, origin=str(run.recipe)).as_dict()

    run.claim(recipe.as_dict(), completed=completed)
