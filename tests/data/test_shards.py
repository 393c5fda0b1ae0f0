import hashlib
import os
import random
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.data.shards import HEADER, HEADER_BYTES, ShardWriter, open_shard
from smidgen.errors import BadInput, OutOfResources

FINGERPRINT = hashlib.sha256(b"a tokenizer").hexdigest()
END = 0


def writer(path: Path, vocab_size: int = 300) -> ShardWriter:
    return ShardWriter(path, vocab_size=vocab_size, end_of_text_id=END, tokenizer_fingerprint=FINGERPRINT)


def write_shard(path: Path, documents: list[list[int]], vocab_size: int = 300) -> Path:
    with writer(path, vocab_size) as shard:
        for number, ids in enumerate(documents):
            shard.add(ids, 3 + number)
    return path


def some_documents(count: int = 11) -> list[list[int]]:
    chance = random.Random(count)
    return [[chance.randrange(1, 300) for _ in range(chance.randrange(1, 30))] for _ in range(count)]


def open_any(path: Path, verify: bool = True):
    return open_shard(path, tokenizer_fingerprint=None, verify=verify)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 299), max_size=9), max_size=7),
    st.sampled_from([300, 65_535, 65_536, 100_000]),
)
def test_documents_come_back_as_they_were_written(tmp_path_factory, documents, vocab_size):
    path = write_shard(tmp_path_factory.getbasetemp() / "round-trip.bin", documents, vocab_size)
    shard = open_shard(path, tokenizer_fingerprint=FINGERPRINT)
    assert [shard.document(number).tolist() for number in range(len(documents))] == documents
    assert shard.tokens.tolist() == [token for ids in documents for token in [*ids, END]]
    assert shard.tokens.dtype == (np.uint16 if vocab_size <= 65_535 else np.uint32)
    assert shard.document_bytes.tolist() == [3 + number for number in range(len(documents))]
    assert shard.text_bytes == sum(shard.document_bytes.tolist())
    assert (shard.vocab_size, shard.tokenizer_fingerprint) == (vocab_size, FINGERPRINT)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.lists(st.integers(0, 299), max_size=5), max_size=4), max_size=4))
def test_documents_at_once_are_written_as_one_by_one(tmp_path_factory, groups):
    folder = tmp_path_factory.getbasetemp()
    one_by_one = write_shard(folder / "one-by-one.bin", [ids for group in groups for ids in group])
    with writer(folder / "at-once.bin") as shard:
        for group in groups:
            first = 3 + shard.documents
            ids = np.array([token for ids in group for token in ids], dtype=np.uint16)
            counts = np.array(list(map(len, group)), dtype=np.int64)
            shard.add_all(ids, counts, np.arange(first, first + len(group)))
    assert (folder / "at-once.bin").read_bytes() == one_by_one.read_bytes()


def test_a_wrong_id_among_many_documents_is_named_with_its_document(tmp_path):
    with writer(tmp_path / "a.bin") as shard:
        shard.add([1], 3)
        with pytest.raises(BadInput, match="token id 300 in document 4 of"):
            shard.add_all(np.array([1, 2, 300, 301]), np.array([2, 0, 1, 1]), np.array([3, 3, 3, 3]))
        assert (shard.documents, shard.tokens) == (1, 2)


def test_a_shard_is_a_pure_function_of_its_documents(tmp_path):
    one = write_shard(tmp_path / "one.bin", some_documents())
    other = write_shard(tmp_path / "other.bin", some_documents())
    assert one.read_bytes() == other.read_bytes()


def test_largest_ids_survive_in_both_widths(tmp_path):
    for vocab_size in (65_535, 65_536, 65_537, 70_000):
        path = write_shard(tmp_path / "a.bin", [[vocab_size - 1, 1]], vocab_size)
        assert open_any(path).document(0).tolist() == [vocab_size - 1, 1]


@pytest.mark.parametrize("wrong", [300, 65_536, -1, 2**40])
def test_an_id_outside_the_vocabulary_is_refused_at_writing(tmp_path, wrong):
    path = tmp_path / "a.bin"
    with pytest.raises(BadInput, match=f"token id {wrong} in document 2 of .*a.bin is outside the vocabulary of 300"):
        write_shard(path, [[1, 2], [3, wrong]])
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_visible_before_the_shard_is_complete(tmp_path):
    path = tmp_path / "a.bin"
    with writer(path) as shard:
        shard.add([1, 2, 3], 3)
        assert not path.exists()
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin"]


def test_an_error_leaves_the_old_shard_and_nothing_beside_it(tmp_path):
    path = write_shard(tmp_path / "a.bin", some_documents())
    before = path.read_bytes()
    with pytest.raises(BadInput):
        write_shard(path, [[1], [999]])
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("room_bytes", [0, 100, 4_096, 1_500_000, 2_999_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, room_bytes):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, hard))
    try:
        with pytest.raises(OutOfResources, match=r"no space left on the disk while writing .*a\.bin"):
            write_shard(tmp_path / "a.bin", [[5] * 100_000] * 15)  # 3,000,000 bytes of tokens
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_400_corruptions_are_all_refused_with_the_name_of_the_file(tmp_path):
    path = write_shard(tmp_path / "a.bin", some_documents(40))
    whole = path.read_bytes()
    open_any(path)
    for damaged in corruptions(whole, random.Random(5)):
        assert damaged != whole
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match=r"a\.bin"):
            open_any(path)


def corruptions(whole: bytes, chance: random.Random):
    flips = [*range(0, HEADER_BYTES * 8, 21), *(chance.randrange(len(whole) * 8) for _ in range(200))]
    for bit in flips:
        yield whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :]
    yield from (whole[: chance.randrange(len(whole))] for _ in range(60))
    yield from (whole + os.urandom(chance.randrange(1, 40)) for _ in range(30))
    for _ in range(30):
        start = chance.randrange(len(whole) - 8)
        tail = whole[start:]
        yield whole[:start] + (bytes(len(tail)) if tail.strip(b"\0") else b"\1" * len(tail))


def test_header_and_length_are_checked_even_without_verifying(tmp_path):
    path = write_shard(tmp_path / "a.bin", some_documents())
    whole = path.read_bytes()
    for damaged, expected in (
        (b"", "does not begin with the header of a shard"),
        (b"NOTASHRD" + whole[8:], "does not begin with the header of a shard"),
        (whole[:20] + b"\7" + whole[21:], "its header has changed"),
        (whole[:-1], f"it has {len(whole) - 1} bytes instead of {len(whole)}"),
        (whole + b"\0", f"it has {len(whole) + 1} bytes instead of {len(whole)}"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match=expected):
            open_any(path, verify=False)


def sealed_again(header: bytes, content: bytes) -> bytes:
    """The file of a program that computes hashes well and everything else wrongly."""
    digest = hashlib.sha256(content).digest()
    header = header[: HEADER.size - 80 - 32] + digest + header[HEADER.size - 80 :]
    return header + hashlib.sha256(header).digest() + content


def test_a_file_with_good_hashes_and_bad_content_is_refused(tmp_path):
    path = write_shard(tmp_path / "a.bin", [[1, 2], [3, 4, 5]])
    header, content = path.read_bytes()[: HEADER.size], path.read_bytes()[HEADER_BYTES:]
    path.write_bytes(sealed_again(header, content))
    open_any(path)
    too_large_id = (999).to_bytes(2, "little") + content[2:]
    wrong_table = content[:-16] + (0).to_bytes(8, "little") + content[-8:]
    for damaged, expected in (
        (too_large_id, "ids outside its vocabulary of 300"),
        (wrong_table, "table of documents"),
    ):
        path.write_bytes(sealed_again(header, damaged))
        with pytest.raises(BadInput, match=expected):
            open_any(path)
    newer = header[:8] + (2).to_bytes(4, "little") + header[12:]
    path.write_bytes(sealed_again(newer, content))
    with pytest.raises(BadInput, match="shard of version 2 and this program reads 1"):
        open_any(path)


def test_a_shard_of_another_tokenizer_is_refused(tmp_path):
    path = write_shard(tmp_path / "a.bin", some_documents())
    with pytest.raises(BadInput, match=f"made with the tokenizer {FINGERPRINT[:12]}, and this one is abcabcabcabc"):
        open_shard(path, tokenizer_fingerprint="abc" * 21 + "a")


def test_a_missing_shard_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"gone\.bin cannot be read: No such file"):
        open_any(tmp_path / "gone.bin")


def test_what_cannot_be_a_header_is_refused_at_writing(tmp_path):
    with pytest.raises(BadInput, match="end-of-text id 300 must lie in the vocabulary of 300"):
        ShardWriter(tmp_path / "a.bin", vocab_size=300, end_of_text_id=300, tokenizer_fingerprint=FINGERPRINT)
    with pytest.raises(ValueError, match="64 hex digits"):
        ShardWriter(tmp_path / "a.bin", vocab_size=300, end_of_text_id=0, tokenizer_fingerprint="abcd")
