import random

import numpy as np
import pytest

from smidgen.data.pipeline.part_file import COLUMNS, PartWriter, Rows, open_part_file


def rows(names: list[str], **changes) -> Rows:
    columns = {name: np.arange(len(names)).astype(dtype) for name, dtype in COLUMNS.items()}
    return Rows(names=names, columns={**columns, **changes})


def write(path, groups, token_type=np.uint16):
    with PartWriter(path) as writer:
        writer.code_of("empty text")
        for names, tokens in groups:
            writer.add(rows(names), np.array(tokens, dtype=token_type))
    return path


def test_rows_and_tokens_come_back(tmp_path):
    names = [["a:1", "\udc80 é"], [], ["b" * 300]]
    groups = list(zip(names, [[1, 2, 3], [], [65_535]], strict=True))
    table = open_part_file(write(tmp_path / "x" / "a.part", groups))
    assert table is not None
    assert [table.name(row) for row in range(len(table))] == ["a:1", "\udc80 é", "b" * 300]
    assert table.tokens.tolist() == [1, 2, 3, 65_535]
    assert table.reasons == ("empty text",)
    assert table.columns["digests"].tolist() == [0, 1, 0]
    assert table.token_ends.tolist() == [0, 1, 1]


def test_wide_tokens_and_hits_and_signatures_come_back(tmp_path):
    with PartWriter(tmp_path / "a.part") as writer:
        for first in (0, 100):
            some = rows(["x", "y"])
            some.signatures = np.full((2, 16), first, np.uint64)
            some.hits = {1: {"arc": {"7": first + 1}}}
            writer.add(some, np.array([70_000 + first], np.uint32))
    table = open_part_file(tmp_path / "a.part")
    assert table is not None
    assert table.tokens.tolist() == [70_000, 70_100]
    assert table.signatures[:, 0].tolist() == [0, 0, 100, 100]
    assert table.hits == {1: {"arc": {"7": 1}}, 3: {"arc": {"7": 101}}}


def test_a_part_without_rows_is_whole(tmp_path):
    table = open_part_file(write(tmp_path / "a.part", []))
    assert table is not None
    assert len(table) == 0


def test_a_damaged_part_file_counts_as_none(tmp_path):
    path = write(tmp_path / "a.part", [(["a", "b"], [1, 2, 3])])
    whole = path.read_bytes()
    chance = random.Random(3)
    for _ in range(200):
        place = chance.randrange(len(whole) - 8)
        # The last 8 bytes of the header mean nothing.
        place += 8 if place >= 56 else 0
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
        assert open_part_file(path) is None, place
        path.write_bytes(whole[: chance.randrange(len(whole))])
        assert open_part_file(path) is None
    assert open_part_file(tmp_path / "gone.part") is None


def test_an_error_leaves_nothing(tmp_path):
    def interrupted() -> None:
        with PartWriter(tmp_path / "a.part") as writer:
            writer.add(rows(["a"]), np.array([1], np.uint16))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert list(tmp_path.iterdir()) == []
