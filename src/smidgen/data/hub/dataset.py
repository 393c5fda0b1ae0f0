"""A dataset of the Hugging Face hub as it was found on a day."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """``id`` is another one than the recipe's when the dataset has moved, ``config`` the one chosen when none was.

    ``revision`` is what the recipe asks for, ``commit`` the hash behind it, ``licenses`` are those on the card and
    ``notes`` what a user should know, a sentence each.
    """

    id: str
    config: str
    split: str
    revision: str
    commit: str
    licenses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
