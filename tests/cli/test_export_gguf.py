"""``smidgen export --to gguf`` from the command line."""

import pytest

from smidgen.cli.ladder_display import show_ladder
from smidgen.cli.output import console
from smidgen.export.gguf import read_back

from ..reports.studies import ladder

pytest.importorskip("xllamacpp")


@pytest.fixture(autouse=True)
def few_texts(monkeypatch):
    monkeypatch.setattr(read_back, "TEXTS", 20)


def test_files_of_the_asked_types_are_written_and_opened_again(smidgen, finished_run, tmp_path):
    out = tmp_path / "out"
    words = ["export", finished_run.path, "--to", "gguf", "--out", out, "--types", "f16, Q8_0", "--json"]
    record = smidgen(*words).json
    assert [entry["type"] for entry in record["files"]] == ["F16"]
    assert [one["format"] for one in record["refused"]] == ["gguf Q8_0"]
    assert record["parity"]["max_abs_logit_diff"] <= 1e-4
    path = out / record["files"][0]["name"]
    assert smidgen("generate", path, "--prompt", "The", "--max-new-tokens", "4", "--json").json["tokens"] <= 4
    assert smidgen("verify", out).code == 0
    assert smidgen(*words).code == 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--to", "gguf", "--types", "Q9"], "Q9 is no type of GGUF file"),
        (["--to", "gguf", "--tasks", "piqa"], "--tasks are scored for a ladder"),
        (["--to", "hf", "--types", "F16"], "stored in one of F32, BF16"),
        (["--to", "web", "--types", "F16"], "--types belongs to --to gguf and --to hf, given is --to web"),
        (["--to", "hf", "--ladder"], "--ladder belongs to --to gguf"),
    ],
)
def test_options_that_do_not_fit_are_refused(smidgen, finished_run, tmp_path, words, reason):
    outcome = smidgen("export", finished_run.path, "--out", tmp_path / "out", *words)
    assert outcome.code == 2
    assert reason in " ".join(outcome.err.split())
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_is_one_sentence(smidgen, tmp_path):
    (tmp_path / "damaged.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    outcome = smidgen("generate", tmp_path / "damaged.gguf", "--prompt", "x")
    assert outcome.code == 2
    assert "is no GGUF file that can be used" in " ".join(outcome.err.split())


def test_a_ladder_is_shown_with_its_verdicts_and_rule(capsys):
    rungs = [{**rung, "types": {"F32": 9, "F16": 29}, "comparisons": [], "scores": {}} for rung in ladder()["rungs"]]
    text = {"tokens": 16_000, "texts": 64}
    show_ladder(console(as_json=False), {**ladder(), "rungs": rungs, "compared": [], "text": text})
    shown = capsys.readouterr().out
    assert "Q4_0: 9 F32 and 29 F16; worse: perplexity +8.33%" in shown
    assert "16,000 held-out tokens, 64 texts written. Against F32, by a stated rule." in shown
