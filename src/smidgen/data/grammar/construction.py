"""A way to build a sentence together with its ungrammatical twin."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from smidgen.data.dice import Dice
from smidgen.data.grammar.word import capital
from smidgen.data.grammar.world import World

# How training text shows the sentence: told as an event, said by somebody, or asked by somebody.
Voice = Literal["told", "said", "asked"]
Twins = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Construction:
    phenomenon: str
    voice: Voice
    build: Callable[[World, Dice], Twins]


def fork(frame: str, good: str, bad: str) -> Twins:
    """The grammatical sentence and its twin; ``_`` in the frame is where they differ."""
    return capital(frame.replace("_", good)), capital(frame.replace("_", bad))


def swap(condition: bool, first: str, second: str) -> Twins:
    """``first`` is right when the condition holds, else ``second``.

    Conditions are coins, so that each form is right half of the time and no word gives the answer away.
    """
    return (first, second) if condition else (second, first)
