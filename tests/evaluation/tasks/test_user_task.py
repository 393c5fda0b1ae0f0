import gzip
import json
import re
from pathlib import Path

import pytest

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.user_task import open_user_task

PAGE = Path(__file__).parents[3] / "docs" / "own-task.md"
ROWS = [
    {"q": "How many legs has a hen?", "options": ["4", "2", "6"], "right": "2", "kind": "birds", "first": "x"},
    {"q": "How many legs has an ant?", "options": ["4", "2", "6"], "right": "6", "kind": "insects", "first": "y"},
]
DESCRIPTION = {
    "name": "legs",
    "file": "legs.jsonl",
    "context": "Q: {q}\nA:",
    "endings": "options",
    "label": "right",
}


@pytest.fixture
def write(tmp_path):
    """A description and its lines as files; a value of None leaves a key out."""

    def make(rows=ROWS, **changes):
        content = {key: value for key, value in (DESCRIPTION | changes).items() if value is not None}
        path = tmp_path / "legs.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in content.items()))
        lines = rows if isinstance(rows, bytes) else "".join(json.dumps(row) + "\n" for row in rows).encode()
        name = content.get("file", "legs.jsonl")
        (tmp_path / name).write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
        return path

    return make


def refusal(path):
    with pytest.raises(BadInput) as refused:
        open_user_task(path)
    message = str(refused.value)
    assert "\n" not in message
    return message


# What can be asked


def test_a_choice_is_asked_as_described(write):
    task = open_user_task(write(group="kind", metric="acc_norm"))
    assert (task.name, task.metrics, task.jointly) == ("legs", ("acc_norm", "acc", "acc_bytes"), True)
    first, second = task.items
    assert first.pairs() == [("Q: How many legs has a hen?\nA:", f" {number}") for number in (4, 2, 6)]
    assert (first.texts, first.labels, first.groups, first.key) == (("4", "2", "6"), (1,), ("birds",), "1")
    assert (second.labels, second.groups, second.key) == ((2,), ("insects",), "2")
    assert task.baselines == {"chance": pytest.approx(1 / 3)}
    assert task.files.keys() == {"legs.toml", "legs.jsonl"}


@pytest.mark.parametrize(("label", "index"), [(0, 0), (2, 2), ("A", 0), ("c", 2), ("6", 2), ("1", 1), ("2", 1)])
def test_a_label_is_an_index_a_letter_or_the_text(write, label, index):
    rows = [ROWS[0] | {"right": label}]
    assert open_user_task(write(rows)).items[0].labels == (index,)


def test_equal_endings_are_right_together(write):
    assert open_user_task(write([ROWS[0] | {"options": ["2", "4", "2"]}])).items[0].labels == (0, 2)


def test_endings_may_be_templates_and_the_delimiter_another(write):
    rows = [{"q": "?", "one": "left", "two": 3, "gold": 1}]
    task = open_user_task(write(rows, endings=["the {one}", "{{{two}}}"], label="gold", delimiter="\n"))
    assert task.items[0].endings == ("\nthe left", "\n{3}")
    assert task.items[0].texts == ("the left", "{3}")


def test_a_completion_has_one_text_that_must_follow(write):
    for endings in ("right", ["{right}"]):
        task = open_user_task(write(endings=endings, label=None, completion=True, group="kind"))
        assert task.metrics == ("acc",)
        item = task.items[1]
        assert (item.context, item.continuation) == ("Q: How many legs has an ant?\nA:", " 6")
        assert item.groups == ("insects",)


def test_a_gzipped_file_and_blank_lines_and_a_byte_order_mark_are_read(write):
    lines = b"\xef\xbb\xbf" + json.dumps(ROWS[0]).encode() + b"\r\n\r\n" + json.dumps(ROWS[1]).encode()
    task = open_user_task(write(lines, file="legs.jsonl.gz"))
    assert [item.key for item in task.items] == ["1", "3"]


def test_a_limit_takes_the_first_lines(write):
    assert [item.key for item in open_user_task(write(ROWS * 3), limit=4).items] == ["1", "2", "3", "4"]


# What is refused, each with one sentence


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labl": "right", "label": None}, "unknown key labl; did you mean label?"),
        ({"context": None}, "context is missing"),
        ({"label": None}, "label is missing: the field that says which ending is right"),
        ({"metric": "accnorm"}, "did you mean acc_norm?"),
        ({"name": "my legs"}, "name 'my legs' must be"),
        ({"endings": 3}, "endings="),
        ({"endings": ["{q}"]}, "1 templates; a choice needs two"),
        ({"completion": True}, "a completion has no label"),
        ({"completion": True, "label": None, "endings": ["{q}", "{right}"]}, "a completion one"),
        ({"context": "{q"}, "write {{ and }} for braces"),
        ({"context": "{}"}, "expected plain field names"),
        ({"context": "{0}"}, "expected plain field names"),
        ({"context": "{q.real}"}, "expected plain field names"),
        ({"context": "{q!r}"}, "expected plain field names"),
        ({"context": "{q:>9}"}, "expected plain field names"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(write, changes, message):
    given = refusal(write(**changes))
    assert "legs.toml: " in given
    assert message in given


def test_a_description_that_cannot_be_read_is_refused(tmp_path, write):
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "absent.toml")
    path = write()
    path.write_text("name = legs")
    assert "is not valid TOML" in refusal(path)
    path.write_bytes(b'name = "caf\xe9"')
    assert "legs.toml is not UTF-8 text (byte 11)" in refusal(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"right": 3}, "label (field right) is 3; expected an index from 0 to 2, a letter from A to C, or the text"),
        ({"right": -1}, "label (field right) is -1"),
        ({"right": "D"}, "label (field right) is 'D'"),
        ({"right": "seven"}, "label (field right) is 'seven'"),
        ({"right": True}, "label (field right) is True"),
        ({"right": None}, "label (field right) is None"),
        ({"options": ["4", "", "6"]}, "ending 2 is empty"),
        ({"options": ["4", "2", " "]}, "ending 3 is empty"),
        ({"options": ["2"]}, "holds 1 of the at least two endings"),
        ({"options": "2"}, "field options) holds '2'; expected a list of texts"),
        ({"options": ["2", ["4"]]}, "holds ['4']; expected text or a number"),
        ({"q": {"en": "How?"}}, "field q holds {'en': 'How?'}; expected text or a number"),
        ({"q": "\ud800"}, "half of a surrogate pair"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(write, change, message):
    given = refusal(write([ROWS[0], ROWS[1] | change]))
    assert "legs.jsonl, line 2: " in given
    assert message in given


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"context": "{Q}: {kindd}"}, "is missing; "),
        ({"label": "rigth"}, "field rigth is missing; did you mean right?"),
        ({"endings": "option"}, "field option is missing; did you mean options?"),
        ({"endings": ["{first}", "{frist}"], "label": "q"}, "field frist is missing; did you mean first?"),
        ({"group": "kin"}, "field kin is missing; did you mean kind?"),
    ],
)
def test_an_absent_field_is_refused_with_the_nearest(write, changes, message):
    given = refusal(write(**changes))
    assert "legs.jsonl, line 1: " in given
    assert message in given


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b"", "is empty; expected one JSON object per line"),
        (b"\n\n", "is empty"),
        (b'{"q": 1}\n{"q": ', "line 2 is not valid JSON"),
        (b"[1, 2]\n", "line 1 holds a list; expected a JSON object"),
        (b'{"q": "caf\xe9"}\n', "line 1 is not UTF-8 text"),
        (b"[" * 100_000, "line 1 is not valid JSON"),
    ],
)
def test_a_file_of_lines_that_cannot_be_read_is_refused(write, lines, message):
    rows = [dict(ROWS[0], q=1)] if lines.startswith(b'{"q": 1}') else []
    first = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert message in refusal(write(first + lines.removeprefix(b'{"q": 1}\n')))


def test_a_damaged_or_absent_file_is_refused(write, tmp_path):
    path = write(file="legs.jsonl.gz")
    packed = tmp_path / "legs.jsonl.gz"
    packed.write_bytes(packed.read_bytes()[:-9])
    assert "is no complete gzip file" in refusal(path)
    packed.write_bytes(b"plain text")
    assert "is no complete gzip file" in refusal(path)
    packed.unlink()
    assert "legs.jsonl.gz cannot be read (No such file or directory)" in refusal(path)


# The page


def test_the_example_of_the_page_runs(tmp_path):
    text = PAGE.read_text("utf-8")
    (lines,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    choice, completion = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "capitals.jsonl").write_text(lines)
    (tmp_path / "capitals.toml").write_text(choice)
    (tmp_path / "capitals-written.toml").write_text(completion)
    task = open_user_task(tmp_path / "capitals.toml")
    assert [(item.contexts[0], item.endings[item.labels[0]], item.groups) for item in task.items] == [
        ("Question: What is the capital of France?\nAnswer:", " Paris", ("Europe",)),
        ("Question: What is the capital of Peru?\nAnswer:", " Lima", ("America",)),
    ]
    written = open_user_task(tmp_path / "capitals-written.toml")
    assert written.items[0].context == "What is the capital of France? The answer is"
    assert written.items[0].continuation == " Paris"


def test_the_page_names_every_key():
    from dataclasses import fields

    from smidgen.evaluation.tasks.user_task import UserTask

    assert re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE) == [f.name for f in fields(UserTask)]
