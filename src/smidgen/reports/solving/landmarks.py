"""Published models as marks in the design space."""

from smidgen.design.parameters import count_parameters
from smidgen.recipes.loading import load_recipe, shipped_names
from smidgen.reports.solving.space import Landmark


def landmarks() -> list[Landmark]:
    """The shipped recipes whose authors report scores, the smallest first."""
    recipes = [load_recipe(name) for name in shipped_names()]
    found = [
        Landmark(
            name=recipe.name,
            hidden_size=recipe.design.hidden_size,
            num_layers=recipe.design.num_layers,
            parameters=count_parameters(recipe.design).total,
        )
        for recipe in recipes
        if recipe.published.scores
    ]
    return sorted(found, key=lambda one: one.parameters)
