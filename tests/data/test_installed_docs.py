import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from smidgen.data import installed_docs
from smidgen.data.docstring_prose import readable
from smidgen.data.file_docstrings import TOPICS, file_docstrings, triple_quoted
from smidgen.data.installed_docs import documentation_versions, installed_documents
from smidgen.errors import BadInput

PROSE = {
    "apple": "The apple is a fruit that grows on a tree in the garden of the house, and it is eaten raw.",
    "boat": "A boat must be light enough to float on the water, or it will sink with all of the people in it.",
    "clock": "When the clock has been wound, the wheels turn at a speed that is set by the length of the rod.",
    "door": "The door of the shop can be opened only by those who have been given a key to it by the owner.",
}
LONG = " ".join(PROSE.values())


def write_package(site: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Lay out an installed distribution whose modules fail when they are imported."""
    information = site / f"{name}-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for path, text in {"__init__.py": "", **files}.items():
        target = site / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + "\nraise AssertionError('imported')\n")


def function(docstring: str, quotes: str = '"""') -> str:
    return f"def f():\n    {quotes}{docstring}{quotes}\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    write_package(folder, "smidgenfake", "1.0", {"a.py": function(LONG), "deep/b.py": function(LONG[90:])})
    write_package(folder, "smidgenother", "2.0", {"c.py": function(LONG[180:] + " " + PROSE["apple"])})
    monkeypatch.syspath_prepend(str(folder))
    return folder


def extract(*packages: str, **options: object) -> list[tuple[str, str]]:
    packages = packages or ("smidgenfake", "smidgenother")
    return [(d.id, d.text) for d in installed_documents(packages=packages, **{"workers": 1, **options})]


def test_each_file_gives_one_document_named_after_it_in_sorted_order(site: Path) -> None:
    documents = extract()
    assert [name for name, _ in documents] == [
        "smidgenfake/a.py#1",
        "smidgenfake/deep/b.py#1",
        "smidgenother/c.py#1",
    ]
    assert documents[0][1] == LONG + "\n"


def test_neither_the_order_of_the_packages_nor_the_number_of_workers_changes_the_documents(site: Path) -> None:
    expected = extract()
    assert len(expected) == 3
    assert extract("smidgenother", "smidgenfake", "smidgenother") == expected
    assert extract(workers=2) == expected
    assert extract(workers=5) == expected


def test_workers_that_cannot_be_started_cost_time_but_no_text(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = extract()
    monkeypatch.setattr(installed_docs, "WORKER", "raise SystemExit(3)")
    assert extract(workers=2) == expected
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert extract(workers=2) == expected


def test_workers_are_used_when_they_can_be_started(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = extract()

    def refuse(path: str) -> list[str]:
        raise AssertionError("the file was read in this process")

    monkeypatch.setattr(installed_docs, "file_docstrings", refuse)
    assert extract(workers=2) == expected


def test_a_file_keeps_its_id_when_others_are_added(site: Path) -> None:
    before = dict(extract())
    (site / "smidgenfake" / "aa.py").write_text(function(LONG[30:]))
    after = dict(extract())
    assert set(after) - set(before) == {"smidgenfake/aa.py#1"}
    assert before.items() <= after.items()


def test_a_docstring_that_another_file_has_is_dropped(site: Path) -> None:
    shouted = LONG.upper().replace(" ", "\n    ")
    (site / "smidgenother" / "d.py").write_text(function(shouted))
    assert "smidgenother/d.py#1" not in dict(extract())


def test_a_docstring_of_short_paragraphs_that_came_before_is_dropped_as_a_whole(site: Path) -> None:
    short = "\n\n    ".join(f"The {word} of it is the same as that of the other." for word in LONG.split()[:9])
    (site / "smidgenother" / "d.py").write_text(function(short) * 2)
    (text,) = [text for name, text in extract() if name == "smidgenother/d.py#1"]
    assert text == inspect.cleandoc(short) + "\n"


def test_a_long_paragraph_is_kept_once_and_the_rest_of_its_docstring_stays(site: Path) -> None:
    shared = f"{PROSE['boat']} {PROSE['door']}"
    own = "Whatever the weather may be, this paragraph is the only one of its kind in the whole of the world."
    (site / "smidgenother" / "d.py").write_text(function(f"{own * 3}\n\n    {shared}"))
    (site / "smidgenother" / "e.py").write_text(function(f"{own[9:] * 3}\n\n    {shared}"))
    documents = dict(extract())
    assert shared in documents["smidgenother/d.py#1"]
    assert documents["smidgenother/e.py#1"] == own[9:] * 3 + "\n"


def test_a_giant_file_is_cut_between_docstrings(site: Path) -> None:
    docstrings = [f"The number of this paragraph is {n}. " + LONG * 20 for n in range(11)]
    (site / "smidgenother" / "giant.py").write_text("".join(map(function, docstrings)))
    parts = [text for name, text in extract() if name.startswith("smidgenother/giant.py#")]
    assert len(parts) == 3
    assert "\n\n".join(part.rstrip("\n") for part in parts) == "\n\n".join(docstrings)


def test_files_with_little_text_and_files_of_tests_give_nothing(site: Path) -> None:
    (site / "smidgenother" / "little.py").write_text(function("The text of this file is too short to be of use."))
    (site / "smidgenother" / "tests").mkdir()
    (site / "smidgenother" / "tests" / "test_c.py").write_text(function("It is tested here. " + LONG))
    assert [name for name, _ in extract("smidgenother")] == ["smidgenother/c.py#1"]


def test_a_file_that_cannot_be_decoded_is_passed_over(site: Path) -> None:
    (site / "smidgenother" / "latin.py").write_bytes(function("\xe9t\xe9. " + LONG).encode("latin-1"))
    assert [name for name, _ in extract("smidgenother")] == ["smidgenother/c.py#1"]


def test_line_ends_of_other_systems_become_newlines(site: Path) -> None:
    text = function(f"{PROSE['boat']}   \n\n    {PROSE['clock']}\t\n    {PROSE['door']}")
    (site / "smidgenother" / "c.py").write_bytes(text.replace("\n", "\r\n").encode())
    assert extract("smidgenother")[0][1] == f"{PROSE['boat']}\n\n{PROSE['clock']}\n{PROSE['door']}\n"


# The cache


def test_the_second_call_reads_the_cache_and_not_the_files(site: Path, tmp_path: Path) -> None:
    first = extract(cache=tmp_path / "cache")
    for path in (site / "smidgenfake").glob("*.py"):
        path.unlink()
    assert extract(cache=tmp_path / "cache") == first
    assert extract(cache=None) != first


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "foreign"])
def test_a_damaged_cache_is_rebuilt(site: Path, tmp_path: Path, damage: str) -> None:
    first = extract(cache=tmp_path / "cache")
    (path,) = (tmp_path / "cache").iterdir()
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(
        {
            "empty": b"",
            "cut": whole[:half],
            "flipped": whole[:half] + bytes([whole[half] ^ 255]) + whole[half + 1 :],
            "foreign": installed_docs.zstandard.compress(b'{"name": 1}\n'),
        }[damage]
    )
    assert extract(cache=tmp_path / "cache") == first
    assert path.read_bytes() == whole


def test_a_new_version_of_a_package_or_of_the_extractor_makes_a_new_cache(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    extract(cache=cache)
    (site / "smidgenother-2.0.dist-info").rename(site / "smidgenother-2.1.dist-info")
    metadata = site / "smidgenother-2.1.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("2.0", "2.1"))
    extract(cache=cache)
    assert len(list(cache.iterdir())) == 2
    monkeypatch.setattr(installed_docs, "EXTRACTOR_VERSION", 0)
    extract(cache=cache)
    extract("smidgenother", cache=cache)
    assert len(list(cache.iterdir())) == 4


# Packages


def test_a_package_that_is_not_installed_is_left_out_of_versions_and_text(site: Path) -> None:
    versions = documentation_versions(["smidgenother", "smidgen-never-was", "smidgenfake"])
    assert versions == {"smidgenfake": "1.0", "smidgenother": "2.0"}
    assert extract("smidgenother", "smidgen-never-was") == extract("smidgenother")


def test_a_list_without_any_installed_package_is_an_error_that_names_it(site: Path) -> None:
    with pytest.raises(BadInput, match="smidgen-never-was"):
        extract("smidgen-never-was")


def test_a_dotted_name_is_refused_because_finding_it_would_import_its_parent() -> None:
    with pytest.raises(BadInput, match=r"'xml\.dom' is not the name of a distribution"):
        documentation_versions(["xml.dom"])


def test_no_package_is_imported_while_its_text_is_read(site: Path) -> None:
    names = ("networkx", "jinja2", "numpy", "torch")
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "from smidgen.data.installed_docs import installed_documents\n"
        "found = list(installed_documents(packages=['smidgenfake', 'jinja2', 'networkx'], workers=1))\n"
        f"print(len(found) > 100, [name for name in {names} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1) == ["True", "[]\n"]


def test_the_language_reference_is_read_chapter_by_chapter() -> None:
    path = Path(installed_docs._roots("python")[0][1], TOPICS)
    if not path.exists():
        pytest.skip("this Python comes without the topics of its help")
    chapters = file_docstrings(str(path))
    assert len(chapters) > 50
    assert any(chapter.startswith('The "assert" statement') for chapter in chapters)


# From a docstring to prose


def test_quotes_inside_comments_and_strings_open_nothing() -> None:
    source = f'# it\'s """ here\nx = "\'\'\'" + \'"""\'\n"""{PROSE["boat"]}"""\n# """\n'
    assert list(triple_quoted(source)) == [PROSE["boat"]]


def test_both_kinds_of_quotes_are_read_and_strings_inside_expressions_are_not() -> None:
    source = (
        f'def f():\n    r\'\'\'{PROSE["boat"]}\'\'\'\n    x = g("""{PROSE["clock"]}""")\n    f"""{PROSE["door"]}"""\n'
    )
    assert list(triple_quoted(source)) == [PROSE["boat"]]


def test_escapes_are_resolved_except_in_raw_strings() -> None:
    source = '"""one\\\n two \\\\alpha \\"three\\" \\d"""\nr"""one \\\\alpha"""\n'
    assert list(triple_quoted(source)) == ['one two \\alpha "three" \\d', "one \\\\alpha"]


@pytest.mark.parametrize(
    "block",
    [
        ">>> x = boat(3)\n>>> x\n3",
        "```python\nx = boat(3)\n\nprint(x)\n```",
        "Example::\n\n    x = boat(3)\n\n    print(x)",
        ".. code-block:: python\n   :linenos:\n\n   x = boat(3)",
        ".. math::\n\n    x = \\frac{boat}{3}",
        "Args:\n{boat}",
        "====  ====\n3.00  4.00\n5.25  6.50\n====  ====",
        "Licensed under the Apache License, Version 2.0; the boat is provided as it is.",
        "aGVsbG8gd29ybGQgYm9hdCBhZ2FpbiBhbmQgYWdhaW4" * 3,
        "Парусная лодка должна быть лёгкой.",
        "smidgen.boat.Boat\nsmidgen.boat.Oar",
    ],
)
def test_what_is_not_prose_is_cut_out_between_paragraphs(block: str) -> None:
    text = f"{PROSE['apple']}\n\n{block}\n\n{PROSE['door']}"
    assert readable(text) == f"{PROSE['apple']}\n\n{PROSE['door']}"


def test_parameter_lists_and_notes_stay_and_markup_goes() -> None:
    text = (
        "Row the boat to the other side of the lake, as :meth:`~smidgen.Boat.row` does.\n\n"
        "Parameters\n----------\noars : int\n    The number of oars, see `the guide <https://example.org>`_.\n\n"
        "Rowing is `slow`_ [1]_ or [fast](https://example.org), `a`, `_b`.\n\n"
        ".. note:: The boat must be ``light``.\n    It will sink.\n\n.. [1] A book about the boats of a lake"
    )
    assert readable(text) == (
        "Row the boat to the other side of the lake, as `smidgen.Boat.row` does.\n\n"
        "Parameters\noars : int\n    The number of oars, see the guide.\n\n"
        "Rowing is slow [1] or fast, `a`, `_b`.\n\n"
        "Note: The boat must be `light`.\n    It will sink.\n\n[1] A book about the boats of a lake"
    )


def test_a_template_of_code_is_not_english() -> None:
    template = "\n".join(f"value{n} tensor load offset{n} mask{n} store pointer{n}" for n in range(9))
    assert readable(template) == ""
    assert readable(f"{template}\nthe of to a") == ""


def test_the_documents_of_a_real_package_are_many_distinct_and_sorted() -> None:
    documents = list(installed_documents(packages=["networkx"], workers=1))
    names = [document.id for document in documents]
    assert len(set(names)) == len(names) > 100
    files = [name.partition("#")[0] for name in names]
    assert files == sorted(files)
    assert sum(len(document.text) for document in documents) > 500_000
    assert not [document.id for document in documents if ">>>" in document.text]
