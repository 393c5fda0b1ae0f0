import pytest

from smidgen.tokenization.training import train_tokenizer

from .kinds import KINDS
from .sample_text import sample_texts


@pytest.fixture(scope="session")
def trained():
    """A tokenizer of 600 entries for each kind of settings."""
    return {kind: train_tokenizer(sample_texts(), settings, 600) for kind, settings in KINDS.items()}


@pytest.fixture(params=KINDS)
def tokenizer(request, trained):
    return trained[request.param]
