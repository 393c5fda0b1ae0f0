"""What is asked of a model: the probability of one text after another, as token ids."""

from typing import NamedTuple


class Request(NamedTuple):
    """Score ``continuation`` after ``context``; neither may be empty."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]
