"""The layout of a run folder: everything a run makes, which can be zipped, sent and continued elsewhere."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.records import atomic
from smidgen.records.fingerprint import sha256_of_json


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run folder."""

    path: Path

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def design(self) -> Path:
        return self.path / "design.json"

    @property
    def tokenizer(self) -> Path:
        return self.path / "tokenizer"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def mixture(self) -> Path:
        return self.path / "mixture.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def measurements(self) -> Path:
        return self.path / "measurements.jsonl"

    @property
    def scores(self) -> Path:
        return self.path / "scores"

    @property
    def samples(self) -> Path:
        return self.path / "samples.json"

    @property
    def samplers(self) -> Path:
        return self.path / "samplers"

    @property
    def exports(self) -> Path:
        return self.path / "exports"

    @property
    def report(self) -> Path:
        return self.path / "report"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def exists(self) -> bool:
        return self.recipe.is_file()

    def claim(self, recipe: dict[str, Any], *, completed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Make the folder this recipe's, or check that it already is.

        ``completed`` adds to a stored recipe what it does not state.
        Raises ``BadInput`` when the folder holds another recipe's run or unrelated files; nothing is changed then.
        """
        if self.exists:
            changed = differing_keys(completed(self.stored_recipe()), recipe)
            if changed:
                raise BadInput(
                    f"{self.path} already holds a run of another recipe (differs in {', '.join(changed[:5])}"
                    f"{' ...' if len(changed) > 5 else ''}); give another --out, or the same recipe to continue it"
                )
            return
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise BadInput(f"{self.path} exists and is no run folder; give a new or empty folder as --out")
        atomic.write_json(self.recipe, {"recipe": recipe, "sha256": sha256_of_json(recipe)})

    def stored_recipe(self) -> dict[str, Any]:
        """The recipe as the run began. Raises ``BadInput`` when it is missing or was edited."""
        try:
            stored = json.loads(self.recipe.read_text(encoding="utf-8"))
            recipe, digest = stored["recipe"], stored["sha256"]
        except FileNotFoundError as error:
            raise BadInput(f"{self.path} is no run folder: it has no recipe.json") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{self.recipe} is damaged; it must be the file that the run wrote") from error
        if sha256_of_json(recipe) != digest:
            raise BadInput(
                f"{self.recipe} was changed after the run began; a run keeps its recipe: "
                "restore the file, or start a new run with the changed recipe"
            )
        return recipe


def differing_keys(first: Any, second: Any, prefix: str = "") -> list[str]:
    """Dotted keys whose values differ between two nested dictionaries, in order."""
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return [] if first == second else [prefix]
    keys = [*first, *(key for key in second if key not in first)]
    missing = object()
    return [
        name
        for key in keys
        for name in differing_keys(
            first.get(key, missing), second.get(key, missing), f"{prefix}.{key}" if prefix else str(key)
        )
    ]
