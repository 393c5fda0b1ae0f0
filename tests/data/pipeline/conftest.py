import json
import random
from pathlib import Path

import pytest

from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source
from smidgen.recipes.quality import QualitySettings
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.training import train_tokenizer


def some_texts(count: int, seed: str, words: int = 120) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(f"{seed}{chance.randrange(900)}" for _ in range(words)) for _ in range(count)]


def write_texts(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"id": f"{n}", "text": text}) + "\n" for n, text in enumerate(texts)))
    return path


def mixture_of(paths: list[Path], *, held_out_fraction: float = 0.02, **quality) -> DataSettings:
    weights = {path.stem: 1 / len(paths) for path in paths}
    return DataSettings(
        sources={path.stem: Source(files=(str(path),)) for path in paths},
        curriculum=(CurriculumPoint(at=0.0, weights=weights),),
        held_out_fraction=held_out_fraction,
        quality=QualitySettings(**quality),
    )


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer(iter(some_texts(60, "a") + some_texts(60, "b")), TokenizerSettings(), 400)
