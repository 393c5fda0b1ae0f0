import json

import pytest

from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput, Interrupted
from smidgen.evaluation.spelling_task import RealText, lexicon_of
from smidgen.lab.samplers import study as module
from smidgen.lab.samplers.grid import grid_of
from smidgen.lab.samplers.study import RECORD_NAME, Conditions, study
from smidgen.reports.samplers.samplers_page import render

from ...checkpoints.foreign import CONFIGS, write_model
from ...export.tiny import SENTENCES, tiny_model

GRID = grid_of(["temperature=0,1", "repetition_penalty=1,1.5"])


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(autouse=True)
def real(model, monkeypatch):
    """Without a run and without reading what is installed."""
    held_out = {"tales": [model.tokenizer.encode(text * 2) for text in SENTENCES]}
    found = RealText(lexicon=lexicon_of(2 * SENTENCES), held_out=held_out)
    monkeypatch.setattr(module, "real_text", lambda _: found)
    return found


def conditions(**options):
    return Conditions(**{"grid": GRID, "samples": 5, **options})


def chosen_of(result):
    """The recommended setting with its figures."""
    return {key: value for key, value in result["recommended"].items() if key not in ("rule", "why")}


def test_a_study_measures_the_grid_the_cards_and_the_models_own_advice(model):
    result = study(model, conditions())
    names = [name for one in result["settings"] for name in one["names"]]
    assert sorted(names) == ["ant-5m", "atom-2.7m", "atom-3.4m", "atomixs2-5m", "gpt-s-5m", "recipe"]
    assert result["conditions"]["number_of_prompts"] == 3
    for one in result["settings"]:
        assert 0 <= one["loop_rate"] <= 1
        assert 0 < one["distinct"] <= 1
        assert one["nll"] > 0
        assert one["intervals"]["nll"]["low"] <= one["nll"] <= one["intervals"]["nll"]["high"]
    assert any(one.items() >= chosen_of(result).items() for one in result["settings"])
    json.dumps(result, allow_nan=False)


def test_a_penalty_lowers_the_loops_of_greedy_writing(model):
    result = study(model, conditions(samples=12))
    greedy = {one["repetition_penalty"]: one for one in result["settings"] if not one["temperature"]}
    assert greedy[1.5]["distinct"] > greedy[1.0]["distinct"]


def test_a_stopped_study_goes_on_and_ends_as_if_it_had_not_been_stopped(model, tmp_path):
    whole = study(model, conditions())
    finished = []

    def stop():
        return len(finished) > 3

    with pytest.raises(Interrupted):
        study(model, conditions(out=tmp_path, stop_requested=stop, on_setting=lambda done, of: finished.append(done)))
    kept = json.loads((tmp_path / RECORD_NAME).read_text())
    assert not kept["finished"]
    assert len(kept["measured"]) == 3
    notices = []
    result = study(model, conditions(out=tmp_path, on_notice=notices.append))
    assert notices == ["3 settings were measured before; going on"]
    assert {**result, "seconds": 0} == {**whole, "seconds": 0}
    assert json.loads((tmp_path / RECORD_NAME).read_text())["finished"]


def test_a_finished_study_writes_no_text_again_and_a_larger_grid_only_what_is_new(model, tmp_path, monkeypatch):
    study(model, conditions(out=tmp_path))
    drawn = []
    right = module.draw_texts
    monkeypatch.setattr(
        module, "draw_texts", lambda *args, **options: drawn.append(args[2]) or right(*args, **options)
    )
    study(model, conditions(out=tmp_path))
    assert drawn == []
    study(model, conditions(out=tmp_path, grid=[*GRID, *grid_of(["min_p=0.3"])]))
    assert [settings.min_p for settings in drawn] == [0.3]


@pytest.mark.parametrize(
    "damage", [lambda text: text[:50], lambda text: text.replace('"identity": "', '"identity": "x')]
)
def test_a_record_that_is_damaged_or_of_another_model_is_measured_anew(model, tmp_path, damage):
    whole = study(model, conditions(out=tmp_path))
    path = tmp_path / RECORD_NAME
    path.write_text(damage(path.read_text()))
    again = study(model, conditions(out=tmp_path))
    assert {**again, "seconds": 0} == {**whole, "seconds": 0}


@pytest.mark.parametrize("name", ["prompts.txt", "prompts.jsonl"])
def test_prompts_come_from_a_file(model, tmp_path, name):
    path = tmp_path / name
    rows = [json.dumps({"prompt": "The cats"}), json.dumps({"text": "12 +"})]
    path.write_text("\n".join(rows if name.endswith("l") else ["The cats", "", "12 +"]))
    result = study(model, conditions(prompts=path, seeds=2))
    assert result["conditions"]["number_of_prompts"] == 2
    assert result["settings"][0]["example"]["prompt"] == "The cats"
    texts = {one["temperature"]: one["texts"] for one in result["settings"]}
    assert (texts[0], texts[1]) == (2, 4)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, "no such file"),
        ("empty.txt", "\n \n", "is empty"),
        ("broken.jsonl", '{"prompt": "a"}\nb\n', "line 2, must be"),
        ("other.jsonl", '{"question": "a"}\n', "line 1, must be"),
        ("latin.txt", b"caf\xe9", "cannot be read as UTF-8"),
    ],
)
def test_a_file_of_prompts_that_cannot_be_used_is_refused(model, tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput, match=message):
        study(model, conditions(prompts=path))


def test_a_model_of_others_is_studied_as_well(tmp_path, real, monkeypatch):
    model = open_model(write_model(tmp_path, CONFIGS["gpt_neox"]))
    held_out = {"tales": [model.tokenizer.encode(text * 3) for text in SENTENCES]}
    monkeypatch.setattr(module, "real_text", lambda _: RealText(lexicon=real.lexicon, held_out=held_out))
    result = study(model, conditions(grid=grid_of(["temperature=1"]), new_tokens=9))
    assert result["conditions"]["words_of"] == "documentation installed on this machine"
    assert all(one["tokens"] > 0 for one in result["settings"])


@pytest.mark.parametrize("option", [{"samples": 0}, {"seeds": -1}, {"new_tokens": 97}, {"new_tokens": 0}])
def test_settings_out_of_range_are_refused(option):
    with pytest.raises(BadInput, match="must be"):
        conditions(**option)


def test_the_page_shows_every_setting_and_its_text_as_text(model, tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("<script>alert(1)</script> The cats")
    result = study(model, conditions(prompts=path))
    page = render(result)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; The cats" in page
    # Greedy and temperature 1, each with two penalties, in four panels for a desk and for a phone.
    assert page.count('class="mark"') == 2 * 4 * 4
    assert page.count("recommended</figcaption>") == 1
    assert result["recipe_section"] in page
