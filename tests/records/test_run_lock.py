import fcntl
import os

import pytest

from smidgen.errors import BadInput
from smidgen.records.run_lock import LOCK_NAME, only_process


def test_a_second_holder_is_told_who_the_first_is(tmp_path):
    with (
        only_process(tmp_path),
        pytest.raises(BadInput, match=rf"in use by another process \(pid {os.getpid()}\), and two"),
        only_process(tmp_path),
    ):
        pass


def test_the_folder_is_free_afterwards_even_after_an_error(tmp_path):
    def fail() -> None:
        with only_process(tmp_path):
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    with only_process(tmp_path):
        assert (tmp_path / LOCK_NAME).read_text() == f"{os.getpid()}\n"


def test_a_file_system_without_locks_is_used_without(tmp_path, monkeypatch):
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with only_process(tmp_path):
        assert (tmp_path / LOCK_NAME).is_file()
