"""``smidgen data check``: files of text and built data, for programs and for people."""

import json
import random

import pytest

from smidgen.data.training_data import open_data
from smidgen.tokenization.tokenizer import Tokenizer

chance = random.Random(4)
WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in ("n", "rt", "sk", "l")]
TEXTS = [" ".join(chance.choices(WORDS, k=150)) for _ in range(12)]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def text(tmp_path):
    """Twelve texts, a repetition, a near repetition, a damaged row and one that is no document."""
    rows = [{"id": str(number), "text": each} for number, each in enumerate(TEXTS)]
    rows += [{"id": "same", "text": TEXTS[1]}, {"id": "near", "text": f"{TEXTS[2]} again"}]
    rows += [{"id": "damaged", "text": "\ufffd\ufffd text"}, {"id": "none", "text": " "}]
    return write(tmp_path / "text.jsonl", rows)


@pytest.fixture
def evaluation(tmp_path):
    """Two items, the second of which stands in the sixth text."""
    goal = " ".join(TEXTS[5].split()[30:50])
    return write(
        tmp_path / "eval" / "piqa" / "validation.jsonl",
        [
            {
                "goal": "how to open a jar that is closed too tightly to be opened",
                "sol1": "so",
                "sol2": "x",
                "label": 0,
            },
            {"goal": goal, "sol1": "so", "sol2": "thus", "label": 1},
        ],
    ).parents[1]


def test_text_is_looked_through_for_programs(smidgen, text, evaluation, tmp_path):
    pytest.importorskip("rensa")
    words = ["data", "check", "--text", text, "--eval-data", evaluation, "--tasks", "piqa,hellaswag"]
    result = smidgen(*words, "--near-duplicates", "0.8", "--list", tmp_path / "found.jsonl", "--json").json
    assert {"tokens", "shards", "shares", "rejected", "contaminated"} <= result.keys()
    assert result["documents"] == 15
    assert result["rejected"] == {"damaged encoding": 1, "duplicate": 1, "empty text": 1, "near duplicate": 1}
    assert result["contaminated"] == [
        {"task": "piqa", "items": 1, "testable": 2, "of": 2, "documents": 1, "item_ids": ["1"]}
    ]
    assert [*result["skipped"]] == ["hellaswag"]
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert {(each["document"], each["reason"]) for each in found} == {
        ("text.jsonl:same", "duplicate"),
        ("text.jsonl:near", "near duplicate"),
        ("text.jsonl:damaged", "damaged encoding"),
        ("text.jsonl:5", "contaminated"),
    }


def test_text_is_looked_through_for_people(smidgen, text, evaluation):
    shown = smidgen("data", "check", "--text", text, "--eval-data", evaluation, "--tasks", "piqa").out
    assert "15 documents with" in shown
    assert "damaged encoding" in shown
    assert "piqa" in shown
    clean = smidgen("data", "check", "--text", text).out
    assert "not compared with evaluation sets" in clean
    several = smidgen("data", "check", "--text", text, "--text", text, "--json").json
    assert several["rejected"]["duplicate"] == 2 + 13


def test_built_data_are_compared_with_evaluation_sets(smidgen, finished_run, tmp_path):
    tokenizer = Tokenizer.open(finished_run.tokenizer)
    data = open_data(finished_run.data, tokenizer.fingerprint)
    story = tokenizer.decode(data.train["grammar"].document(3).tolist())
    goal = " ".join(story.split()[:20])
    write(tmp_path / "piqa" / "validation.jsonl", [{"goal": goal, "sol1": "so", "sol2": "x", "label": 0}])
    words = ["data", "check", finished_run.path, "--eval-data", tmp_path, "--tasks", "piqa", "--json"]
    result = smidgen(*words, "--list", tmp_path / "found.jsonl").json
    assert result["shards"] == 4
    assert result["duplicates"] == 0
    assert [(each["task"], each["items"]) for each in result["contaminated"]] == [("piqa", 1)]
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert ("grammar", "train#3") in {(each["source"], each["document"]) for each in found}
    # A data folder without its run has no tokenizer.
    words[2] = finished_run.data
    assert "give the tokenizer with --tokenizer FOLDER" in smidgen(*words).err
    assert smidgen(*words, "--tokenizer", finished_run.tokenizer).json["contaminated"] == result["contaminated"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "needs a data folder, or files with --text PATH"),
        (["x", "--text", "y"], "and not both"),
        (["--text", "nowhere.txt"], "nowhere.txt does not exist"),
        (["--text", "{text}", "--filters", "gofer"], "filters knows no 'gofer'; did you mean gopher?"),
        (
            ["--text", "{text}", "--near-duplicates", "8"],
            "near_duplicates=8.0 must be 0 (off) or lie between 0.5 and 1",
        ),
        (["--text", "{text}", "--tasks", "helaswag"], "did you mean hellaswag?"),
        (["--text", "{text}", "--eval-data", "{empty}", "--tasks", "piqa"], "piqa needs piqa/validation.jsonl"),
        (["--text", "{text}", "--eval-data", "nowhere"], "--eval-data nowhere is not a folder"),
        (["--text", "{text}", "--list", "{empty}"], "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(smidgen, text, tmp_path, words, message):
    (tmp_path / "empty").mkdir()
    outcome = smidgen("data", "check", *(word.format(text=text, empty=tmp_path / "empty") for word in words))
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
