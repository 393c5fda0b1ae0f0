import sqlite3
import subprocess
import sys

import pytest

from smidgen.errors import BadInput
from smidgen.lab.registry import Registry

ADD_MANY = """
import sys
from pathlib import Path
from smidgen.lab.registry import Registry

for number in range(12):
    record = {"model": f"{sys.argv[2]}-{number}", "scores": {}, "items": [{"task": "x", "item": str(number)}] * 300}
    Registry(Path(sys.argv[1])).add(record)
    Registry(Path(sys.argv[1])).add({"model": "shared", "scores": {}, "number": number})
"""


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "deep" / "scores.sqlite")


def test_a_record_comes_back_as_it_was_added(registry, content):
    made = content("alpha", arc_easy=[1, 0, 0.5], wikitext=[(1.25, 7, 3, 4), (9.0, 5, 2, 3)])
    assert registry.record(registry.add(made)) == made


def test_the_same_record_is_stored_once(registry, content):
    made = content("alpha", blimp=[1, 0])
    assert registry.add(made) == registry.add(dict(reversed(made.items())))
    assert len(registry.rows()) == 1


def test_rows_come_newest_first_with_scores_and_no_items(registry, content):
    for name in ("alpha", "beta"):
        registry.add(content(name, blimp=[1, 0, 1, 1]))
    first, second = registry.rows()
    assert (first["model"], second["model"]) == ("beta", "alpha")
    assert first["scores"]["blimp"]["acc"]["value"] == 0.75
    assert first["parameters"] == 1_234_567
    assert "items" not in first


def test_a_registry_that_is_not_there_is_empty_and_stays_away(registry):
    assert registry.rows() == []
    assert not registry.path.exists()


def test_an_unknown_number_is_refused(registry, content):
    with pytest.raises(BadInput, match="holds no record 7"):
        registry.record(7)
    registry.add(content("alpha", blimp=[1, 0]))
    with pytest.raises(BadInput, match="holds no record 7"):
        registry.record(7)


def test_many_processes_may_write_at_once(registry):
    command = [sys.executable, "-c", ADD_MANY, str(registry.path)]
    writers = [
        subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True)
        for name in ("one", "two", "three", "four")
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=100)
        assert writer.returncode == 0, errors
    rows = registry.rows()
    assert len(rows) == 4 * 12 + 12
    assert {row["model"] for row in rows} >= {"one-0", "two-5", "three-7", "four-11", "shared"}


def test_a_file_that_is_no_database_is_refused_and_left_alone(registry, content):
    registry.path.parent.mkdir()
    registry.path.write_text("my shopping list, which is long enough to be read as a header of a database " * 9)
    before = registry.path.read_bytes()
    for action in (registry.rows, lambda: registry.add(content("alpha", blimp=[1, 0])), lambda: registry.record(1)):
        with pytest.raises(BadInput, match=r"scores.sqlite is damaged or no registry"):
            action()
    assert registry.path.read_bytes() == before


def test_a_cut_file_is_refused(registry, content):
    for number in range(40):
        registry.add(content(f"model{number}", blimp=[1, 0, number] * 100))
    whole = registry.path.read_bytes()
    registry.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="damaged or no registry"):
        registry.rows()


def test_a_record_changed_on_the_disk_is_noticed(registry, content):
    number = registry.add(content("alpha", blimp=[1, 0]))
    other = registry.add(content("beta", blimp=[1, 1]))
    with sqlite3.connect(registry.path) as connection:
        connection.execute(
            "UPDATE records SET content = (SELECT content FROM records WHERE id = ?) WHERE id = ?", (other, number)
        )
    connection.close()
    with pytest.raises(BadInput, match="does not have its hash"):
        registry.record(number)


def test_a_newer_registry_is_left_to_a_newer_version(registry, content):
    registry.add(content("alpha", blimp=[1, 0]))
    with sqlite3.connect(registry.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BadInput, match=r"newer smidgen \(schema 99, this one knows 1\)"):
        registry.add(content("beta", blimp=[1, 0]))


def test_a_folder_in_its_place_is_refused(registry, content):
    registry.path.mkdir(parents=True)
    with pytest.raises(BadInput, match="cannot be used"):
        registry.add(content("alpha", blimp=[1, 0]))


def test_a_file_where_its_folder_should_be_is_refused(registry, content):
    registry.path.parent.write_text("")
    with pytest.raises(BadInput, match="cannot be used"):
        registry.add(content("alpha", blimp=[1, 0]))
