import pytest

from smidgen.records import atomic, manifest


@pytest.fixture
def sealed(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(range(200)))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.bin").write_bytes(b"b" * 50)
    manifest.seal(tmp_path)
    return tmp_path


def test_an_untouched_folder_has_no_damage(sealed):
    assert manifest.damage(sealed) == []


@pytest.mark.parametrize("position", range(0, 200, 7))
def test_every_flipped_bit_is_noticed(sealed, position):
    content = bytearray((sealed / "a.bin").read_bytes())
    content[position] ^= 1 << (position % 8)
    (sealed / "a.bin").write_bytes(content)
    assert manifest.damage(sealed) == ["a.bin has changed"]


def test_truncated_and_missing_files_are_named(sealed):
    (sealed / "a.bin").write_bytes(b"short")
    (sealed / "deep" / "b.bin").unlink()
    assert manifest.damage(sealed) == ["a.bin has 5 bytes instead of 200", "deep/b.bin is missing"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a.bin": 3}', '{"a.bin": {}}', "\x00"])
def test_a_broken_list_is_damage_itself(sealed, content):
    (sealed / manifest.FILES_NAME).write_text(content)
    assert manifest.damage(sealed)


def test_a_tree_is_verified_with_all_the_folders_sealed_in_it(sealed, tmp_path):
    run_files = {"deep/b.bin": manifest.file_entries(sealed)["deep/b.bin"]}
    atomic.write_json(tmp_path / manifest.RUN_MANIFEST_NAME, {"files": run_files})
    assert manifest.verify_tree(tmp_path) == (2, [])
    (sealed / "deep" / "b.bin").write_bytes(b"x" * 50)
    assert manifest.verify_tree(tmp_path) == (2, ["deep/b.bin has changed"])


def test_nothing_to_verify_is_told_apart_from_nothing_wrong(tmp_path):
    assert manifest.verify_tree(tmp_path) == (0, [])
