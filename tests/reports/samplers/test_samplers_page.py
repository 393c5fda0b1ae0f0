import re

from smidgen.reports.samplers.samplers_page import render
from smidgen.reports.samplers.setting_words import interval, setting_words, value, value_with_interval

from ..studies import sampler_study, setting


def test_settings_are_said_without_what_is_off():
    assert setting_words(setting(temperature=0.5)) == "temperature 0.5"
    assert setting_words(setting(temperature=0.0, repetition_penalty=1.1)) == "greedy, penalty 1.1"
    everything = setting(top_k=40, top_p=0.9, min_p=0.05, no_repeat_ngram_size=3)
    assert setting_words(everything) == "temperature 0.8, top k 40, top p 0.9, min p 0.05, no 3-gram twice"


def test_figures_are_said_in_their_units_and_what_was_not_counted_as_a_dash():
    one = setting(loops=0.125, garble=None)
    assert value(one, "loop_rate") == "12.5%"
    assert value_with_interval(one, "loop_rate") == "12.5% (11.2 to 13.8)"
    assert value_with_interval(one, "nll") == "2.50 (2.25 to 2.75)"
    assert (value(one, "garble"), interval(one, "garble")) == ("–", "")


def test_the_worst_setting_is_the_darkest_and_the_recommended_one_has_a_ring():
    page = render(sampler_study())
    wide = page[page.index('class="wide"') : page.index('class="narrow"')]
    opacities = [float(found) for found in re.findall(r'fill-opacity="([\d.]+)"', wide)]
    # Four panels of three settings; loops first: 10%, none, 10%.
    assert len(opacities) == 12
    assert opacities[0] == opacities[2] == max(opacities)
    assert opacities[1] == min(opacities)
    assert wide.count('class="best"') == 4


def test_the_page_loads_nothing_and_says_what_it_was_measured_on():
    page = render(sampler_study())
    assert "default-src &#39;none&#39;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "over 12 prompts (held-out text), 1 text of up to 96 tokens after each" in page
    assert "advice of gpt-s-5m" in page
    assert "temperature = 0.5" in page


def test_a_study_without_any_loop_is_drawn_too():
    study = sampler_study()
    for one in (*study["settings"], study["recommended"]):
        one["loop_rate"] = 0.0
    assert len(re.findall(r'<circle[^>]*class="best"', render(study))) == 8
