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

from smidgen.data.files import LARGEST_PIECE_CHARACTERS, SMALLEST_PIECE_CHARACTERS, pieces, read_documents
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


# Finding files


def test_folders_are_read_in_order_of_name_at_any_depth_without_hidden_and_other_files(tmp_path):
    for name in ("b.txt", "a/z.md", "a/b/c.txt", ".hidden.txt", ".git/x.txt", "picture.png", "C.TXT"):
        written(tmp_path / name, name.encode())
    documents, _ = read(tmp_path)
    assert [document.id for document in documents] == ["C.TXT#1", "a/b/c.txt#1", "a/z.md#1", "b.txt#1"]


def test_patterns_are_sorted_and_name_files_below_their_fixed_part(tmp_path):
    for name in ("books/b.txt", "books/a/c.txt", "books/a.md"):
        written(tmp_path / name, name.encode())
    documents, _ = read(tmp_path / "books/**/*.txt")
    assert [document.id for document in documents] == ["a/c.txt#1", "b.txt#1"]


def test_a_file_given_twice_is_read_once(tmp_path):
    path = written(tmp_path / "a.txt", b"one")
    assert len(read(path, tmp_path, tmp_path / "*.txt")[0]) == 1


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    assert read(written(tmp_path / "a[1].txt", b"one"))[0][0].text == "one"


def test_paths_that_mean_no_file_are_refused_before_reading(tmp_path):
    written(tmp_path / "pictures/a.png", b"x")
    written(tmp_path / "a.docx", b"x")
    known = r"\.txt, \.md, \.jsonl, \.jsonl\.zst, \.jsonl\.gz, \.parquet"
    for path, expected in (
        ("missing.txt", rf"missing\.txt does not exist; give .* one of {known}"),
        ("pictures", rf"folder .*pictures holds no file of a known ending; known are {known}"),
        ("*.txt", r"pattern .*\*\.txt matches no file"),
        ("a.docx", rf"a\.docx has an unknown ending; known are {known}"),
    ):
        with pytest.raises(BadInput, match=expected):
            read_documents([str(tmp_path / path)], text_key="text", rejected=Counter())
    with pytest.raises(BadInput, match="no file was named"):
        read_documents([], text_key="text", rejected=Counter())


# What is wrong with a file


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.jsonl", "a.jsonl.zst", "a.jsonl.gz", "a.parquet"])
def test_an_empty_file_is_refused(tmp_path, name):
    assert f"{name} is empty" in refusal(written(tmp_path / name, b""))


def test_a_file_that_is_empty_inside_is_refused(tmp_path):
    for name, content in (
        ("a.txt", b" \n\n"),
        ("b.txt", b"\xef\xbb\xbf"),
        ("a.jsonl", b"\n \n"),
        ("a.jsonl.gz", gzip.compress(b"")),
        ("a.jsonl.zst", zstandard.compress(b"\n")),
    ):
        assert f"{name} is empty" in refusal(written(tmp_path / name, content))
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert "a.parquet is empty" in refusal(tmp_path / "a.parquet")


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
        ("a.jsonl.gz", gzip.compress(json_lines(ROWS))),
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
        '{"text": "cut in the mid',
        '{"text": "a"',
        '{"text": "a"} {"text": "b"}',
        "plain words",
        '{"text": "raw \t tab"}',
        "[" * 100_000,
        '{"text": "a", "n": ' + "9" * 5_000 + "}",
    ],
)
def test_a_line_that_is_not_complete_json_is_refused_with_its_number(tmp_path, line):
    content = json_lines([{"text": "a"}]) * 2 + line.encode()
    message = refusal(written(tmp_path / "a.jsonl", content))
    assert re.search(r"a\.jsonl, line 3 is not a complete JSON object \(.*\): it is cut off or damaged", message)


def test_the_message_about_a_line_cut_off_says_where(tmp_path):
    message = refusal(written(tmp_path / "a.jsonl", b'{"text": "cut in the mid'))
    assert "line 1 is not a complete JSON object (Unterminated string starting at at character 10)" in message


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


def test_text_in_another_encoding_is_refused_with_line_and_offset(tmp_path):
    message = refusal(written(tmp_path / "a.txt", b"first\nsecond caf\xe9 au lait\n"))
    assert "a.txt, line 2 is not UTF-8 at its byte 11 (0xe9); convert it" in message
    assert "line 1 is not UTF-8" in refusal(written(tmp_path / "a.jsonl", '{"text": "café"}'.encode("latin-1")))
    assert "is not UTF-8" in refusal(written(tmp_path / "b.txt", b"a \xed\xa0\x80 surrogate"))


def test_broken_utf_16_and_binary_files_are_refused(tmp_path):
    assert "is not UTF-16 throughout" in refusal(written(tmp_path / "a.txt", "abc".encode("utf-16") + b"\x00"))
    assert "is not UTF-16 throughout" in refusal(written(tmp_path / "b.txt", b"\xff\xfe\x00\xd8a\x00"))
    assert "line 1 holds a NUL byte" in refusal(written(tmp_path / "c.txt", "abc".encode("utf-16-le")))
    assert "line 1 holds a NUL byte" in refusal(written(tmp_path / "c.jsonl", '{"text": "a"}'.encode("utf-16-be")))


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


# Cutting texts


def numbered(text: str):
    return enumerate(text.split("\n"), start=1)


def test_a_book_is_cut_between_paragraphs_into_pieces_of_4000_to_8000_characters(tmp_path):
    chance = random.Random(3)
    paragraphs = [f"Paragraph {number}. " + "word " * chance.randrange(5, 300) for number in range(300)]
    documents, _ = read(written(tmp_path / "book.txt", "\n\n".join(paragraphs).encode()))
    assert [document.id for document in documents] == [f"book.txt#{number + 1}" for number in range(len(documents))]
    for document in documents[:-1]:
        assert SMALLEST_PIECE_CHARACTERS <= len(document.text) <= LARGEST_PIECE_CHARACTERS
        assert document.text.startswith("Paragraph")
    assert "\n\n".join(document.text for document in documents).split("\n\n") == [p.rstrip() for p in paragraphs]


def test_a_long_paragraph_is_cut_after_a_line_a_sentence_or_a_word():
    for unit, end in (("words of a line\n", "\n"), ("words of a sentence. ", ". "), ("word ", " ")):
        cut = list(pieces([(1, unit * 4_000)]))
        assert len(cut) > 2
        assert all(piece.endswith(end) for piece in cut[:-1])
    assert [len(piece) for piece in pieces([(1, "x" * 20_000)])] == [8_000, 8_000, 4_000]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "ab. ", "word ", "x\u00e9"]), st.integers(0, 3_000)), max_size=12))
def test_cutting_loses_nothing_but_blanks(parts):
    text = "\n".join(unit * count for unit, count in parts)
    cut = list(pieces(numbered(text)))
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert all(0 < len(piece) <= LARGEST_PIECE_CHARACTERS for piece in cut)
