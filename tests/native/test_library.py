import os
import stat

import pytest

from smidgen.native import library
from smidgen.native.library import Unavailable, load_library

SOURCE = 'extern "C" int answer() { return 42; }\n'


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "answer.cpp"
    path.write_text(SOURCE)
    return path


def test_a_source_is_compiled_once(source, tmp_path, monkeypatch):
    assert load_library(source, tmp_path / "cache").answer() == 42
    monkeypatch.setattr(library, "_compile", lambda *_: pytest.fail("it was compiled before"))
    assert load_library(source, tmp_path / "cache").answer() == 42


def test_a_changed_source_is_compiled_anew(source, tmp_path):
    load_library(source, tmp_path / "cache")
    source.write_text(SOURCE.replace("42", "43"))
    assert load_library(source, tmp_path / "cache").answer() == 43
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_changed_header_compiles_anew(source, tmp_path, monkeypatch):
    monkeypatch.setattr(library, "HEADERS", tmp_path)
    header = tmp_path / "answer.h"
    source.write_text(f'#include "{header}"\n' + SOURCE.replace("42", "ANSWER"))
    for answer in (42, 43):
        header.write_text(f"#define ANSWER {answer}\n")
        assert load_library(source, tmp_path / "cache").answer() == answer


def test_an_error_of_the_compiler_is_one_sentence(source, tmp_path):
    source.write_text("this is not C++")
    with pytest.raises(Unavailable, match="could not compile answer") as caught:
        load_library(source, tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_machine_without_compiler_is_told_so(source, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="no C\\+\\+ compiler"):
        load_library(source, tmp_path / "cache")


def test_a_folder_that_cannot_be_written_is_one_sentence(source, tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(Unavailable, match="could not be compiled"):
        load_library(source, tmp_path / "cache")


def test_a_compiler_that_does_not_run_is_one_sentence(source, tmp_path, monkeypatch):
    broken = tmp_path / "bin" / "g++"
    broken.parent.mkdir()
    broken.write_text("not a program")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", os.fspath(broken.parent))
    with pytest.raises(Unavailable, match="does not run"):
        load_library(source, tmp_path / "cache")
