from dataclasses import replace

import pytest

from smidgen.evaluation.spelling_task import RealText, lexicon_of
from smidgen.export.web.browser import Browser, find_browser, served
from smidgen.export.web.folder import export_web
from smidgen.export.web.study import sampler_study
from smidgen.lab.samplers import study as module
from smidgen.lab.samplers.study import Conditions, study
from smidgen.recipes.sampling import SamplingSettings

from ..tiny import SENTENCES, tiny_model

COLD = SamplingSettings(temperature=0.35, min_p=0.05)


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """A model in the folder of a run, with a study of it."""
    folder = tmp_path_factory.mktemp("studied")
    model = replace(tiny_model(), path=folder)
    held_out = {"tales": [model.tokenizer.encode(text * 2) for text in SENTENCES]}
    real = RealText(lexicon=lexicon_of(2 * SENTENCES), held_out=held_out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "real_text", lambda _: real)
        study(model, Conditions(grid=[COLD], samples=3, new_tokens=8, out=folder / "samplers"))
    return model


def test_a_study_comes_with_every_setting_and_its_figures(studied):
    found = sampler_study(studied)
    [cold] = [one for one in found["settings"] if one["settings"]["temperature"] == COLD.temperature]
    assert cold["settings"]["min_p"] == COLD.min_p
    value, low, high = cold["nll"]
    assert low <= value <= high
    assert {"recipe"} <= {name for one in found["settings"] for name in one["names"]}
    assert found["recommended"]["settings"] in [one["settings"] for one in found["settings"]]
    assert "loop_rate" in found["real_text"]


def test_a_study_of_other_weights_or_none_is_not_shown(studied, tmp_path):
    assert sampler_study(replace(studied, weights_sha256="f" * 64)) is None
    assert sampler_study(replace(studied, path=tmp_path)) is None


@pytest.mark.skipif(find_browser() is None, reason="needs Chromium or Chrome")
def test_the_page_shows_the_study_and_takes_a_row(studied, tmp_path):
    export_web(studied, tmp_path / "out", check=False)
    with served(tmp_path / "out") as address, Browser(find_browser()) as browser:
        browser.open(address)
        browser.wait_until("document.documentElement.dataset.ready")
        shown = browser.evaluate("document.getElementById('study').textContent")
        assert "temperature 0.35, min-p 0.05" in shown
        browser.evaluate("document.querySelector('[aria-label=\"Use temperature 0.35, min-p 0.05\"]').click()")
        assert browser.evaluate("document.getElementById('temperature').value") == "0.35"
        assert browser.evaluate("document.getElementById('preset').selectedOptions[0].textContent") == "Own settings"
        assert browser.errors == []
