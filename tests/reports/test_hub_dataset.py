import pytest

from smidgen.evaluation.tasks.catalogue import BENCHMARKS
from smidgen.reports.hub_dataset import OWN_TASK, HubDataset, hub_dataset


def test_every_benchmark_has_an_owner_and_a_split():
    for name in BENCHMARKS:
        dataset = hub_dataset(name, "")
        assert dataset.id.count("/") == 1, name
        assert dataset.split in ("test", "validation", "train"), name
        assert dataset.card == f"https://huggingface.co/datasets/{dataset.id}"


@pytest.mark.parametrize(
    ("task", "config"),
    [("mmlu", "all"), ("wikitext", "wikitext-2-raw-v1"), ("blimp", ""), ("hellaswag", "")],
)
def test_a_config_is_named_where_it_says_something(task, config):
    assert hub_dataset(task, "").config == config


def test_a_task_of_ones_own_with_a_benchmark_s_name_is_not_that_benchmark(tmp_path):
    (tmp_path / "piqa.toml").write_text(
        'name = "piqa"\nfile = "p.jsonl"\ncontext = "{q}"\nendings = "a"\nlabel = "right"\n'
    )
    (tmp_path / "p.jsonl").write_text('{"q": "Hens have", "a": ["two legs", "six legs"], "right": 0}\n')
    from smidgen.evaluation.tasks.user_task import open_user_task

    source = open_user_task(tmp_path / "piqa.toml").source
    assert source.startswith(OWN_TASK)
    assert hub_dataset("piqa", source) == HubDataset(id="smidgen-piqa", name="piqa (not on the hub)")
    assert hub_dataset("piqa", "local file piqa/validation.jsonl").id == "baber/piqa"


def test_no_split_is_claimed_where_another_stood_in():
    assert hub_dataset("race", "local file race/high.jsonl (high, not test)").split == ""
    assert hub_dataset("race", "local file race/test.jsonl").split == "test"
