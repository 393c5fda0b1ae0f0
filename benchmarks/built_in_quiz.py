"""A model and items for measuring speed where no others are at hand: nothing is downloaded.

The items have the form and lengths of HellaSwag (about 60 tokens of context, four endings of 35 to 40), made of the
documentation of the installed packages: a passage, the words that follow it, and three passages from elsewhere.
"""

import random
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.installed_docs import installed_documents
from smidgen.evaluation.tasks.item import Choice, Task
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.loading import load_recipe
from smidgen.tokenization.training import train_tokenizer

CONTEXT_WORDS, ENDING_WORDS = (28, 52), (14, 32)


def built_in_model(recipe_name: str = "gpt-s-5m") -> OpenModel:
    """The shape of a recipe without XSA, so that it is a stock Llama, with random weights sharper than fresh ones."""
    recipe = load_recipe(recipe_name)
    texts = (document.text for document in islice(installed_documents(), 20_000))
    tokenizer = train_tokenizer(texts, recipe.tokenizer, recipe.design.vocab_size)
    decoder = Decoder(replace(recipe.design, xsa=False, vocab_size=tokenizer.vocab_size))
    initialise(decoder, 1)
    with torch.no_grad():
        for parameter in decoder.parameters():
            if parameter.ndim == 2:
                parameter.mul_(2)
    return OpenModel(recipe_name, Path(recipe_name), decoder.eval(), tokenizer, "0" * 64)


def built_in_task(items: int, seed: int = 0) -> Task:
    """``items`` choices between four continuations."""
    draw = random.Random(seed)
    passages = [words for document in installed_documents() if len(words := document.text.split()) > 120]
    return Task(
        name="built-in quiz",
        title="Continuations of documentation",
        metrics=("acc_norm", "acc"),
        items=[_item(number, passages, draw) for number in range(items)],
        source="documentation of installed packages",
        files={},
        baselines={"chance": 0.25},
    )


def _item(number: int, passages: list[list[str]], draw: random.Random) -> Choice:
    words = draw.choice(passages)
    start = draw.randrange(len(words) - sum(CONTEXT_WORDS[1:] + ENDING_WORDS[1:]))
    end = start + draw.randint(*CONTEXT_WORDS)
    texts = [" ".join(words[end : end + draw.randint(*ENDING_WORDS)])]
    for _ in range(3):
        other = draw.choice(passages)
        first = draw.randrange(len(other) - ENDING_WORDS[1])
        texts.append(" ".join(other[first : first + draw.randint(*ENDING_WORDS)]))
    label = draw.randrange(4)
    texts[0], texts[label] = texts[label], texts[0]
    return Choice(
        key=str(number),
        contexts=(" ".join(words[start:end]),),
        endings=tuple(f" {text}" for text in texts),
        texts=tuple(texts),
        labels=(label,),
    )
