"""What the items of tasks ask, as plain text: what must not stand in training documents.

Without the words that a prompt puts around ("Question:", the letters of the choices): a document that holds an item
holds its question and its right answer, not the prompt.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from smidgen.data.quality.contamination import EvaluationText
from smidgen.errors import BadInput
from smidgen.evaluation.tasks.arithmark import OFFICIAL_FILES, Version, find_arithmark, open_arithmark
from smidgen.evaluation.tasks.arithmark_generated import GENERATED, generated_arithmark
from smidgen.evaluation.tasks.catalogue import BENCHMARKS, why_not
from smidgen.evaluation.tasks.documents import EvalData, read_documents
from smidgen.evaluation.tasks.item import Choice, Completion, Item, Task
from smidgen.evaluation.tasks.row import Row
from smidgen.evaluation.tasks.suites import expand
from smidgen.evaluation.tasks.user_task import open_user_task

OFFICIAL: dict[str, Version] = {f"arithmark{version}": version for version in OFFICIAL_FILES}
Texts = Callable[[Row, Item], Iterable[str]]


def tasks_with_texts(names: Sequence[str], data: EvalData) -> tuple[list[str], dict[str, str]]:
    """The tasks among names and suites whose items can be read, and why the others cannot.

    Raises ``BadInput`` for an unknown name, which names the nearest, and where none is left.
    """
    wanted = [name for name, _ in expand(names, others={*OFFICIAL, *GENERATED, *_own_files(names)})]
    skipped = {name: reason for name in wanted if (reason := _why_not(name, data))}
    found = [name for name in wanted if name not in skipped]
    if not found:
        reasons = "; ".join(f"{name} {reason}" for name, reason in skipped.items())
        raise BadInput(f"no task can be compared with the text: {reasons or 'none is named'}")
    return found, skipped


def evaluation_texts(tasks: Iterable[str], data: EvalData) -> Iterator[EvaluationText]:
    """The texts of all items of these tasks. Raises ``BadInput`` for data that are missing or damaged."""
    for name in tasks:
        if name in BENCHMARKS:
            yield from _of_benchmark(name, data)
        else:
            task = _other_task(name, data)
            for number, item in enumerate(task.items):
                for text in _item_texts(item):
                    yield EvaluationText(task.name, _key(item, number), text)


def _own_files(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.endswith(".toml")]


def _why_not(name: str, data: EvalData) -> str:
    if name in BENCHMARKS:
        return why_not(name, data)
    if name in OFFICIAL and data.folder is not None:
        try:
            find_arithmark(OFFICIAL[name], data.folder)
        except BadInput as error:
            return f"cannot be read: {error}"
    return "" if name in OFFICIAL or name in GENERATED or name.endswith(".toml") else "has no texts to look for"


def _other_task(name: str, data: EvalData) -> Task:
    if name in OFFICIAL:
        return open_arithmark(OFFICIAL[name], find_arithmark(OFFICIAL[name], data.folder))
    return open_user_task(Path(name)) if name.endswith(".toml") else generated_arithmark(name)


def _item_texts(item: Item) -> Iterator[str]:
    """Context with the right endings; of a user's own task the context may hold words of a prompt."""
    if isinstance(item, Choice):
        pairs = item.pairs()
        yield from (f"{pairs[label][0]}{pairs[label][1]}" for label in item.labels)
    elif isinstance(item, Completion):
        yield f"{item.context}{item.continuation}"
    else:
        yield from item.original.split("\n")


# Benchmarks


def _of_benchmark(name: str, data: EvalData) -> Iterator[EvaluationText]:
    benchmark = BENCHMARKS[name]
    number = 0
    for documents in read_documents(benchmark, data):
        for place, (line, fields) in enumerate(documents.rows):
            row = Row(fields)
            try:
                item = benchmark.to_item(row, place)
                for text in TEXTS.get(name, _question_texts)(row, item):
                    yield EvaluationText(name, _key(item, number), text)
            except ValueError as error:
                raise BadInput(f"{documents.where} {line} is no {benchmark.title} document: {error}") from error
            number += 1


def _key(item: Item, number: int) -> str:
    """The item's own key where it is more than a number, which counts from 0 in each file."""
    return str(number) if item.key.isdecimal() else item.key


def _right(item: Item) -> str:
    assert isinstance(item, Choice)
    return item.texts[item.labels[0]]


def _question_texts(row: Row, item: Item) -> Iterator[str]:
    yield f"{row.text('question')} {_right(item)}"


def _chosen_texts(row: Row, item: Item) -> Iterator[str]:
    """Where the endings are letters, the choice itself."""
    assert isinstance(item, Choice)
    choices = row.texts("choices") if isinstance(row.fields["choices"], list) else row.record("choices").texts("text")
    yield f"{row.text('question')} {choices[item.labels[0]]}"


def _boolq_texts(row: Row, item: Item) -> Iterator[str]:
    yield from (row.text("passage"), row.text("question"))


def _sciq_texts(row: Row, item: Item) -> Iterator[str]:
    yield from (row.text("support"), f"{row.text('question')} {_right(item)}")


def _race_texts(row: Row, item: Item) -> Iterator[str]:
    assert isinstance(item, Choice)
    last = item.contexts[0].rpartition("\n")[2]
    yield from (row.text("article"), f"{last} {_right(item)}")


def _blimp_texts(row: Row, item: Item) -> Iterator[str]:
    yield from (row.text("sentence_good"), row.text("sentence_bad"))


def _truthfulqa_texts(row: Row, item: Item) -> Iterator[str]:
    assert isinstance(item, Choice)
    yield from (f"{row.text('question')} {item.texts[label]}" for label in item.labels)


def _whole_texts(row: Row, item: Item) -> Iterator[str]:
    return _item_texts(item)


TEXTS: dict[str, Texts] = {
    "hellaswag": _whole_texts,
    "swag": _whole_texts,
    "copa": _whole_texts,
    "winogrande": _whole_texts,
    "lambada_openai": _whole_texts,
    "wikitext": _whole_texts,
    "openbookqa": _whole_texts,
    "piqa": lambda row, item: [f"{row.text('goal')} {_right(item)}"],
    "mmlu": _chosen_texts,
    "commonsense_qa": _chosen_texts,
    "boolq": _boolq_texts,
    "sciq": _sciq_texts,
    "race": _race_texts,
    "blimp": _blimp_texts,
    "truthfulqa_mc2": _truthfulqa_texts,
}
