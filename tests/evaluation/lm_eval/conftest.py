import datasets
import pytest
import transformers

from .generated_tasks import task_manager


@pytest.fixture(autouse=True, scope="package")
def caches_of_their_own(modules_of_exports, tmp_path_factory):
    """What datasets keeps for later, instead of in the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("datasets")))
        yield


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
