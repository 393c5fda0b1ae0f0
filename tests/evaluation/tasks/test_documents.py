import gzip
import hashlib
import importlib.util
import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.catalogue import BENCHMARKS, open_task, why_not
from smidgen.evaluation.tasks.documents import EvalData

from .tiny_documents import TINY_DOCUMENTS


def as_lines(rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def put(folder, name: str, content: bytes):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_blimp(folder, *, without: tuple[str, ...] = ()) -> None:
    for name in BENCHMARKS["blimp"].configs:
        if name not in without:
            rows = [row | {"UID": name} for row in TINY_DOCUMENTS["blimp"]]
            put(folder, f"blimp/{name}.jsonl", as_lines(rows))


def open_piqa(folder):
    return open_task("piqa", EvalData(folder))


@pytest.mark.parametrize("name", sorted(set(BENCHMARKS) - {"blimp"}))
def test_every_benchmark_opens_from_its_preferred_file(name, tmp_path):
    file = put(tmp_path, f"{BENCHMARKS[name].files[0]}.jsonl", as_lines(TINY_DOCUMENTS[name]))
    assert why_not(name, EvalData(tmp_path)) == ""
    task = open_task(name, EvalData(tmp_path))
    place = file.relative_to(tmp_path).as_posix()
    assert [item.key for item in task.items] == [str(number) for number in range(len(TINY_DOCUMENTS[name]))]
    assert task.source == f"local file {place}"
    assert task.files == {place: hashlib.sha256(file.read_bytes()).hexdigest()}


def test_plain_gzipped_and_parquet_files_give_the_same_items(tmp_path):
    rows = TINY_DOCUMENTS["arc_easy"]
    put(tmp_path, "plain/arc_easy/test.jsonl", as_lines(rows))
    put(tmp_path, "packed/arc_easy/test.jsonl.gz", gzip.compress(as_lines(rows)))
    (tmp_path / "columns/arc_easy").mkdir(parents=True)
    pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "columns/arc_easy/test.parquet")
    plain, packed, columns = (
        open_task("arc_easy", EvalData(tmp_path / kind)).items for kind in ("plain", "packed", "columns")
    )
    assert plain == packed == columns
    assert len(plain) == 2


def test_a_file_that_stands_in_for_another_split_says_so(tmp_path):
    put(tmp_path, "sciq/validation.jsonl", as_lines(TINY_DOCUMENTS["sciq"]))
    assert open_task("sciq", EvalData(tmp_path)).source == "local file sciq/validation.jsonl (validation, not test)"
    put(tmp_path, "sciq/test.jsonl", as_lines(TINY_DOCUMENTS["sciq"][:1]))
    task = open_task("sciq", EvalData(tmp_path))
    assert (task.source, len(task.items)) == ("local file sciq/test.jsonl", 1)


def test_all_sets_of_blimp_are_read_and_counted(tmp_path):
    put_blimp(tmp_path)
    task = open_task("blimp", EvalData(tmp_path))
    assert (len(task.items), len(task.files)) == (134, 67)
    assert task.items[3].key == "anaphor_gender_agreement/1"
    assert task.source.startswith("67 local files, blimp/adjunct_island.jsonl to ")


def test_blimp_with_missing_sets_is_not_blimp(tmp_path):
    put_blimp(tmp_path, without=("causative", "transitive", "wh_island"))
    assert why_not("blimp", EvalData(tmp_path)) == (
        f"needs blimp/causative.jsonl and 2 more files of 67 in {tmp_path} (plain, .gz or as .parquet)"
    )


def test_a_missing_file_is_named_with_its_alternatives(tmp_path):
    with pytest.raises(BadInput, match=r"^sciq needs sciq/test\.jsonl or sciq/validation\.jsonl in .* \(plain, \.gz"):
        open_task("sciq", EvalData(tmp_path))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"--eval-data .*nowhere is not a folder; leave it out"):
        EvalData(tmp_path / "nowhere")


def test_without_its_client_the_hub_is_refused_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert why_not("piqa", EvalData()) == "needs the package datasets: pip install 'smidgen[eval]'"
    with pytest.raises(BadInput, match=r"^piqa needs the package datasets"):
        open_task("piqa", EvalData())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sol1": None}, 'field "sol1" holds None instead of text'),
        ({"goal": "\ud800"}, 'field "goal" holds .* instead of text'),
        ({"sol2": " "}, "ending 2 is empty"),
        ({"label": 2}, r"label \[2\], expected 0 to 1"),
        ({"label": -1}, r"label \[-1\], expected 0 to 1"),
        ({"label": 0.5}, 'field "label" holds 0.5 instead of a whole number'),
        ({"label": "one"}, 'field "label" holds .one. instead of a whole number'),
    ],
)
def test_a_malformed_document_is_named_with_file_and_line(change, complaint, tmp_path):
    good, other = TINY_DOCUMENTS["piqa"]
    file = put(tmp_path, "piqa/validation.jsonl", as_lines([good]) + b"\n" + as_lines([other | change]))
    with pytest.raises(BadInput, match=rf"^{file}, line 3 is no PIQA document: .*{complaint}"):
        open_piqa(tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("hellaswag", {"endings": "one"}, 'field "endings" holds .one. instead of a list of texts'),
        ("arc_easy", {"choices": []}, r'field "choices" holds \[\] instead of an object'),
        ("arc_easy", {"answerKey": "E"}, "the answer is 'E', expected one of A, B, C, D"),
        ("copa", {"question": "reason"}, "the answer is 'reason', expected one of cause, effect"),
        ("winogrande", {"sentence": "No blank."}, "no blank '_'"),
        ("winogrande", {"sentence": "At the end _ "}, "no blank '_' with words after it"),
        ("winogrande", {"answer": ""}, "the answer is '', expected one of 1, 2"),
        ("truthfulqa_mc2", {"mc2_targets": {"choices": ["a", "b"], "labels": [0, 0]}}, "label missing"),
        ("truthfulqa_mc2", {"mc2_targets": {"choices": ["a", "b"], "labels": [1]}}, "2 answers with 1 labels"),
        ("mmlu", {"choices": ["a", "b", "c"]}, "3 answers, expected 4"),
        ("mmlu", {"subject": "magic"}, "the subject is 'magic', none of MMLU's 57"),
        ("race", {"problems": "[{"}, 'field "problems" is not the text of a list'),
        ("race", {"problems": "[]"}, 'field "problems" is not the text of a list'),
        ("race", {"problems": "[{'question': 'Who?'}]"}, 'field "options" is missing; there are question'),
        ("lambada_openai", {"text": "word"}, "does not end in a space and a word"),
        ("wikitext", {"page": " \n"}, 'field "page" is empty'),
    ],
)
def test_what_a_benchmark_cannot_use_is_said(name, change, complaint, tmp_path):
    rows = [*TINY_DOCUMENTS[name], TINY_DOCUMENTS[name][0] | change]
    put(tmp_path, f"{BENCHMARKS[name].files[0]}.jsonl", as_lines(rows))
    with pytest.raises(BadInput, match=rf"line {len(rows)} is no .* document: .*{complaint}"):
        open_task(name, EvalData(tmp_path))


def test_damaged_and_empty_files_are_refused(tmp_path):
    put(tmp_path, "piqa/validation.jsonl", as_lines(TINY_DOCUMENTS["piqa"])[:-9])
    with pytest.raises(BadInput, match=r"validation\.jsonl, line 2 is not valid JSON"):
        open_piqa(tmp_path)
    put(tmp_path, "piqa/validation.jsonl", b"")
    with pytest.raises(BadInput, match=r"validation\.jsonl is empty"):
        open_piqa(tmp_path)
    (tmp_path / "piqa/validation.jsonl").unlink()
    put(tmp_path, "piqa/validation.parquet", b"PAR1 and no more")
    with pytest.raises(BadInput, match=r"validation\.parquet is no readable parquet file"):
        open_piqa(tmp_path)
