import pytest

from smidgen.design.flops import needed_training_flops
from smidgen.design.hardware import GPT_S_FLOPS, HARDWARE, hardware_named, training_tokens_per_second
from smidgen.design.scale import scale_plan, training_rates
from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe

GPT_S = load_recipe("gpt-s-5m").design


def test_rates_of_the_measured_shape_are_those_measured():
    rates = {rate["name"]: rate["tokens_per_second"] for rate in training_rates(GPT_S)}
    assert needed_training_flops(GPT_S) == pytest.approx(GPT_S_FLOPS, rel=0.001)
    assert rates["cpu"] == pytest.approx(7270, rel=0.001)
    assert rates["cpu-pytorch"] == pytest.approx(3576, rel=0.001)


def test_the_rate_at_another_shape_is_within_a_third_of_what_was_measured_there():
    quickstart = training_tokens_per_second(load_recipe("quickstart").design, hardware_named("cpu"))
    assert quickstart == pytest.approx(29_800, rel=1 / 3)


def test_ant_5m_takes_the_time_of_its_card():
    rate = training_tokens_per_second(load_recipe("ant-5m").design, hardware_named("T4"))
    assert 650e6 / rate / 3600 == pytest.approx(6, rel=0.01)


def test_every_rate_says_where_it_comes_from():
    assert {hardware.basis for hardware in HARDWARE} == {"measured", "cited", "roofline"}
    assert all(any(character.isdigit() for character in hardware.source) for hardware in HARDWARE)
    assert {"cpu", "t4", "a100", "h100", "h200"} <= {hardware.name for hardware in HARDWARE}


def test_a_plan_of_25_billion_tokens():
    plan = scale_plan(GPT_S, 25_000_000_000, price_per_hour={"h100": 2.5})
    assert plan["shard_bytes"] == 50_000_000_000
    assert plan["tokenising_seconds"] == pytest.approx(25e9 * 3.4 / 58e6, abs=1)
    by_name = {rate["name"]: rate for rate in plan["hardware"]}
    assert by_name["cpu"]["seconds"] == pytest.approx(25e9 / 7270, rel=0.001)
    assert by_name["h100"]["cost"] == pytest.approx(by_name["h100"]["seconds"] / 3600 * 2.5, abs=0.01)
    assert by_name["t4"]["cost"] is None


def test_large_vocabularies_take_four_bytes_a_token():
    large = load_recipe("gpt-s-5m", overrides=["design.vocab_size=70000"]).design
    assert scale_plan(large, 1000)["shard_bytes"] == 4000


@pytest.mark.parametrize(
    ("tokens", "prices", "message"),
    [
        (0, {}, "a plan for 0 tokens"),
        (10**18, {}, "cannot be made"),
        (5, {"abacus": 1.0}, "no rate is known for hardware 'abacus'; known are cpu"),
        (5, {"t4": -1.0}, "--price-per-hour t4=-1.0 must be a price"),
        (5, {"t4": float("nan")}, "must be a price"),
    ],
)
def test_what_cannot_be_planned_is_refused(tokens, prices, message):
    with pytest.raises(BadInput, match=message):
        scale_plan(GPT_S, tokens, price_per_hour=prices)
