import gzip
import json
import random
import re
import tracemalloc
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.data import lines
from smidgen.data.files import ENDINGS
from smidgen.data.sources import read_documents
from smidgen.errors import BadInput

ROWS = [{"id": f"row-{number}", "text": f"Text {number}. " + "word " * number} for number in range(50)]


def read(*paths: Path | str, text_key: str = "text") -> tuple[list, Counter]:
    rejected: Counter = Counter()
    return list(read_documents([str(path) for path in paths], text_key=text_key, rejected=rejected)), rejected


def json_lines(rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refusal(*paths: Path | str, text_key: str = "text") -> str:
    with pytest.raises(BadInput) as caught:
        read(*paths, text_key=text_key)
    message = str(caught.value)
    assert "\n" not in message
    return message


# Every kind of file


def test_the_same_rows_come_from_plain_packed_and_parquet_files(tmp_path):
    content = json_lines(ROWS)
    written(tmp_path / "a.jsonl", content)
    written(tmp_path / "a.jsonl.gz", gzip.compress(content))
    written(tmp_path / "a.jsonl.zst", zstandard.compress(content))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet", row_group_size=7)
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet"):
        documents, rejected = read(tmp_path / name)
        assert [document.text for document in documents] == [row["text"] for row in ROWS]
        assert [document.id for document in documents] == [f"{name}:row-{number}" for number in range(50)]
        assert not rejected


def test_rows_without_an_id_of_their_own_are_named_by_their_line(tmp_path):
    rows = [{"text": "a"}, {"text": "b", "id": 7}, {"text": "c", "id": 7}, {"text": "d", "id": True}]
    documents, _ = read(written(tmp_path / "a.jsonl", b"\n" + json_lines(rows)))
    assert [document.id for document in documents] == ["a.jsonl#2", "a.jsonl:7", "a.jsonl#4", "a.jsonl#5"]


def test_another_key_can_hold_the_text(tmp_path):
    documents, _ = read(written(tmp_path / "a.jsonl", json_lines([{"content": "one"}])), text_key="content")
    assert [document.text for document in documents] == ["one"]
    pq.write_table(pa.table({"content": ["two"], "id": [5]}), tmp_path / "a.parquet")
    documents, _ = read(tmp_path / "a.parquet", text_key="content")
    assert [(document.id, document.text) for document in documents] == [("a.parquet:5", "two")]


def test_many_frames_and_members_are_read_to_the_end(tmp_path):
    parts = [json_lines(ROWS[:20]), json_lines(ROWS[20:])]
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    frames = skippable.join(zstandard.compress(part) for part in parts)
    for path in (
        written(tmp_path / "a.jsonl.zst", frames),
        written(tmp_path / "a.jsonl.gz", b"".join(map(gzip.compress, parts))),
    ):
        assert len(read(path)[0]) == 50


def test_a_frame_without_its_length_is_read(tmp_path):
    packer = zstandard.ZstdCompressor().compressobj()
    content = packer.compress(json_lines(ROWS)) + packer.flush()
    assert len(read(written(tmp_path / "a.jsonl.zst", content))[0]) == 50


# What is wrong with a file


EMPTY = [
    ("a.txt", b" \n\n"),
    ("b.txt", b"\xef\xbb\xbf"),
    ("a.jsonl", b"\n \n"),
    # Without the time, which would be part of the test's name and differ between processes.
    ("a.jsonl.gz", gzip.compress(b"", mtime=0)),
    ("a.jsonl.zst", zstandard.compress(b"\n")),
    *((f"zero{ending}", b"") for ending in ENDINGS),
]


@pytest.mark.parametrize(("name", "content"), EMPTY)
def test_an_empty_file_is_counted_and_alone_it_is_refused(tmp_path, name, content):
    path = written(tmp_path / name, content)
    assert f"{name} gives no document (rejected: 1 empty file); it must hold some text" in refusal(path)
    documents, rejected = read(path, written(tmp_path / "text.txt", b"words"))
    assert [document.id for document in documents] == ["text.txt#1"]
    assert rejected == {"empty file": 1}


def test_a_parquet_file_without_rows_is_an_empty_file(tmp_path):
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert "a.parquet gives no document (rejected: 1 empty file)" in refusal(tmp_path / "a.parquet")


@pytest.mark.parametrize("pack", [zstandard.compress, gzip.compress])
def test_a_packed_file_is_refused_wherever_it_is_cut_off(tmp_path, pack):
    whole = pack(json_lines(ROWS))
    name = "a.jsonl.zst" if pack is zstandard.compress else "a.jsonl.gz"
    for length in range(1, len(whole)):
        message = refusal(written(tmp_path / name, whole[:length]))
        assert re.search(rf"{name} is cut off or damaged near byte \d+ of {length}", message)


def test_a_large_packed_file_that_is_cut_off_is_refused(tmp_path):
    noise = random.Random(1)
    rows = [{"text": f"{noise.getrandbits(4_000):x}"} for _ in range(500)]
    whole = zstandard.compress(json_lines(rows))
    assert "is cut off" in refusal(written(tmp_path / "a.jsonl.zst", whole[: len(whole) // 2]))


def test_bytes_after_the_packed_text_are_refused(tmp_path):
    for name, packed in (
        ("a.jsonl.zst", zstandard.compress(json_lines(ROWS))),
        ("a.jsonl.gz", gzip.compress(json_lines(ROWS), mtime=0)),
    ):
        assert "is cut off or damaged" in refusal(written(tmp_path / name, packed + b"garbage"))


def test_flipped_bits_in_packed_files_are_refused_or_leave_the_text_alone(tmp_path):
    chance = random.Random(2)
    content = json_lines(ROWS)
    with_checksum = zstandard.ZstdCompressor(write_checksum=True).compress(content)
    refused = 0
    for name, packed in (("a.jsonl.zst", with_checksum), ("a.jsonl.gz", gzip.compress(content))):
        for _ in range(150):
            damaged = bytearray(packed)
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            try:
                documents, _ = read(written(tmp_path / name, bytes(damaged)))
            except BadInput:
                refused += 1
            else:
                assert [document.text for document in documents] == [row["text"] for row in ROWS]
    assert refused > 250  # the others hit the time or name in a gzip header


def test_a_parquet_file_that_is_cut_off_or_overwritten_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS * 20), path, write_page_checksum=True, compression="none")
    whole = path.read_bytes()
    for length in (1, 4, 100, len(whole) // 2, len(whole) - 1):
        assert "no readable parquet file" in refusal(written(path, whole[:length]))
    middle = whole.index(b"Text 7.")
    assert "no readable parquet file" in refusal(written(path, whole[:middle] + b"TEXT" + whole[middle + 4 :]))


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "a"',
        '{"text": "a"} {"text": "b"}',
        "plain words",
        '{"text": "raw \t tab"}',
        "[" * 100_000,
        '{"text": "a", "n": ' + "9" * 5_000 + "}",
    ],
)
def test_a_line_that_is_not_json_is_counted_and_the_others_are_read(tmp_path, line):
    whole = json_lines([{"text": "a"}])
    documents, rejected = read(written(tmp_path / "a.jsonl", whole + line.encode() + b"\n" + whole))
    assert [document.id for document in documents] == ["a.jsonl#1", "a.jsonl#3"]
    assert rejected == {"not JSON": 1}


def test_a_file_cut_off_anywhere_in_its_last_line_loses_that_line_only(tmp_path):
    last = '{"text": "caf\u00e9"}'.encode()
    for length in range(1, len(last)):
        content = json_lines([{"text": "a"}]) + last[:length]
        documents, rejected = read(written(tmp_path / "a.jsonl", content))
        assert (len(documents), rejected) == (1, {"line cut off": 1})
    assert len(read(written(tmp_path / "a.jsonl", json_lines([{"text": "a"}]) + last))[0]) == 2


def test_a_file_of_plain_words_under_the_name_of_json_lines_is_refused(tmp_path):
    message = refusal(written(tmp_path / "a.jsonl", b"plain\nwords\n"))
    assert "a.jsonl gives no document (rejected: 2 not JSON); every line must be an object such as" in message


def test_a_wrong_key_names_the_keys_there_are_and_the_nearest(tmp_path):
    path = written(tmp_path / "a.jsonl", json_lines([{"url": "x", "texts": "some words"}]))
    message = refusal(path)
    assert """a.jsonl, line 1 has no key 'text', only 'url', 'texts'; set text = "texts" for""" in message
    path = written(tmp_path / "b.jsonl", json_lines([{"url": "x", "body": "the longest of the strings"}]))
    assert """only 'url', 'body'; set text = "body" for""" in refusal(path)
    assert "and no other" in refusal(written(tmp_path / "c.jsonl", b"{}\n"))
    pq.write_table(pa.table({"number": [1], "content": ["words"]}), tmp_path / "a.parquet")
    assert """no column 'text', only 'number', 'content'; set text = "content" for""" in refusal(
        tmp_path / "a.parquet"
    )


@pytest.mark.parametrize(("line", "kind"), [("[1]", "list"), ('"words"', "str"), ("null", "NoneType"), ("3", "int")])
def test_a_first_row_that_is_no_object_is_refused(tmp_path, line, kind):
    message = refusal(written(tmp_path / "a.jsonl", line.encode()))
    assert (
        f"""line 1 holds a {kind} instead of a JSON object; every line must be an object such as {{"text":"""
        in message
    )


# What is wrong with a row


def test_rows_are_kept_or_counted_by_reason_exactly(tmp_path):
    rows = [
        {"text": "good"},
        {"text": ""},
        {"text": " \n\t\u00a0"},
        {"text": None},
        {"text": 5},
        {"text": ["a"]},
        {"other": "a"},
        ["text"],
        {"text": "a\0b"},
        {"text": "a\ud800b"},
        {"text": "\U0001f600 caf\u00e9 \ufeff"},
    ]
    documents, rejected = read(written(tmp_path / "a.jsonl", json_lines(rows)))
    assert [document.text for document in documents] == ["good", "\U0001f600 caf\u00e9 \ufeff"]
    assert rejected == {
        "empty text": 2,
        "not a string": 3,
        "missing key": 1,
        "not an object": 1,
        "NUL character": 1,
        "lone surrogate": 1,
    }
    assert len(documents) + rejected.total() == len(rows)


def test_parquet_rows_are_kept_or_counted_too(tmp_path):
    pq.write_table(
        pa.table({"text": ["good", "", None, "a\0b"], "id": ["x", "y", None, "z"]}), tmp_path / "a.parquet"
    )
    documents, rejected = read(tmp_path / "a.parquet")
    assert [document.id for document in documents] == ["a.parquet:x"]
    assert rejected == {"empty text": 1, "not a string": 1, "NUL character": 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(exclude_categories=()), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(json_values, max_size=20))
def test_read_is_kept_and_rejected_for_any_rows(tmp_path_factory, rows):
    path = written(tmp_path_factory.getbasetemp() / "any.jsonl", json_lines([{"text": "first"}, *rows]))
    documents, rejected = read(path)
    assert len(documents) + rejected.total() == len(rows) + 1
    assert len({document.id for document in documents}) == len(documents)
    for document in documents:
        assert document.text.encode().strip()


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_unicode_is_read_in_every_marked_encoding(tmp_path, encoding, name):
    text = "Grüße — \U0001f600, 中文"
    content = text if name == "a.txt" else json.dumps({"text": text}, ensure_ascii=False) + "\n"
    documents, _ = read(written(tmp_path / name, content.encode(encoding)))
    assert [document.text for document in documents] == [text]


def test_lines_that_are_not_utf_8_are_counted(tmp_path):
    content = json_lines([{"text": "a"}]) + '{"text": "caf\u00e9 au lait"}\n'.encode("latin-1") + b'{"text": "b"}\n'
    documents, rejected = read(written(tmp_path / "a.jsonl", content + b'{"text": "\xed\xa0\x80"}\n'))
    assert [document.text for document in documents] == ["a", "b"]
    assert rejected == {"not UTF-8": 2}


def test_pieces_of_a_text_that_are_not_utf_8_are_counted(tmp_path):
    long = b"word " * 1_000
    content = b"\n\n".join([long + b"one", long + b"caf\xe9", long + b"three", long + b"a \xed\xa0\x80 surrogate"])
    documents, rejected = read(written(tmp_path / "a.txt", content))
    assert [document.id for document in documents] == ["a.txt#1", "a.txt#3"]
    assert rejected == {"not UTF-8": 2}


def test_a_text_in_another_encoding_is_refused_with_the_way_to_convert_it(tmp_path):
    message = refusal(written(tmp_path / "a.txt", "caf\u00e9 au lait".encode("latin-1")))
    assert "a.txt gives no document (rejected: 1 not UTF-8); convert it, for example with: iconv" in message


def test_broken_utf_16_loses_the_row_that_is_broken(tmp_path):
    lines_of_text = '{"text": "a"}\n{"text": "b"}'.encode("utf-16")
    documents, rejected = read(written(tmp_path / "a.jsonl", lines_of_text[:-1]))
    assert ([document.text for document in documents], rejected) == (["a"], {"line cut off": 1})
    documents, rejected = read(
        written(
            tmp_path / "b.jsonl",
            b"\xff\xfe" + '{"text": "a"}\n{"text": "\ud800"}\n'.encode("utf-16-le", "surrogatepass"),
        )
    )
    assert ([document.text for document in documents], rejected) == (["a"], {"not UTF-8": 1})
    assert "is not UTF-32 throughout" in refusal(written(tmp_path / "c.txt", b"\xff\xfe\0\0" + b"\xff" * 8))


def test_binary_files_are_refused(tmp_path):
    for name, encoding in (("c.txt", "utf-16-le"), ("c.jsonl", "utf-16-be")):
        message = refusal(written(tmp_path / name, '{"text": "a"}\n'.encode(encoding)))
        assert "NUL character" in message
        assert "save it as UTF-8" in message


def test_a_line_beyond_the_limit_is_counted_and_not_kept_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE_BYTES", 3_000_000)
    long = b"a" * 30_000_000
    row = b'{"text": "' + long + b'"}\n'
    path = written(tmp_path / "a.jsonl", json_lines([{"text": "a"}]) + row + json_lines([{"text": "b"}]))
    tracemalloc.start()
    documents, rejected = read(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ([document.text for document in documents], rejected) == (["a", "b"], {"line too long": 1})
    assert peak_bytes < 10_000_000
    documents, rejected = read(written(tmp_path / "a.txt", b"word " * 2_000 + b"\n\n" + long))
    assert (len(documents), rejected) == (1, {"line too long": 1})


def test_line_ends_of_all_systems_give_the_same_text(tmp_path):
    expected = "one\ntwo\n\nthree"
    for number, end in enumerate(("\n", "\r\n")):
        documents, _ = read(written(tmp_path / f"{number}.txt", expected.replace("\n", end).encode()))
        assert [document.text for document in documents] == [expected]
    documents, _ = read(written(tmp_path / "a.jsonl", b'{"text": "one"}\r\n{"text": "two"}\r\n'))
    assert [document.text for document in documents] == ["one", "two"]


def test_a_line_of_100_megabytes_is_one_row(tmp_path):
    size = 100_000_000
    path = written(tmp_path / "a.jsonl.zst", zstandard.compress(b'{"text": "' + b"a" * size + b'"}\n{"text": "b"}\n'))
    documents, _ = read(path)
    assert [len(document.text) for document in documents] == [size, 1]


def test_a_long_file_is_never_held_whole(tmp_path):
    noise = random.Random(4)
    content = json_lines({"text": f"{noise.getrandbits(4_000):x}"} for _ in range(20_000))
    path = written(tmp_path / "a.jsonl.zst", zstandard.compress(content))
    tracemalloc.start()
    count = sum(1 for _ in read_documents([str(path)], text_key="text", rejected=Counter()))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak_bytes < 8_000_000 < 20_000_000 < len(content)
