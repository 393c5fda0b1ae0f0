import dataclasses
import subprocess
import sys

import pytest

from smidgen.recipes.sampling import SamplingSettings


def test_defaults_sample_from_the_model_as_it_is():
    assert dataclasses.asdict(SamplingSettings()) == {
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
        "max_new_tokens": 128,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"temperature": -1}, r"temperature=-1 must be 0 \(greedy\) or positive.*; 0.5 to 1.0 is usual"),
        ({"temperature": 1e-40}, "temperature=1e-40 must be .* 0.001 to 1000"),
        ({"temperature": float("nan")}, "temperature=nan must be"),
        ({"temperature": float("inf")}, "temperature=inf must be"),
        ({"temperature": "0.5"}, "temperature='0.5' must be"),
        ({"temperature": True}, "temperature=True must be"),
        ({"top_k": -1}, r"top_k=-1 must be 0 \(off\) or a positive whole number; 20 to 100 is usual"),
        ({"top_k": 40.0}, "top_k=40.0 must be .* whole number"),
        ({"top_p": 1.5}, r"top_p=1.5 must be between 0 and 1 \(off\); 0.9 to 0.95 is usual"),
        ({"top_p": -0.1}, "top_p=-0.1 must be"),
        ({"min_p": 2}, r"min_p=2 must be between 0 \(off\) and 1; 0.02 to 0.1 is usual"),
        ({"repetition_penalty": 0}, "repetition_penalty=0 must be 0.01 to 100, where 1 is off; 1.05 to 1.3"),
        ({"no_repeat_ngram_size": -2}, "no_repeat_ngram_size=-2 must be .*; 3 or 4 is usual"),
        ({"max_new_tokens": -1}, "max_new_tokens=-1 must be 0 or a positive whole number; 128 is the default"),
        ({"max_new_tokens": None}, "max_new_tokens=None must be"),
    ],
)
def test_an_impossible_value_says_what_would_work(given, message):
    with pytest.raises(ValueError, match=message):
        SamplingSettings(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": 0},
        {"temperature": 1},
        {"top_p": 0},
        {"top_p": 1},
        {"min_p": 0},
        {"min_p": 1},
        {"max_new_tokens": 0},
    ],
)
def test_the_ends_of_each_range_are_allowed(given):
    SamplingSettings(**given)


def test_settings_cannot_be_changed_after_validation():
    settings = SamplingSettings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.temperature = -1


def test_only_temperature_zero_is_greedy():
    assert SamplingSettings(temperature=0).is_greedy
    assert not SamplingSettings(temperature=0.001).is_greedy


def test_the_settings_load_without_torch():
    program = "import sys, smidgen.recipes.sampling; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
