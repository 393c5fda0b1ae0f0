import hashlib
import json
import shutil
import subprocess
import sys

import pytest

from smidgen.errors import BadInput
from smidgen.records.run_folder import RunFolder
from smidgen.reports import write_report
from smidgen.reports.card import render as render_card
from smidgen.reports.page import render as render_page
from smidgen.reports.run_records import read_run

# Each section of the page, and the files without which it is left out.
SECTIONS = {
    "scores": ["scores"],
    "samples": ["samples.json"],
    "training": ["measurements.jsonl"],
    "data": ["data/index.json", "mixture.json"],
    "design": ["design.json"],
    "tokenizer": ["tokenizer/quality.json"],
    "cost": ["manifest.json"],
    "exports": ["exports/hf.json"],
}
JSON_FILES = [
    "recipe.json",
    "design.json",
    "tokenizer/quality.json",
    "data/index.json",
    "mixture.json",
    "scores/recipe.json",
    "samples.json",
    "exports/hf.json",
    "manifest.json",
]


def remove(run, name):
    path = run.path / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_report_is_a_page_a_card_and_pictures(full_run):
    result = write_report(full_run)
    assert result == {
        "report": str(full_run.path / "report/index.html"),
        "card": str(full_run.path / "report/README.md"),
    }
    assert {path.name for path in full_run.report.iterdir()} == {
        "index.html",
        "README.md",
        "parameters.png",
        "loss_curve.png",
        "mixture.png",
        "scores.png",
        "bits_per_byte.png",
        "stages.png",
    }


def test_the_same_run_gives_the_same_bytes_again(full_run):
    def digests():
        write_report(full_run)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in full_run.report.iterdir()}

    assert digests() == digests()


def test_a_finished_run_shows_every_section(full_run):
    page = render_page(read_run(full_run))
    for section in [*SECTIONS, "limitations", "reproduce"]:
        assert f'<section id="{section}"' in page
        assert f'href="#{section}"' in page
    assert 'id="missing"' not in page


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_without_its_files_is_left_out_and_named_as_missing(full_run, section):
    for name in SECTIONS[section]:
        remove(full_run, name)
    page = render_page(read_run(full_run))
    assert f'id="{section}"' not in page
    assert f'href="#{section}"' not in page
    assert 'id="missing"' in page
    for other in SECTIONS.keys() - {section}:
        assert f'<section id="{other}"' in page


def test_a_run_that_has_only_begun_gets_a_report(full_run):
    for names in SECTIONS.values():
        for name in names:
            remove(full_run, name)
    result = write_report(full_run)
    page = (full_run.report / "index.html").read_text()
    assert "Nothing has been trained yet." in page
    for what in ("Parameter budget", "Training curve", "Scores", "Samples", "Exports"):
        assert f"<li>{what}: " in page
    assert "Nothing has been trained yet." in (full_run.report / "README.md").read_text()
    assert result["report"].endswith("index.html")


@pytest.mark.parametrize("name", JSON_FILES)
def test_each_file_may_be_absent_alone(full_run, name):
    remove(full_run, name)
    records = read_run(full_run)
    render_page(records)
    render_card(records, ())


@pytest.mark.parametrize("content", ["{", "[]", "[1, 2", '{"a": NaN}', "\xff".encode("latin-1"), "[" * 100_000])
@pytest.mark.parametrize("name", JSON_FILES)
def test_a_damaged_file_is_named_and_nothing_is_written(full_run, name, content):
    (full_run.path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput, match=name.rpartition("/")[2]):
        write_report(full_run)
    assert not full_run.report.exists()


@pytest.mark.parametrize(
    ("name", "keys", "value", "complaint"),
    [
        ("design.json", ["parameters", "total"], "many", "expected a number, found 'many'"),
        ("scores/recipe.json", ["scores", "minimal-pairs", "acc", "value"], None, "expected a number"),
        ("samples.json", ["samples", 0, "text"], 3, "expected text, found 3"),
        ("mixture.json", ["points", 0, "planned"], [0.5], "expected an object"),
        ("exports/hf.json", ["files", 0, "bytes"], 1.5, "expected a whole number, found 1.5"),
        ("manifest.json", ["stages", "train", "seconds"], True, "expected a number, found True"),
    ],
)
def test_a_value_of_the_wrong_kind_is_damage_too(full_run, edit, name, keys, value, complaint):
    def change(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    edit(full_run.path / name, change)
    with pytest.raises(BadInput, match=complaint) as raised:
        write_report(full_run)
    assert name in str(raised.value)


def test_measurements_of_the_wrong_kind_name_their_file(full_run):
    with full_run.measurements.open("a") as file:
        file.write('{"kind": "training", "step": 2000, "tokens": "x", "seconds": 1, "loss": 2}\n')
    with pytest.raises(BadInput, match=r"measurements\.jsonl is damaged .*found 'x'"):
        write_report(full_run)


def test_a_last_measurement_cut_by_a_kill_is_no_damage(full_run):
    with full_run.measurements.open("a") as file:
        file.write('{"kind": "training", "st')
    assert read_run(full_run).training.tokens == 9_830_400


def test_an_edited_recipe_is_refused(full_run, edit):
    edit(full_run.recipe, lambda stored: stored["recipe"].update(name="another"))
    with pytest.raises(BadInput, match="changed after the run began"):
        write_report(full_run)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(BadInput, match="is no run folder"):
        write_report(RunFolder(tmp_path))


def test_an_unfinished_training_says_how_far_it_came(full_run):
    lines = full_run.measurements.read_text().splitlines()
    half = [line for line in lines if json.loads(line)["step"] <= 600]
    full_run.measurements.write_text("\n".join(half) + "\n")
    shutil.rmtree(full_run.scores)
    records = read_run(full_run)
    assert [bool(point.realised) for point in records.mixture] == [True] * 30 + [False] * 30
    page = render_page(records)
    assert "trained so far on 4.92M of 9.83M tokens" in page
    assert "Training has not finished: 4.92M of 9.83M tokens so far." in page


def test_neither_torch_nor_its_companions_are_imported(full_run):
    code = f"""
import sys
from pathlib import Path
from smidgen.reports import write_report
from smidgen.records.run_folder import RunFolder
assert "matplotlib" not in sys.modules, "matplotlib is needed for drawing only"
write_report(RunFolder(Path({str(full_run.path)!r})))
loaded = {{"torch", "transformers", "scipy", "matplotlib.pyplot"}} & set(sys.modules)
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
