import gzip
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.data import installed_docs
from smidgen.data.document import Document, Rejected
from smidgen.data.file_parts import FilePart
from smidgen.data.listing import Listing, list_source
from smidgen.data.parts import Part, part_from_json, part_to_json, parts_of, read_part, whole_parts_of
from smidgen.data.sources import documents_of
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import ArithmeticSettings
from smidgen.recipes.mixture import Source

PART_BYTES = 5_000


def noise(words: int) -> str:
    chance = random.Random(words)
    return " ".join(f"{chance.getrandbits(24):x}" for _ in range(words))


def json_lines(rows: int) -> bytes:
    """Rows with ids of their own, without, with one that repeats, blank lines and some that are no documents."""
    lines = []
    for number in range(rows):
        kind = number % 7
        row = {"text": noise(number % 40 + 1)} | ({"id": number // 14} if kind in (0, 3) else {})
        lines.append({4: "", 5: '{"text": ""}', 6: "cut {"}.get(kind, json.dumps(row)))
    return "\n".join(lines).encode()


def frames(content: bytes, count: int) -> bytes:
    """The content in zstd frames that end anywhere, with some that hold nothing between them."""
    cuts = [len(content) * number // count for number in range(count + 1)]
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    packed = [zstandard.compress(content[start:end]) for start, end in itertools.pairwise(cuts)]
    return skippable + (zstandard.compress(b"") + skippable).join(packed)


def text(paragraphs: int) -> str:
    ends = ["\n\n", "\n \n\n", "\r\n\r\n"]
    return "".join(f"{noise(number * 37 % 900 + 1)}\nline two{ends[number % 3]}" for number in range(paragraphs))


def stored(folder: Path, name: str) -> Path:
    rows = json_lines(400)
    path = folder / name
    if name.endswith(".parquet"):
        table = [{"text": noise(number % 40), "id": number // 2} for number in range(400)]
        pq.write_table(pa.Table.from_pylist(table), path, row_group_size=17)
    else:
        contents = {
            "a.jsonl": rows,
            "marked.jsonl": b"\xef\xbb\xbf" + rows,
            "wide.jsonl": rows.decode().encode("utf-16"),
            "a.jsonl.gz": gzip.compress(rows),
            "a.jsonl.zst": zstandard.compress(rows),
            "frames.jsonl.zst": frames(rows, 9),
            "a.txt": text(60).encode(),
            "marked.md": b"\xef\xbb\xbf" + text(60).encode() + b"caf\xe9",
            "one-paragraph.txt": noise(20_000).encode(),
        }
        path.write_bytes(contents[name])
    return path


NAMES = [
    "a.jsonl",
    "marked.jsonl",
    "wide.jsonl",
    "a.jsonl.gz",
    "a.jsonl.zst",
    "frames.jsonl.zst",
    "a.txt",
    "marked.md",
    "one-paragraph.txt",
    "a.parquet",
]
# They cannot be cut: an encoding that is not searched for line feeds, and a paragraph.
OF_ONE_PART = ("wide.jsonl", "one-paragraph.txt")


def listed(*paths: Path) -> Listing:
    return list_source("books", Source(files=tuple(map(str, paths))), seed=1, cache=None)


def through_json(part: Part) -> Part:
    return part_from_json(json.loads(json.dumps(part_to_json(part))))


@pytest.mark.parametrize("name", NAMES)
def test_parts_read_alone_in_any_order_give_what_the_whole_file_gives(tmp_path, name):
    listing = listed(stored(tmp_path, name))
    whole = list(read_part(next(whole_parts_of(listing))))
    assert len(whole) > 10
    parts = list(parts_of(listing, part_bytes=PART_BYTES))
    assert len(parts) == 1 if name in OF_ONE_PART else len(parts) > 5
    order = list(range(len(parts)))
    random.Random(5).shuffle(order)
    read = {number: list(read_part(through_json(parts[number]))) for number in order}
    assert [item for number in range(len(parts)) for item in read[number]] == whole


@pytest.mark.parametrize("part_bytes", [1, 2, 100, 1_000, 33_333, 10**9])
def test_no_size_of_the_parts_loses_or_doubles_a_row(tmp_path, part_bytes):
    for name in ("a.jsonl", "frames.jsonl.zst", "marked.md", "a.parquet"):
        listing = listed(stored(tmp_path, name))
        (whole,) = whole_parts_of(listing)
        parts = list(parts_of(listing, part_bytes=part_bytes))
        cut = [item for part in itertools.islice(parts, 3000) for item in read_part(part)]
        assert cut == list(read_part(whole))[: len(cut)]
        assert len(parts) > 3000 or len(cut) == len(list(read_part(whole)))


def test_a_part_of_a_packed_file_skips_at_most_six_times_its_length(tmp_path):
    for name, count in (("a.jsonl.zst", 1), ("frames.jsonl.zst", 40)):
        content = json_lines(4_000)
        (tmp_path / name).write_bytes(frames(content, count))
        parts = list(parts_of(listed(tmp_path / name), part_bytes=1_000))
        assert all(isinstance(part, FilePart) for part in parts)
        assert sum(min(part.length, 10**6) for part in parts[:-1]) < len(content)
        for part in parts[:-1]:
            assert part.skip <= 6 * part.length
            assert part.length <= max(1_000, part.skip / 6) + 400  # the longest line
        seeks = {part.seek for part in parts}
        assert len(seeks) == (1 if count == 1 else 40)


def test_rows_that_repeat_an_id_are_named_by_their_place_however_the_file_is_cut(tmp_path):
    listing = listed(stored(tmp_path, "a.parquet"))
    rejected: Counter = Counter()
    whole = list(documents_of(whole_parts_of(listing), rejected, where="here"))
    cut = list(documents_of(parts_of(listing, part_bytes=1_000), Counter(), where="here"))
    assert [document.id for document in whole[:3]] == ["a.parquet:0", "a.parquet:1", "a.parquet#4"]
    assert cut == whole
    assert rejected == {"empty text": 10}
    assert len({document.id for document in whole}) == len(whole)


def test_every_row_gives_one_item_with_its_place(tmp_path):
    items = list(read_part(next(whole_parts_of(listed(stored(tmp_path, "a.jsonl"))))))
    kinds = Counter(type(item).__name__ if isinstance(item, Document) else item.reason for item in items)
    assert kinds == {"Document": 229, "empty text": 57, "not JSON": 57}
    assert kinds.total() == sum(1 for line in json_lines(400).split(b"\n") if line)
    assert items[4] == Rejected("a.jsonl#6", "empty text")
    assert items[6] == Document("a.jsonl:0", noise(8), "a.jsonl#8")


def test_parts_do_not_depend_on_where_the_program_runs(tmp_path, monkeypatch):
    stored(tmp_path, "a.txt")
    monkeypatch.chdir(tmp_path)
    here = list(parts_of(listed(Path("a.txt")), part_bytes=PART_BYTES))
    monkeypatch.chdir("/")
    assert here == list(parts_of(listed(tmp_path / "a.txt"), part_bytes=PART_BYTES))
    assert list(read_part(here[3]))


@pytest.mark.parametrize("change", ["longer", "touched", "gone"])
def test_a_file_that_changes_after_it_was_listed_is_refused(tmp_path, change):
    path = stored(tmp_path, "a.jsonl")
    parts = list(parts_of(listed(path), part_bytes=PART_BYTES))
    if change == "longer":
        path.write_bytes(path.read_bytes() + b"\n")
    elif change == "touched":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    expected = "cannot be read: No such file" if change == "gone" else "has changed since this build began"
    with pytest.raises(BadInput, match=expected):
        list(read_part(parts[2]))


def test_a_file_is_looked_at_only_when_its_first_part_is_asked_for(tmp_path):
    stored(tmp_path, "a.jsonl")
    (tmp_path / "b.jsonl.zst").write_bytes(b"damaged")
    parts = parts_of(listed(tmp_path), part_bytes=PART_BYTES)
    assert next(parts).file.name == "a.jsonl"
    with pytest.raises(BadInput, match=r"b\.jsonl\.zst is cut off or damaged"):
        list(parts)


def test_the_missing_key_of_a_first_row_stops_only_the_part_that_holds_it(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"words": "a"}\n' * 100 + '{"text": "a"}\n' * 100)
    first, *others = parts_of(listed(path), part_bytes=500)
    with pytest.raises(BadInput, match="line 1 has no key 'text', only 'words'"):
        list(read_part(first))
    items = [item for part in others for item in read_part(part)]
    assert Counter(getattr(item, "reason", "kept") for item in items)["kept"] == 100


# Files of any content


@settings(max_examples=150, deadline=None)
@given(data=st.data(), part_bytes=st.integers(1, 60))
@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.zst", ".jsonl.gz", ".txt"])
def test_any_bytes_give_the_same_items_whole_and_in_parts(tmp_path_factory, ending, data, part_bytes):
    pieces = [b"\n", b"\r\n", b" ", b'{"text": "a"}', b'{"text": "b", "id": 1}', b"word " * 700, b"\xe9", b"\0", b"{"]
    pieces += [b"\xef\xbb\xbf", b"\xff\xfe", "caf\u00e9".encode()]
    content = b"".join(data.draw(st.lists(st.sampled_from(pieces), max_size=30)))
    if ending.endswith(".gz"):
        content = gzip.compress(content)
    if ending.endswith(".zst"):
        content = frames(content, data.draw(st.integers(1, 4)))
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    path.write_bytes(content)
    listing = listed(path)
    (whole,) = whole_parts_of(listing)
    expected = items_or_refusal([whole])
    assert items_or_refusal(parts_of(listing, part_bytes=part_bytes)) == expected


def test_blank_lines_before_a_text_are_no_part_of_their_own(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\n\n\xef\xbb\xbf")
    (whole,) = whole_parts_of(listed(path))
    assert items_or_refusal(parts_of(listed(path), part_bytes=1)) == items_or_refusal([whole])


def items_or_refusal(parts: Iterable[Part]) -> list | str:
    try:
        return [item for part in parts for item in read_part(part)]
    except BadInput as error:
        return str(error)


def test_damaged_files_of_every_kind_are_refused_or_read_and_never_crash(tmp_path):
    chance = random.Random(8)
    messages: list[str] = []
    read = 0
    for name in NAMES:
        whole = stored(tmp_path, name).read_bytes()
        for _ in range(40):
            damaged = bytearray(whole[: chance.choice([len(whole), chance.randrange(len(whole))])])
            for _ in range(chance.choice([0, 1, 5, 50])):
                if damaged:
                    damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            (tmp_path / name).write_bytes(damaged)
            try:
                items = [
                    item for part in parts_of(listed(tmp_path / name), part_bytes=20_000) for item in read_part(part)
                ]
            except BadInput as error:
                messages.append(str(error))
            else:
                read += 1
                # As many places as items: no row is lost or comes twice.
                assert len({item.place for item in items}) == len(items) > 0
    assert all("\n" not in message and str(tmp_path) in message for message in messages)
    assert min(len(messages), read) > 50


# Generators


@pytest.mark.parametrize(
    "source",
    [
        Source(generator="arithmetic"),
        Source(generator="arithmetic", arithmetic=ArithmeticSettings(digits=(1.0, 2.0), equations=7)),
        Source(generator="word-problems"),
        Source(generator="grammar"),
    ],
)
def test_parts_of_a_generator_go_on_for_ever_and_are_read_alone(source):
    listing = list_source("g", source, seed=3, cache=None)
    assert Listing.from_json(json.loads(json.dumps(listing.to_json()))).name == "g"
    (whole,) = whole_parts_of(listing)
    parts = list(itertools.islice(parts_of(listing, part_bytes=20_000), 4))
    read = [list(read_part(through_json(part))) for part in reversed(parts)]
    joined = [item for items in reversed(read) for item in items]
    assert joined == list(itertools.islice(read_part(whole), len(joined)))
    for items in read:
        assert 15_000 < sum(len(item.text) for item in items) < 25_000


def test_installed_documentation_is_cut_where_it_can_be_kept(tmp_path, monkeypatch):
    documents = [Document(f"doc-{number}", noise(number)) for number in range(60)]
    caches: list[Path | None] = []

    def installed(*, cache: Path | None):
        caches.append(cache)
        return iter(documents)

    monkeypatch.setattr(installed_docs, "installed_documents", installed)
    source = Source(generator="installed-docs")
    (only,) = parts_of(list_source("docs", source, seed=1, cache=None), part_bytes=1_000)
    assert list(read_part(only)) == documents
    parts = list(parts_of(list_source("docs", source, seed=1, cache=tmp_path), part_bytes=1_000))
    assert len(parts) > 5
    read = [list(read_part(through_json(part))) for part in parts]
    assert [item for items in read for item in items] == documents
    assert set(caches) == {None, tmp_path}
    elsewhere = part_from_json(part_to_json(parts[0]) | {"settings": {"packages": "others"}})
    with pytest.raises(BadInput, match="where other versions are installed"):
        read_part(elsewhere)


# Listings


def test_a_listing_survives_a_json_file(tmp_path):
    listing = listed(stored(tmp_path, "a.jsonl"), stored(tmp_path, "a.parquet"))
    assert Listing.from_json(json.loads(json.dumps(listing.to_json()))) == listing
    generated = list_source("g", Source(generator="grammar"), seed=3, cache=tmp_path)
    assert Listing.from_json(json.loads(json.dumps(generated.to_json()))) == generated


def test_what_an_index_keeps_of_files_does_not_depend_on_when_they_were_written(tmp_path):
    path = stored(tmp_path, "a.jsonl")
    record = listed(path).record()
    os.utime(path, ns=(1, 1))
    assert listed(path).record() == record
    assert record == {
        "origin": str(path),
        "licenses": [],
        "files": 1,
        "file_bytes": path.stat().st_size,
        "notes": [],
    }
