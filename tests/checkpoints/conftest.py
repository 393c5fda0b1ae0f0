import pytest
import torch


@pytest.fixture
def parts():
    generator = torch.Generator().manual_seed(1)
    return {
        "model": {"a": torch.randn(5, 7, generator=generator), "b": torch.randn(3, generator=generator)},
        "optimizer": {"exp_avg.a": torch.randn(5, 7, generator=generator)},
    }
