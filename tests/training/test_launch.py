import pytest
import torch

from smidgen.errors import BadInput
from smidgen.training.launch import Launch, read_launch, usable_cores
from smidgen.training.plan import plan_training, share_of
from smidgen.training.ranks import device_of_rank

SECOND_OF_THREE = {
    "RANK": "1",
    "WORLD_SIZE": "3",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "3",
    "MASTER_ADDR": "localhost",
    "MASTER_PORT": "29500",
}


def test_a_process_alone_needs_no_variables():
    launch = read_launch({"PATH": "/bin"})
    assert (launch.rank, launch.ranks, launch.is_first) == (0, 1, True)


def test_one_of_several_finds_its_place():
    launch = read_launch({**SECOND_OF_THREE, "OMP_NUM_THREADS": "1", "TORCHELASTIC_RESTART_COUNT": "2"})
    assert (launch.rank, launch.ranks, launch.local_rank, launch.attempt) == (1, 3, 1, 2)
    assert not launch.is_first
    assert launch.threads == max(1, usable_cores() // 3)
    assert read_launch({**SECOND_OF_THREE, "OMP_NUM_THREADS": "5"}).threads == 5


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"MASTER_ADDR": ""}, "MASTER_ADDR is missing; torchrun sets all of them"),
        ({"LOCAL_RANK": "", "MASTER_PORT": ""}, "LOCAL_RANK, MASTER_PORT are missing"),
        ({"WORLD_SIZE": ""}, "WORLD_SIZE is missing"),
        ({"RANK": "3"}, "RANK=3 is not below WORLD_SIZE=3"),
        ({"RANK": "one"}, "RANK='one' is not a whole number"),
    ],
)
def test_variables_that_do_not_fit_are_named(changes, sentence):
    with pytest.raises(BadInput, match=sentence):
        read_launch({**SECOND_OF_THREE, **changes})


@pytest.mark.parametrize(("sequences", "ranks"), [(16, 3), (7, 7), (5, 2), (8, 4)])
def test_shares_are_all_sequences_once_in_order_and_almost_equal(sequences, ranks):
    shares = [share_of(sequences, rank, ranks) for rank in range(ranks)]
    assert [number for share in shares for number in share] == list(range(sequences))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_more_ranks_than_sequences_are_refused_with_what_would_work(tiny_recipe):
    with pytest.raises(BadInput, match=r"has 16 sequences, too few for 17 ranks.*training.batch_tokens=544, would"):
        plan_training(tiny_recipe, device_type="cpu", ranks=17)


def test_each_rank_has_a_gpu_of_its_own_or_says_how_many_there_are(monkeypatch):
    launch = Launch(rank=1, ranks=2, local_rank=1, local_ranks=2)
    assert device_of_rank(launch, "cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_of_rank(launch, "cuda") == "cuda:1"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(BadInput, match=r"2 ranks were started on .*1 usable GPU; give --nproc-per-node 1"):
        device_of_rank(launch, "cuda")
    with pytest.raises(BadInput, match="--device cuda:0 is one GPU"):
        device_of_rank(launch, "cuda:0")
    assert device_of_rank(Launch(), "cuda:0") == "cuda:0"
