"""Sampling advice by name: what the cards of the five published systems recommend, and our own recipes."""

from difflib import get_close_matches

from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe, shipped_names
from smidgen.recipes.sampling import SamplingSettings

# The recipes whose sampling advice stands on a published card; that of Atom-2.7m is its greedy equations.
CARDS = ("ant-5m", "atom-2.7m", "atom-3.4m", "atomixs2-5m", "gpt-s-5m")


def sampling_preset(name: str) -> SamplingSettings:
    """The advice of a shipped recipe. Raises ``BadInput`` for another name."""
    names = shipped_names()
    if name not in names:
        near = get_close_matches(name, names, n=1)
        advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise BadInput(f"preset {name!r} is no shipped recipe: {advice}")
    return load_recipe(name).sampling


def card_presets() -> dict[str, SamplingSettings]:
    """The advice of the five cards, by name."""
    return {name: sampling_preset(name) for name in CARDS}
