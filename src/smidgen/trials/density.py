"""How many tokens a variant makes of a byte of text: for budgets in bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from smidgen.data.sample_texts import sample_texts, source_texts
from smidgen.errors import Interrupted
from smidgen.recipes.loading import recipe_from_dict
from smidgen.recipes.recipe import Recipe
from smidgen.stopping import StopRequest
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer
from smidgen.trials.job import Job

# Of each source; what comes of the whole training is told with the result.
SAMPLE_BYTES = 4_000_000


def measure_densities(job: Job, tell: Callable[..., None], stop_requested: StopRequest) -> dict[str, Any]:
    """Tokens per byte of the mixture of each variant of a job, by name."""
    cache = Path(job.cache) if job.cache else None
    return {
        "rates": {
            work.name: tokens_per_byte(
                recipe_from_dict(work.recipe, origin=work.name), cache=cache, stop_requested=stop_requested
            )
            for work in job.works
        }
    }


def tokens_per_byte(recipe: Recipe, *, cache: Path | None, stop_requested: Callable[[], bool]) -> float:
    """Tokens, those that end documents included, for a byte of training text, by the recipe's own tokenizer.

    Raises ``Interrupted`` when asked to stop, ``BadInput`` for text that cannot be used.
    """
    seed = recipe.training.seed
    texts = sample_texts(recipe.data, bytes_wanted=recipe.tokenizer.training_bytes, seed=seed, cache=cache)
    tokenizer = train_tokenizer(texts, recipe.tokenizer, recipe.design.vocab_size)
    bytes_per_token = 0.0
    # Shares are those of tokens, and so is this mean.
    for name, share in recipe.data.mean_shares().items():
        if stop_requested():
            raise Interrupted("stopped while measuring what text comes to in tokens; repeat the command to go on")
        sample = source_texts(recipe.data, name, bytes_wanted=SAMPLE_BYTES, seed=seed, cache=cache)
        bytes_per_token += share * _bytes_per_token(tokenizer, list(sample))
    return 1 / bytes_per_token


def _bytes_per_token(tokenizer: Tokenizer, texts: list[str]) -> float:
    tokens = sum(len(ids) + 1 for ids in tokenizer.encode_batch(texts))
    # A source without text is refused when data are built.
    return sum(map(tokenizer.text_bytes, texts)) / max(tokens, 1)
