"""What every variant is given: a design, its first weights, and the tokens of a step.   U = T + 1 tokens"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.training import TrainingSettings
from smidgen.training.device import compute_dtype

DEVICE = torch.device("cpu")
# Documents of one sequence, and what ends them (assumed: short web pages are a few hundred tokens long).
DOCUMENT_TOKENS, END_OF_TEXT_ID = 300, 0
# More than any benchmark asks for, for trainers that want to know their end.
ENDLESS_STEPS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Task:
    """So many ``sequences`` a step, which is one forward pass, of a shipped recipe or a file."""

    recipe: str
    sequences: int

    @cached_property
    def settings(self) -> TrainingSettings:
        return load_recipe(self.recipe).training

    @cached_property
    def config(self) -> ModelConfig:
        """The recipe's design without digit features, which need a tokenizer."""
        return replace(load_recipe(self.recipe).design, place_vocab_size=0, role_vocab_size=0)

    @property
    def stock_config(self) -> ModelConfig:
        """The same for models of others, which have no XSA."""
        return replace(self.config, xsa=False)

    @cached_property
    def dtype(self) -> torch.dtype:
        return compute_dtype(DEVICE, self.settings.precision)

    @property
    def step_tokens(self) -> int:
        return self.sequences * self.config.context_length

    def drawn_ids(self) -> Tensor:
        """Random documents, all of one length in the mean; every step takes the same."""
        generator = torch.Generator().manual_seed(1)
        shape = (self.sequences, self.config.context_length + 1)
        ids_BU = torch.randint(1, self.config.vocab_size, shape, generator=generator)
        return ids_BU.masked_fill(torch.rand(shape, generator=generator) < 1 / DOCUMENT_TOKENS, END_OF_TEXT_ID)


def fresh(config: ModelConfig) -> Decoder:
    """Our decoder on PyTorch alone, with the weights from which all variants begin."""
    decoder = Decoder(config)
    initialise(decoder, 1)
    return decoder.train()
