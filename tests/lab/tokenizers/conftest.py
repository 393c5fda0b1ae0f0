import random

import pytest

from smidgen.recipes.loading import load_recipe
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.quality.measurement import measure
from smidgen.tokenization.quality.subject import Subject
from smidgen.tokenization.training import train_tokenizer

WORDS = (
    "The", "the", "Old", "old", "CAT", "cat", "house", "House", "river", "small", "sat", "saw", "and", "under", "12",
    "345", "not",
)  # fmt: skip


def written(seed, documents, words=30):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(words // 2, words))) for _ in range(documents)]


TRAINING = written(1, 60)
TEXTS = {"tales": written(2, 40), "notes": written(3, 25, words=12), "nothing": []}


@pytest.fixture(scope="session")
def measured():
    """Three tokenizers measured on the same texts: one with more entries, one with case mapping."""
    trained = {
        "small": train_tokenizer(TRAINING, TokenizerSettings(), 270),
        "large": train_tokenizer(TRAINING, TokenizerSettings(), 300),
        "cased": train_tokenizer(TRAINING, TokenizerSettings(case_mapping=True), 285),
    }
    return {name: measure(Subject.of(tokenizer, name), TEXTS) for name, tokenizer in trained.items()}


@pytest.fixture(scope="session")
def recipe():
    return load_recipe("gpt-s-5m")
