import pytest
import torch

from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def decoder():
    config = ModelConfig(
        vocab_size=61,
        hidden_size=24,
        num_layers=2,
        num_heads=3,
        num_kv_heads=1,
        intermediate_size=40,
        context_length=16,
        xsa=True,
        initializer_range=0.2,
    )
    made = Decoder(config).eval()
    initialise(made, 3)
    return made


@pytest.fixture
def uniform_decoder(decoder):
    """Every next token equally probable."""
    torch.nn.init.zeros_(decoder.embed_tokens.weight)
    return decoder
