"""A tokenizer to be measured: ours, or one of others."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from smidgen.records.run_folder import RunFolder
from smidgen.tokenization.folder import SMIDGEN_NAME
from smidgen.tokenization.library_tokenizer import LibraryTokenizer
from smidgen.tokenization.text_rules import ALLCAPS, ESCAPE, TITLE
from smidgen.tokenization.tokenizer import Tokenizer


class Encoder(Protocol):
    """What measuring needs. ``content`` gives a token's bytes before text rules are undone, and whether it is a
    control token.
    """

    @property
    def vocab_size(self) -> int: ...
    @property
    def special_ids(self) -> Mapping[str, int]: ...
    def encode_stream(self, texts: Iterable[str]) -> Iterator[list[int]]: ...
    def decode(self, token_ids: Iterable[int], *, skip_special: bool = True) -> str: ...
    def content(self, token_id: int) -> tuple[bytes, bool]: ...
    def pieces(self, token_ids: Iterable[int]) -> list[str]: ...


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``markers`` are the characters that stand for capitals; ``closes_numbers`` says whether closing marks stand for
    digits; ``notes`` say what cannot be measured, and why.
    """

    name: str
    tokenizer: Encoder
    markers: str = ""
    closes_numbers: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, tokenizer: Tokenizer, name: str = "") -> Self:
        rules = tokenizer.definition.rules
        markers = TITLE + ALLCAPS + ESCAPE if rules.map_case else ""
        return cls(name=name, tokenizer=tokenizer, markers=markers, closes_numbers=rules.close_numbers)

    @classmethod
    def open(cls, path: Path, name: str = "") -> Self:
        """A run, a tokenizer folder of ours or of others, or a ``tokenizer.json``. Raises ``BadInput``."""
        run = RunFolder(path)
        folder = run.tokenizer if run.exists else path
        if path.is_file() or ((folder / "tokenizer.json").is_file() and not (folder / SMIDGEN_NAME).is_file()):
            foreign = LibraryTokenizer.open(folder)
            return cls(name=name or path.name, tokenizer=foreign, notes=foreign.notes)
        return cls.of(Tokenizer.open(folder), name or path.name)
