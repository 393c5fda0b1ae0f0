import errno
import os

import pytest

from smidgen.errors import OutOfResources
from smidgen.records import atomic


def disk_is_full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_directory_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "result"
    with atomic.atomic_directory(target) as folder:
        (folder / "a.txt").write_text("a")
        assert not target.exists()
    assert (target / "a.txt").read_text() == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_an_error_leaves_no_trace_of_a_directory(tmp_path):
    def write_and_fail() -> None:
        with atomic.atomic_directory(tmp_path / "result") as folder:
            (folder / "a.txt").write_text("a")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_directory_is_never_overwritten(tmp_path):
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "mine").write_text("keep")
    with pytest.raises(FileExistsError), atomic.atomic_directory(tmp_path / "result"):
        pass
    assert (tmp_path / "result" / "mine").read_text() == "keep"


def test_what_a_killed_write_left_behind_is_swept_away(tmp_path):
    (tmp_path / f"{atomic.TEMPORARY_PREFIX}result-abc").mkdir()
    (tmp_path / f"{atomic.TEMPORARY_PREFIX}other-abc").mkdir()
    with atomic.atomic_directory(tmp_path / "result"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"result", f"{atomic.TEMPORARY_PREFIX}other-abc"}


def test_a_full_disk_keeps_the_old_file_and_says_so(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    atomic.write_json(path, {"step": 1})
    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(OutOfResources, match=r"no space left .*state\.json"):
        atomic.write_json(path, {"step": 2})
    assert path.read_text() == '{\n  "step": 1\n}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_a_full_disk_keeps_no_half_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(OutOfResources), atomic.atomic_directory(tmp_path / "result") as folder:
        (folder / "a.txt").write_text("a")
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_the_system_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), atomic.disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_json_cannot_hold_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        atomic.write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not (tmp_path / "x.json").exists()
