import pytest
import torch

from smidgen.serving.app import completion_app

from ..export.tiny import tiny_model


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
def model():
    return tiny_model()


@pytest.fixture(scope="package")
def app(model):
    return completion_app([model])
