"""The benchmarks by name, the other names that model cards use for them, and opening one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.benchmark import Benchmark
from smidgen.evaluation.tasks.benchmarks.arc import ARC_CHALLENGE, ARC_EASY
from smidgen.evaluation.tasks.benchmarks.blimp import BLIMP
from smidgen.evaluation.tasks.benchmarks.boolq import BOOLQ
from smidgen.evaluation.tasks.benchmarks.commonsense_qa import COMMONSENSE_QA
from smidgen.evaluation.tasks.benchmarks.copa import COPA
from smidgen.evaluation.tasks.benchmarks.hellaswag import HELLASWAG
from smidgen.evaluation.tasks.benchmarks.lambada import LAMBADA_OPENAI
from smidgen.evaluation.tasks.benchmarks.mmlu import MMLU
from smidgen.evaluation.tasks.benchmarks.openbookqa import OPENBOOKQA
from smidgen.evaluation.tasks.benchmarks.piqa import PIQA
from smidgen.evaluation.tasks.benchmarks.race import RACE
from smidgen.evaluation.tasks.benchmarks.sciq import SCIQ
from smidgen.evaluation.tasks.benchmarks.swag import SWAG
from smidgen.evaluation.tasks.benchmarks.truthfulqa import TRUTHFULQA_MC2
from smidgen.evaluation.tasks.benchmarks.wikitext import WIKITEXT
from smidgen.evaluation.tasks.benchmarks.winogrande import WINOGRANDE
from smidgen.evaluation.tasks.documents import Documents, EvalData, missing, read_documents, source
from smidgen.evaluation.tasks.item import Choice, Item, Task
from smidgen.evaluation.tasks.row import Row
from smidgen.recipes.keys import suggestion

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        HELLASWAG,
        ARC_EASY,
        ARC_CHALLENGE,
        PIQA,
        BLIMP,
        WIKITEXT,
        LAMBADA_OPENAI,
        BOOLQ,
        COPA,
        WINOGRANDE,
        TRUTHFULQA_MC2,
        OPENBOOKQA,
        SWAG,
        MMLU,
        RACE,
        SCIQ,
        COMMONSENSE_QA,
    )
}
ALIASES = {
    "wikitext2": "wikitext",
    "wikitext_2": "wikitext",
    "lambada": "lambada_openai",
    "truthfulqa": "truthfulqa_mc2",
    "commonsenseqa": "commonsense_qa",
    "csqa": "commonsense_qa",
    "obqa": "openbookqa",
}


def canonical(name: str) -> str:
    """The catalogue's spelling of a task's name: "WikiText-2" is wikitext. Unknown names come back unchanged."""
    plain = name.lower().replace("-", "_")
    plain = ALIASES.get(plain, plain)
    return plain if plain in BENCHMARKS else name


def open_task(name: str, data: EvalData, *, limit: int | None = None) -> Task:
    """Read a benchmark, or its first ``limit`` documents (of each BLiMP set and MMLU subject, as the harness counts).

    Raises ``BadInput`` for an unknown name, and for documents that are missing, damaged or out of reach.
    """
    benchmark = _benchmark(name)
    files: dict[str, str] = {}
    items: list[Item] = []
    for documents in read_documents(benchmark, data):
        files[documents.name] = documents.sha256
        items += _items(benchmark, documents)
    kept = list(_first_of_each_part(items, limit))
    return Task(
        name=benchmark.name,
        title=benchmark.title,
        metrics=benchmark.metrics,
        probability_mass=benchmark.probability_mass,
        items=kept,
        source=source(benchmark, data, list(files)),
        files=files,
        baselines=_baselines(kept),
    )


def why_not(name: str, data: EvalData) -> str:
    """Why a benchmark cannot be opened, in words that follow its name; empty when its documents are there.

    Of the hub only the client is looked for, not the network. Raises ``BadInput`` for an unknown name.
    """
    return missing(_benchmark(name), data)


def duplicates(task: Task) -> int:
    """How many items ask again what an earlier one asked, word for word."""
    asked = Counter((item.contexts, item.endings) for item in task.items if isinstance(item, Choice))
    return asked.total() - len(asked)


def _benchmark(name: str) -> Benchmark:
    found = BENCHMARKS.get(canonical(name))
    if found is None:
        raise BadInput(f"there is no benchmark {name!r}; {suggestion(name, list(BENCHMARKS))}")
    return found


def _items(benchmark: Benchmark, documents: Documents) -> Iterator[Item]:
    for number, (line, row) in enumerate(documents.rows):
        try:
            yield benchmark.to_item(Row(row), number)
        except ValueError as error:
            raise BadInput(f"{documents.where} {line} is no {benchmark.title} document: {error}") from error


def _first_of_each_part(items: Iterable[Item], limit: int | None) -> Iterator[Item]:
    """The finest group is what the harness calls a subtask, each of which has the limit to itself."""
    taken: Counter[str] = Counter()
    for item in items:
        part = item.groups[-1] if item.groups else ""
        taken[part] += 1
        if limit is None or taken[part] <= limit:
            yield item


def _baselines(items: Sequence[Item]) -> dict[str, float]:
    """The share of right endings, which is what choosing blindly scores."""
    shares = [len(item.labels) / len(item.endings) for item in items if isinstance(item, Choice)]
    return {"chance": fmean(shares)} if shares else {}
