import pytest

from smidgen.design.flops import flops_per_token
from smidgen.errors import BadInput
from smidgen.lab.ablation.budget import Budget, deviations
from smidgen.lab.ablation.trial import plan_shares

# Steps of 4,096 tokens in the base; of 12,288 in one variant, and of another size of model in the other.
TEXT = """
base = "quickstart"
[budget]
BUDGET
[variants.batches]
training.batch_tokens = 12_288
[variants.deep]
design.num_layers = 7
"""


@pytest.fixture
def shares(defined):
    """The ablation's budget and, by variant, what each gets of it."""

    def make(budget, rates=None):
        ablation = defined(TEXT.replace("BUDGET", budget))
        found = plan_shares(ablation, rates)
        return ablation.budget, found, {share.variant: share for share in found}

    return make


def test_equal_tokens_are_equal_but_for_part_of_a_step(shares):
    _, _, by_name = shares("tokens = 100_000")
    assert {name: share.tokens for name, share in by_name.items()} == {
        "base": 24 * 4096,
        "batches": 8 * 12_288,
        "deep": 24 * 4096,
    }
    assert by_name["batches"].steps == 8
    assert all(0 <= 100_000 - share.tokens < share.recipe.training.batch_tokens for share in by_name.values())


def test_a_difference_of_more_than_half_a_per_cent_is_told(shares):
    budget, found, _ = shares("tokens = 94_208")
    assert deviations(budget, found) == [
        "batches gets -8.7% tokens of the base's (86,016 against 94,208), which is as near as its whole steps come"
    ]


def test_equal_flops_give_a_larger_model_fewer_tokens(shares):
    _, _, by_name = shares('equal = "flops"\nflops = 4e12')
    assert by_name["deep"].tokens < by_name["base"].tokens
    for share in by_name.values():
        step = share.recipe.training.batch_tokens * flops_per_token(share.recipe.design)["training"]
        assert 0 <= 4e12 - share.flops < step


def test_equal_seconds_give_tokens_by_the_measured_rates(shares):
    rates = {"base": 50_000.0, "batches": 60_000.0, "deep": 30_000.0}
    _, _, by_name = shares('equal = "seconds"\nseconds = 10', rates)
    assert {name: share.recipe.training.tokens for name, share in by_name.items()} == {
        "base": 500_000,
        "batches": 600_000,
        "deep": 300_000,
    }


def test_seconds_cannot_be_shared_out_before_all_rates_are_measured(shares):
    with pytest.raises(BadInput, match="needs the tokens per second of every variant, and deep is not measured"):
        shares('equal = "seconds"\nseconds = 10', {"base": 50_000.0, "batches": 60_000.0})


def test_equal_bytes_give_tokens_by_what_each_tokenizer_makes_of_them(shares):
    rates = {"base": 0.5, "batches": 0.5, "deep": 0.25}
    budget, found, by_name = shares('equal = "bytes"\nbytes = 310_000', rates)
    assert {name: share.recipe.training.tokens for name, share in by_name.items()} == {
        "base": 155_000,
        "batches": 155_000,
        "deep": 77_500,
    }
    assert all(
        share.bytes == share.steps * share.recipe.training.batch_tokens / rates[name]
        for name, share in by_name.items()
    )
    assert [line.partition(" of the base's")[0] for line in deviations(budget, found)] == [
        "batches gets -2.7% bytes",
        "deep gets -2.7% bytes",
    ]
    assert budget.sentence == "310,000 bytes of text each"


def test_equal_bytes_may_come_with_equal_parameters(shares):
    rates = dict.fromkeys(("base", "batches", "deep"), 0.5)
    budget, _, by_name = shares('equal = "bytes"\nbytes = 300_000\nadjust = "design.intermediate_size"', rates)
    assert by_name["deep"].parameters == pytest.approx(by_name["base"].parameters, rel=0.01)
    assert by_name["deep"].adjustment is not None
    assert "as many parameters as the base" in budget.sentence


def test_equal_parameters_come_with_equal_tokens(shares):
    budget, found, by_name = shares('equal = "parameters"\ntokens = 122_880')
    base, deep = by_name["base"], by_name["deep"]
    assert abs(deep.parameters / base.parameters - 1) < 0.01
    assert deep.adjustment.key == "design.intermediate_size"
    assert deep.adjustment.before == 352 > deep.adjustment.after == deep.recipe.design.intermediate_size
    assert base.adjustment is None
    assert {share.tokens for share in found} == {122_880}
    assert all("parameters" in line for line in deviations(budget, found))


def test_scales_multiply_the_budget(defined):
    found = plan_shares(defined(TEXT.replace("BUDGET", "tokens = 24_576\nscales = [1, 2, 4]")))
    assert [share.tokens for share in found if share.variant == "base"] == [24_576, 49_152, 98_304]


def test_less_than_a_step_cannot_be_held_equal(shares):
    with pytest.raises(
        BadInput, match=r"8,192 tokens for batches, less than one step of training\.batch_tokens=12288"
    ):
        shares("tokens = 8192")


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"flops": 1e12}, r'flops=1000000000000\.0 does not belong to equal="tokens", which takes tokens'),
        ({"equal": "flops", "flops": 1e12, "tokens": 5}, r'tokens=5 does not belong to equal="flops"'),
        ({"equal": "flops"}, r'equal="flops" needs an amount, such as flops = 1e14'),
        ({"equal": "bytes"}, r'equal="bytes" needs an amount, such as bytes = 16_000_000'),
        ({"equal": "seconds"}, r'equal="seconds" needs an amount, such as seconds = 600'),
        ({"equal": "seconds", "seconds": -1.0}, r"seconds=-1\.0 must be positive"),
        ({"equal": "flops", "flops": float("inf")}, r"flops=inf must be positive"),
        ({"tokens": 0}, r"tokens=0 must be positive"),
        ({"adjust": "design.num_layers"}, r'adjust=design\.num_layers does not belong to equal="tokens"'),
        ({"scales": (2, 4)}, r"scales=\[2, 4\] .* must begin with 1 and rise"),
        ({"scales": (1, 4, 2)}, r"must begin with 1 and rise"),
        ({"scales": ()}, r"must begin with 1 and rise"),
    ],
)
def test_a_budget_that_contradicts_itself_is_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        Budget(**keywords)


def test_an_unknown_measure_names_the_nearest(defined):
    with pytest.raises(BadInput, match=r"budget\.equal knows no 'token'; did you mean tokens\?"):
        defined(TEXT.replace("BUDGET", 'equal = "token"'))
