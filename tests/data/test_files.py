from pathlib import Path

import pytest

from smidgen.data.files import local_files
from smidgen.errors import BadInput


def names(*paths: Path | str) -> list[str]:
    return [file.name for file in local_files([str(path) for path in paths])]


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_folders_are_read_in_order_of_name_at_any_depth_without_hidden_and_other_files(tmp_path):
    for name in ("b.txt", "a/z.md", "a/b/c.txt", ".hidden.txt", ".git/x.txt", "picture.png", "C.TXT"):
        written(tmp_path / name, name.encode())
    assert names(tmp_path) == ["C.TXT", "a/b/c.txt", "a/z.md", "b.txt"]


def test_patterns_are_sorted_and_name_files_below_their_fixed_part(tmp_path):
    for name in ("books/b.txt", "books/a/c.txt", "books/a.md"):
        written(tmp_path / name, name.encode())
    assert names(tmp_path / "books/**/*.txt") == ["a/c.txt", "b.txt"]


def test_a_file_given_twice_is_read_once(tmp_path):
    path = written(tmp_path / "a.txt", b"one")
    assert names(path, tmp_path, tmp_path / "*.txt") == ["a.txt"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    assert names(written(tmp_path / "a[1].txt", b"one")) == ["a[1].txt"]


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
            names(tmp_path / path)
    with pytest.raises(BadInput, match="no file was named"):
        names()
