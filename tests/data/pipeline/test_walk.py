"""What is kept of which source, as a whole build shows it."""

import json
import random
from pathlib import Path

import pytest

from smidgen.data import exhaustion
from smidgen.data.build import build
from smidgen.data.quality.contamination import ContaminationIndex, EvaluationText
from smidgen.data.sample_texts import sample_texts
from smidgen.data.training_data import open_data
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import ArithmeticSettings
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source

from .conftest import mixture_of, some_texts, write_texts


def build_into(out: Path, data, tokenizer, training_tokens: int = 10**6, **changes) -> dict:
    return build(
        data,
        tokenizer,
        out=out,
        context_length=32,
        training_tokens=training_tokens,
        seed=5,
        cache=None,
        **changes,
    )


def stored_texts(out: Path, tokenizer, source: str) -> tuple[list[str], list[str]]:
    data = open_data(out, tokenizer.fingerprint)
    return tuple(
        [tokenizer.decode(shard.document(number).tolist()) for number in range(len(shard.document_offsets))]
        for shard in (data.train[source], data.held_out[source])
    )


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_an_earlier_source_has_is_left_out_and_listed(tmp_path, tokenizer):
    shared = some_texts(30, "a")
    paths = [
        write_texts(tmp_path / "first.jsonl", [*some_texts(50, "b"), *shared]),
        write_texts(tmp_path / "second.jsonl", [*shared[:20], *some_texts(70, "c"), *shared[:10]]),
        write_texts(tmp_path / "third.jsonl", [*some_texts(40, "d"), *shared[20:], some_texts(70, "c")[3]]),
    ]
    index = build_into(tmp_path / "out", mixture_of(paths), tokenizer)
    entries = index["sources"]
    assert entries["first"]["duplicates_of"] == {}
    assert entries["second"]["duplicates_of"] == {"first": 20}
    assert entries["third"]["duplicates_of"] == {"first": 10, "second": 1}
    assert entries["second"]["rejected"] == {"duplicate": 30}
    assert index["rejected"] == {"duplicate": 41}
    kept = [text for name in entries for side in stored_texts(tmp_path / "out", tokenizer, name) for text in side]
    assert len(kept) == len(set(kept)) == 80 + 70 + 40
    listed = lines(tmp_path / "out/third/rejected.jsonl")
    assert [line["document"] for line in listed] == [f"third.jsonl:{number}" for number in range(40, 51)]
    assert listed[-1] == {
        "source": "third",
        "document": "third.jsonl:50",
        "reason": "duplicate",
        "of": {"source": "second"},
    }
    assert not (tmp_path / "out/first/rejected.jsonl").exists()


def test_every_rejected_row_is_counted_by_reason_and_listed_with_its_place(tmp_path, tokenizer):
    path = tmp_path / "mixed.jsonl"
    good = [json.dumps({"text": text}) for text in some_texts(60, "a")]
    bad = ['{"text": ""}', '{"text": 5}', "[1]", '{"other": 1}', "{cut", good[0], '{"text": "' + "�" * 50 + '"}']
    rows = good[:30] + bad + good[30:]
    path.write_text("".join(f"{row}\n" for row in rows))
    index = build_into(tmp_path / "out", mixture_of([path]), tokenizer)
    entry = index["sources"]["mixed"]
    assert sum(entry["documents"].values()) + sum(entry["rejected"].values()) == len(rows)
    listed = [(line["document"], line["reason"]) for line in lines(tmp_path / "out/mixed/rejected.jsonl")]
    reasons = ["empty text", "not a string", "not an object", "missing key", "not JSON", "duplicate"]
    assert listed == [
        (f"mixed.jsonl#{line}", reason) for line, reason in enumerate([*reasons, "damaged encoding"], start=31)
    ]


def test_a_repeated_id_of_another_part_goes_by_its_place(tmp_path, tokenizer, monkeypatch):
    """Rows that share an id would all fall on one side."""
    path = tmp_path / "same.jsonl"
    texts = some_texts(900, "a")
    path.write_text("".join(json.dumps({"id": "one", "text": text}) + "\n" for text in texts))
    for size in (20_000, 10**6):
        monkeypatch.setattr("smidgen.data.build.SMALLEST_PART_BYTES", size)
        monkeypatch.setattr("smidgen.data.build.LARGEST_PART_BYTES", size)
        index = build_into(tmp_path / f"out{size}", mixture_of([path], held_out_fraction=0.1), tokenizer)
        assert 50 < index["sources"]["same"]["documents"]["held_out"] < 130
    assert (tmp_path / "out20000/files.json").read_bytes() == (tmp_path / "out1000000/files.json").read_bytes()


def test_near_duplicates_go_within_and_across_sources_and_reading_goes_on(tmp_path, tokenizer):
    pytest.importorskip("rensa")
    texts = some_texts(300, "a")
    # A word in ten documents' middle is another one.
    near = [text.replace(text.split()[60], "other", 1) for text in texts[:100]]
    paths = [
        write_texts(tmp_path / "first.jsonl", [*texts[:200], *near[:30]]),
        write_texts(tmp_path / "second.jsonl", [*near[30:], *some_texts(200, "b"), *texts[200:]]),
    ]
    index = build_into(tmp_path / "out", mixture_of(paths, near_duplicates=0.8), tokenizer, training_tokens=150_000)
    assert index["sources"]["first"]["rejected"] == {"near duplicate": 30}
    assert index["sources"]["second"]["rejected"] == {"near duplicate": 70}
    kept = [
        text for name in index["sources"] for side in stored_texts(tmp_path / "out", tokenizer, name) for text in side
    ]
    assert not set(kept) & set(near)
    wanted = index["sources"]["second"]["planned_tokens"]
    assert index["sources"]["second"]["train_tokens"] > min(wanted, 50_000)


@pytest.fixture
def evaluation():
    items = [EvaluationText("quiz", str(number), text) for number, text in enumerate(some_texts(20, "q", words=30))]
    return ContaminationIndex.of(items)


def contaminated_source(path: Path) -> Path:
    texts = some_texts(200, "a")
    for number, item in enumerate(some_texts(20, "q", words=30)[:8]):
        texts[20 * number] += f" and {item}"
    return write_texts(path, texts)


def test_documents_with_items_of_evaluation_sets_are_reported(tmp_path, tokenizer, evaluation):
    data = mixture_of([contaminated_source(tmp_path / "web.jsonl")])
    index = build_into(tmp_path / "out", data, tokenizer, evaluation=evaluation)
    (found,) = index["contaminated"]
    assert (found["task"], found["items"], found["documents"]) == ("quiz", 8, 8)
    assert index["sources"]["web"]["contaminated"] == 8
    assert sum(index["sources"]["web"]["documents"].values()) == 200
    listed = lines(tmp_path / "out/web/contaminated.jsonl")
    assert {line["document"] for line in listed} == {f"web.jsonl:{20 * number}" for number in range(8)}
    assert build_into(tmp_path / "plain", data, tokenizer)["contaminated"] is None


def test_documents_with_items_of_evaluation_sets_are_dropped_where_the_recipe_says_so(
    tmp_path, tokenizer, evaluation
):
    path = contaminated_source(tmp_path / "web.jsonl")
    index = build_into(tmp_path / "out", mixture_of([path], contamination="drop"), tokenizer, evaluation=evaluation)
    assert index["sources"]["web"]["rejected"] == {"contaminated": 8}
    assert sum(index["sources"]["web"]["documents"].values()) == 192
    assert index["contaminated"][0]["documents"] == 8
    off = build_into(tmp_path / "off", mixture_of([path], contamination="off"), tokenizer, evaluation=evaluation)
    assert off["contaminated"] is None


def test_a_generator_whose_settings_allow_no_more_documents_repeats_with_a_note(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(exhaustion, "EXHAUSTED_DOCUMENTS", 500)
    few = ArithmeticSettings(level=1, equations=1)
    data = DataSettings(sources={"sums": Source(generator="arithmetic", arithmetic=few)})
    index = build_into(tmp_path / "out", data, tokenizer, training_tokens=500_000)
    assert index["sources"]["sums"]["epochs"] > 4
    assert index["notes"] == ["source 'sums' has no more different documents: its settings allow no others"]
    assert "source 'sums' will repeat" in index["warnings"][0]


def test_a_second_source_with_the_same_documents_ends_with_one_sentence(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(exhaustion, "EXHAUSTED_DOCUMENTS", 500)
    data = DataSettings(
        sources={name: Source(generator="grammar") for name in ("one", "two")},
        curriculum=(CurriculumPoint(at=0.0, weights={"one": 0.9, "two": 0.1}),),
    )
    with pytest.raises(BadInput, match=r"source 'two' gives 0 tokens to train on \(rejected: \d+ duplicate\)"):
        build_into(tmp_path / "out", data, tokenizer, training_tokens=1_000_000, held_out_bytes=2_000)


def test_weights_that_are_no_shares_are_explained(tmp_path, tokenizer):
    paths = [write_texts(tmp_path / f"{name}.jsonl", some_texts(60, name)) for name in "ab"]
    data = mixture_of(paths)
    twice = DataSettings(sources=data.sources, curriculum=(CurriculumPoint(at=0.0, weights={"a": 3.0, "b": 1.0}),))
    assert build_into(tmp_path / "one", data, tokenizer)["notes"] == []
    notes = build_into(tmp_path / "two", twice, tokenizer)["notes"]
    assert notes == ["the weights at 0 sum to 4 and count as proportions: a 75%, b 25%"]


def test_what_the_filters_leave_decides_what_the_tokenizer_sees(tmp_path, tokenizer):
    """In a small source a rejected document must not shift who is held out."""
    texts = some_texts(120, "a")
    for number in random.Random(2).sample(range(120), 40):
        texts[number] = "� " * 30 + str(number)
    data = mixture_of([write_texts(tmp_path / "a.jsonl", texts)])
    build_into(tmp_path / "out", data, tokenizer)
    trained, held_out = stored_texts(tmp_path / "out", tokenizer, "a")
    assert len(trained) + len(held_out) == 80
    assert list(sample_texts(data, bytes_wanted=10**7, seed=5, cache=None)) == trained
