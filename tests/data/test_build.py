import hashlib
import itertools
import json
import random
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from smidgen.data import build as build_module
from smidgen.data.build import build
from smidgen.data.order import SampleOrder
from smidgen.data.pipeline import walk as walk_module
from smidgen.data.sample_texts import sample_texts
from smidgen.data.split import is_held_out
from smidgen.data.training_data import open_data
from smidgen.errors import BadInput, Interrupted, OutOfResources
from smidgen.recipes.arithmetic import ArithmeticSettings
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source
from smidgen.tokenization.text_encoder import EncodedTexts

END = 256
CONTEXT = 32


class ByteTokenizer:
    """Each byte is a token."""

    vocab_size = 257
    end_of_text_id = END
    fingerprint = hashlib.sha256(b"bytes").hexdigest()

    def __init__(self) -> None:
        self.texts: list[str] = []

    def single_threaded(self) -> "ByteTokenizer":
        return self

    def encode_arrays(self, texts: list[str]) -> EncodedTexts:
        self.texts += texts
        lengths = np.array([len(text.encode()) for text in texts], dtype=np.int64)
        return EncodedTexts(np.frombuffer("".join(texts).encode(), dtype=np.uint8), lengths, lengths)


def write_rows(path: Path, count: int, words: int = 20) -> Path:
    chance = random.Random(count)
    rows = [
        {"id": number, "text": f"{path.stem} {number} é " + " ".join(f"w{chance.random():.4f}" for _ in range(words))}
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def texts_of(path: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {f"{path.name}:{row['id']}": row["text"] for row in rows}


def mixture(weights: dict[Path, float], **changes) -> DataSettings:
    sources = {path.stem: Source(files=(str(path),)) for path in weights}
    point = CurriculumPoint(at=0.0, weights={path.stem: weight for path, weight in weights.items()})
    return DataSettings(sources=sources, curriculum=(point,), **changes)


def build_into(out: Path, data: DataSettings, tokenizer=None, *, training_tokens: int = 100_000, **changes) -> dict:
    return build(
        data,
        tokenizer or ByteTokenizer(),
        out=out,
        context_length=CONTEXT,
        training_tokens=training_tokens,
        seed=5,
        cache=None,
        **changes,
    )


def text(ids) -> str:
    return bytes(ids).decode()


def trained_texts(data, source: str) -> list[str]:
    shard = data.train[source]
    return [text(shard.document(number).tolist()) for number in range(len(shard.document_offsets))]


def held_out_texts(data, source: str) -> list[str]:
    return [text(ids[1:].tolist()) for ids, _ in data.held_out_documents(source)]


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(walk_module, "CHUNK_CHARACTERS", 2_000)
    monkeypatch.setattr(build_module, "SMALLEST_PART_BYTES", 2_000)
    monkeypatch.setattr(build_module, "LARGEST_PART_BYTES", 2_000)


@pytest.fixture
def books(tmp_path) -> DataSettings:
    return mixture({write_rows(tmp_path / "big.jsonl", 700): 3.0, write_rows(tmp_path / "small.jsonl", 60): 1.0})


def test_every_document_lands_whole_on_the_side_its_id_decides(tmp_path, books):
    build_into(tmp_path / "out", books, training_tokens=10**6)
    data = open_data(tmp_path / "out", ByteTokenizer.fingerprint)
    for name in ("big", "small"):
        texts = texts_of(tmp_path / f"{name}.jsonl")
        trained, held_out = trained_texts(data, name), held_out_texts(data, name)
        assert sorted(trained + held_out) == sorted(texts.values())
        if name == "big":
            assert held_out == [text for document_id, text in texts.items() if is_held_out(document_id, 0.01)]
        else:
            assert len(held_out) == 3  # a twentieth of 60
        assert trained == [text for text in texts.values() if text in trained]


def test_the_index_tells_what_was_built_and_is_what_was_returned(tmp_path, books):
    index = build_into(tmp_path / "out", books, training_tokens=10**6)
    assert json.loads((tmp_path / "out/index.json").read_text()) == index
    entry = index["sources"]["small"]
    texts = texts_of(tmp_path / "small.jsonl")
    assert entry["origin"] == str(tmp_path / "small.jsonl")
    assert entry["documents"] == {"train": 57, "held_out": 3, "left_out": 0}
    assert entry["train_text_bytes"] + entry["held_out_text_bytes"] == sum(len(t.encode()) for t in texts.values())
    assert entry["train_tokens"] == entry["train_text_bytes"] + 57
    assert entry["windows"] == (entry["train_tokens"] - 1) // CONTEXT
    assert (entry["planned_share"], entry["planned_tokens"]) == (0.25, 250_000)
    assert entry["epochs"] == 250_000 / (entry["windows"] * CONTEXT)
    assert index["tokenizer_fingerprint"] == ByteTokenizer.fingerprint
    assert index["tokens"] == sum(source["train_tokens"] for source in index["sources"].values())
    assert (index["shards"], index["shares"]) == (4, {"big": 0.75, "small": 0.25})


def test_a_source_that_repeats_more_than_four_times_is_warned_about(tmp_path, books):
    index = build_into(tmp_path / "out", books, training_tokens=10**6)
    repeated = index["sources"]["small"]["epochs"]
    assert repeated > 4
    (warning,) = [warning for warning in index["warnings"] if "'small'" in warning]
    assert f"source 'small' will repeat {repeated:.1f} times" in warning
    assert build_into(tmp_path / "short", books, training_tokens=10_000)["warnings"] == []


def test_reading_stops_when_one_epoch_is_there(tmp_path, small_chunks):
    data = mixture({write_rows(tmp_path / "big.jsonl", 3_000): 1.0})
    tokenizer = ByteTokenizer()
    index = build_into(tmp_path / "out", data, tokenizer, training_tokens=20_000)
    entry = index["sources"]["big"]
    assert 20_000 < entry["train_tokens"] < 20_000 + 3 * CONTEXT + 2 * 2_000
    assert entry["held_out_tokens"] > 0
    assert entry["epochs"] <= 1
    # The sides of the first 400 are decided together, and parts are tokenised whole.
    assert len(tokenizer.texts) < 500


def test_reading_goes_on_until_a_document_is_held_out(tmp_path, small_chunks):
    path = write_rows(tmp_path / "big.jsonl", 900)
    assert not any(is_held_out(document_id, 0.0005) for document_id in list(texts_of(path))[:20])
    index = build_into(tmp_path / "out", mixture({path: 1.0}, held_out_fraction=0.0005), training_tokens=100)
    assert index["sources"]["big"]["documents"]["held_out"] >= 1


def test_generators_without_end_are_read_as_far_as_needed(tmp_path):
    sources = {"sums": Source(generator="arithmetic")}
    index = build_into(tmp_path / "out", DataSettings(sources=sources), training_tokens=50_000, held_out_bytes=2_000)
    assert index["sources"]["sums"]["epochs"] <= 1
    assert index["sources"]["sums"]["documents"]["held_out"] >= 1


def test_held_out_text_beyond_the_limit_is_neither_scored_nor_trained_on(tmp_path):
    path = write_rows(tmp_path / "big.jsonl", 1_500)
    data = mixture({path: 1.0}, held_out_fraction=0.2)
    unlimited = build_into(tmp_path / "all", data, training_tokens=10**6)["sources"]["big"]
    limited = build_into(tmp_path / "some", data, training_tokens=10**6, held_out_bytes=5_000)["sources"]["big"]
    assert limited["held_out_text_bytes"] <= 5_000 < unlimited["held_out_text_bytes"]
    assert (
        limited["documents"]["left_out"] == unlimited["documents"]["held_out"] - limited["documents"]["held_out"] > 0
    )
    assert limited["content_sha256"]["train"] == unlimited["content_sha256"]["train"]


def test_held_out_text_ends_at_the_first_document_that_does_not_fit(tmp_path):
    # Filling up with later, shorter documents would make what is scored shorter than what is trained on.
    path = tmp_path / "mixed.jsonl"
    texts = [f"{number} " + "long " * (100 if number % 2 else 1) for number in range(1_000)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    data = mixture({path: 1.0}, held_out_fraction=0.4)
    build_into(tmp_path / "out", data, training_tokens=10**6, held_out_bytes=2_000)
    by_hash = [text for number, text in enumerate(texts, start=1) if is_held_out(f"mixed.jsonl#{number}", 0.4)]
    held_out = held_out_texts(open_data(tmp_path / "out", None), "mixed")
    assert len(held_out) > 1
    assert held_out == by_hash[: len(held_out)]


def test_one_document_is_held_out_even_when_it_exceeds_the_limit(tmp_path, books):
    index = build_into(tmp_path / "out", books, held_out_bytes=1)
    assert all(source["documents"]["held_out"] == 1 for source in index["sources"].values())


def test_windows_share_one_id_with_the_next_and_cover_the_stream(tmp_path, books):
    build_into(tmp_path / "out", books)
    data = open_data(tmp_path / "out", ByteTokenizer.fingerprint)
    stream = data.train["small"].tokens.tolist()
    windows = [data.window("small", index).tolist() for index in range(data.window_counts["small"])]
    assert {len(window) for window in windows} == {CONTEXT + 1}
    assert all(one[-1] == other[0] for one, other in itertools.pairwise(windows))
    joined = windows[0][:1] + [token for window in windows for token in window[1:]]
    assert joined == stream[: len(joined)]
    assert len(stream) - len(joined) < CONTEXT
    for outside in (-1, len(windows)):
        with pytest.raises(IndexError, match="outside"):
            data.window("small", outside)


def test_held_out_documents_begin_with_the_end_of_text_and_predict_each_token_once(tmp_path, books):
    build_into(tmp_path / "out", books)
    data = open_data(tmp_path / "out", ByteTokenizer.fingerprint)
    documents = list(data.held_out_documents("small"))
    assert len(documents) == 3
    for ids, text_bytes in documents:
        assert ids[0] == END
        assert END not in ids[1:]
        assert text_bytes == len(ids) - 1


def test_the_order_of_samples_fits_the_built_data(tmp_path, books):
    build_into(tmp_path / "out", books)
    data = open_data(tmp_path / "out", ByteTokenizer.fingerprint)
    order = SampleOrder(books, total_samples=1_000, window_counts=data.window_counts, seed=5)
    batch = data.batch(order.batch(990, 10))
    assert (batch.shape, batch.dtype) == ((10, CONTEXT + 1), np.int64)
    assert [row.tolist() for row in batch[:3]] == [data.window(*order.sample(990 + i)).tolist() for i in range(3)]


def test_progress_reports_tokens_so_far_and_wanted(tmp_path, books, small_chunks):
    reports: list = []
    index = build_into(tmp_path / "out", books, progress=lambda *report: reports.append(report))
    assert {name for name, _, _ in reports} == {"big", "small"}
    of_big = [tokens for name, tokens, wanted in reports if name == "big"]
    assert of_big == sorted(of_big)
    assert of_big[-1] == index["sources"]["big"]["train_tokens"]
    assert all(wanted >= 75_000 for name, _, wanted in reports if name == "big")


# What cannot be built


def test_a_source_shorter_than_a_window_is_refused_with_both_numbers(tmp_path):
    path = tmp_path / "tiny.jsonl"
    path.write_text('{"text": "abc"}\n{"text": "defgh"}\n{"text": ""}\n')
    with pytest.raises(BadInput) as caught:
        build_into(tmp_path / "out", mixture({path: 1.0}))
    assert re.fullmatch(
        r"source 'tiny' gives [46] tokens to train on \(rejected: 1 empty text\) and one window of context_length=32 "
        r"needs 33; give more text or a shorter context",
        str(caught.value),
    )
    assert not (tmp_path / "out").exists()


def test_a_source_of_one_document_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match=r"source 'one' has 1 document\(s\) and at least 2 are needed"):
        build_into(tmp_path / "out", mixture({write_rows(tmp_path / "one.jsonl", 1): 1.0}))


def test_a_generator_whose_settings_cannot_be_met_is_named(tmp_path):
    tiny = ArithmeticSettings(operands=(1,), operators={"+": 1}, digits=(1,), equations=1)
    sums = Source(generator="arithmetic", arithmetic=tiny)
    data = DataSettings(
        sources={"rest": Source(generator="arithmetic"), "sums": sums},
        curriculum=(CurriculumPoint(at=0, weights={"rest": 0.5, "sums": 0.5}),),
    )
    named = r"source 'sums': arithmetic: of \d+ documents with equations=1 only"
    with pytest.raises(BadInput, match=named):
        build_into(tmp_path / "out", data)
    with pytest.raises(BadInput, match=named):
        list(sample_texts(data, bytes_wanted=1_000, seed=1, cache=None))


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "index.json", "ü"])
def test_a_source_name_that_is_no_folder_name_is_refused(tmp_path, name):
    data = DataSettings(sources={name: Source(generator="arithmetic")})
    with pytest.raises(BadInput, match="cannot be the name of a folder"):
        build_into(tmp_path / "out", data)


def test_a_folder_that_exists_is_left_alone(tmp_path, books):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    with pytest.raises(BadInput, match="out exists already; give another folder"):
        build_into(tmp_path / "out", books)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_tokenizer_that_gives_ids_outside_its_vocabulary_is_refused(tmp_path, books):
    tokenizer = ByteTokenizer()
    tokenizer.vocab_size, tokenizer.end_of_text_id = 110, 0
    with pytest.raises(
        BadInput, match=r"token id 195 in document 1 of big/train\.bin is outside the vocabulary of 110"
    ):
        build_into(tmp_path / "out", books, tokenizer)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


# Interrupted


def folders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir())


def test_a_stop_at_any_moment_leaves_parts_and_the_next_build_goes_on(tmp_path, books, small_chunks):
    reference = build_into(tmp_path / "reference", books, training_tokens=10**6)
    tokenised = 0
    for moment in (0, 1, 17, 50, 80):
        countdown = iter(range(moment))
        with pytest.raises(Interrupted, match=r"what is tokenised is kept in .* the command can be repeated"):
            build_into(
                tmp_path / "out",
                books,
                training_tokens=10**6,
                stop_requested=lambda left=countdown: next(left, None) is None,
            )
        assert set(folders(tmp_path)) <= {".out.parts", "reference"}
        earlier, tokenised = tokenised, len(list(tmp_path.glob(".out.parts/*/*.part")))
        assert tokenised >= earlier
    tokenizer = ByteTokenizer()
    assert build_into(tmp_path / "out", books, tokenizer, training_tokens=10**6) == reference
    assert 0 < len(tokenizer.texts) < 700
    assert folders(tmp_path) == ["out", "reference"]


def test_a_full_disk_leaves_no_half_and_is_told(tmp_path, books, small_chunks):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room_bytes in (0, 1_000, 20_000, 100_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, hard))
        try:
            with pytest.raises(
                OutOfResources, match=r"no space left on the disk while writing .*(\.part|(train|held-out)\.bin);"
            ):
                build_into(tmp_path / "out", books, training_tokens=10**6)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert folders(tmp_path) in ([], [".out.parts"])
        assert not list(tmp_path.glob(".out.parts/*/.unfinished*"))


CHILD = """
import importlib.util, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("test_build", sys.argv[1])
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
tests.walk_module.CHUNK_CHARACTERS = 2_000
tests.build_module.SMALLEST_PART_BYTES = tests.build_module.LARGEST_PART_BYTES = 2_000
def slowly(*report):
    print(flush=True)
    time.sleep(0.002)
folder = Path(sys.argv[2])
data = tests.mixture({folder / "big.jsonl": 3.0, folder / "small.jsonl": 1.0})
tests.build_into(folder / "out", data, training_tokens=10**6, progress=slowly)
"""


def test_a_kill_at_any_moment_leaves_no_half_and_the_next_build_is_the_same(tmp_path, books, small_chunks):
    reference = build_into(tmp_path / "reference", books, training_tokens=10**6)
    chance = random.Random(8)
    killed = 0
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-c", CHILD, __file__, str(tmp_path)], stdout=subprocess.PIPE)
        child.stdout.readline()  # the first chunk is done
        time.sleep(chance.uniform(0, 0.15))
        child.kill()
        child.communicate()
        killed += child.returncode < 0 and any("unfinished" in name for name in folders(tmp_path))
        assert not (tmp_path / "out").exists() or open_data(tmp_path / "out", ByteTokenizer.fingerprint)
        if (tmp_path / "out").exists():
            break
    assert killed >= 2
    if not (tmp_path / "out").exists():
        assert build_into(tmp_path / "out", books, training_tokens=10**6) == reference
    assert (tmp_path / "out/files.json").read_bytes() == (tmp_path / "reference/files.json").read_bytes()
    assert folders(tmp_path) == ["out", "reference"]


# Damaged


def test_any_changed_byte_is_refused_on_opening(tmp_path, books):
    build_into(tmp_path / "out", books, training_tokens=10_000)
    chance = random.Random(9)
    files = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != "files.json")
    assert len(files) == 5
    for path in files:
        whole = path.read_bytes()
        for _ in range(10):
            place = chance.randrange(len(whole))
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
            with pytest.raises(BadInput, match=path.name):
                open_data(tmp_path / "out", ByteTokenizer.fingerprint)
        path.unlink()
        with pytest.raises(BadInput, match=path.name):
            open_data(tmp_path / "out", ByteTokenizer.fingerprint)
        path.write_bytes(whole)
    open_data(tmp_path / "out", ByteTokenizer.fingerprint)


def test_data_of_another_tokenizer_and_other_folders_are_refused(tmp_path, books):
    build_into(tmp_path / "out", books, training_tokens=10_000)
    with pytest.raises(BadInput, match=r"this one is 0000.*build the data again with this tokenizer"):
        open_data(tmp_path / "out", "0" * 64)
    with pytest.raises(BadInput, match=r"holds no built data \(no index\.json\)"):
        open_data(tmp_path, None)


def test_a_shard_of_another_build_is_refused_even_without_verifying(tmp_path, books):
    build_into(tmp_path / "out", books, training_tokens=10_000)
    (tmp_path / "out/small/train.bin").write_bytes((tmp_path / "out/big/train.bin").read_bytes())
    with pytest.raises(BadInput, match=r"small/train\.bin is not the shard that index\.json describes"):
        open_data(tmp_path / "out", None, verify=False)


def test_an_index_that_is_none_is_refused_even_without_verifying(tmp_path, books):
    index = build_into(tmp_path / "out", books, training_tokens=10_000)
    escaping = {**index, "sources": {"../small": index["sources"]["small"]}}
    for changed, expected in (
        ([], "damaged"),
        ({"version": 1}, "damaged"),
        ({**index, "version": 2}, "of version 2 and this program reads 1"),
        (escaping, "cannot be the name of a folder"),
    ):
        (tmp_path / "out/index.json").write_text(json.dumps(changed))
        with pytest.raises(BadInput, match=expected):
            open_data(tmp_path / "out", None, verify=False)
    (tmp_path / "out/index.json").write_text("{cut o")
    with pytest.raises(BadInput, match=r"index\.json is damaged"):
        open_data(tmp_path / "out", None, verify=False)


# Text for the tokenizer


def test_texts_for_the_tokenizer_follow_the_mean_shares(tmp_path):
    paths = [write_rows(tmp_path / f"{name}.jsonl", 1_500) for name in "ab"]
    points = [(0.0, {"a": 1.0, "b": 0.0}), (1.0, {"a": 0.5, "b": 0.5})]
    data = DataSettings(
        sources={path.stem: Source(files=(str(path),)) for path in paths},
        curriculum=tuple(CurriculumPoint(at=at, weights=weights) for at, weights in points),
    )
    texts = list(sample_texts(data, bytes_wanted=100_000, seed=5, cache=None))
    sizes = {name: sum(len(t.encode()) for t in texts if t.startswith(name)) for name in "ab"}
    assert 75_000 <= sizes["a"] < 75_400
    assert 25_000 <= sizes["b"] < 25_400


def test_texts_for_the_tokenizer_are_never_held_out(tmp_path, books):
    texts = list(sample_texts(books, bytes_wanted=10**7, seed=5, cache=None))
    build_into(tmp_path / "out", books, training_tokens=10**6)
    data = open_data(tmp_path / "out", None)
    assert texts == trained_texts(data, "big") + trained_texts(data, "small")


def test_a_short_run_still_holds_out_enough_to_be_scored(tmp_path):
    """Training needs 60 tokens of 2,000 documents; the held-out side reads on until it has 100 kB."""
    path = tmp_path / "many.jsonl"
    lines = [json.dumps({"id": number, "text": f"{number} " + "word " * 400}) for number in range(2000)]
    path.write_text("\n".join(lines))
    settings = DataSettings(sources={"a": Source(files=(str(path),))}, held_out_fraction=0.1)
    index = build(
        settings, ByteTokenizer(), out=tmp_path / "data", context_length=8, training_tokens=60, seed=1, cache=None
    )
    source = index["sources"]["a"]
    assert 100_000 <= source["held_out_text_bytes"] < 300_000
    # One chunk of a million characters is tokenised whole; nothing beyond it is trained on.
    assert source["train_text_bytes"] < 1_100_000
