import sys

import datasets
import pytest
import transformers
from transformers import dynamic_module_utils

from .generated_tasks import task_manager


@pytest.fixture(autouse=True, scope="package")
def caches_of_their_own(tmp_path_factory):
    """What transformers and datasets keep for later, instead of in the home of whoever runs the tests."""
    modules, data = (str(tmp_path_factory.mktemp(name)) for name in ("modules", "datasets"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", modules)
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", data)
        patch.setattr(sys, "path", list(sys.path))
        yield
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        del sys.modules[name]


@pytest.fixture(autouse=True, scope="package")
def no_progress_bars():
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()
    transformers.utils.logging.enable_progress_bar()


@pytest.fixture(scope="package")
def manager(tmp_path_factory):
    """Tasks of four formats on generated items, in files of lm-evaluation-harness."""
    return task_manager(tmp_path_factory.mktemp("tasks"))
