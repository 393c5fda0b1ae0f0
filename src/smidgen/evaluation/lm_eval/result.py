"""What one document of a lm-evaluation-harness task gives: its record, and the values its metrics are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lm_eval.api.task import ConfigurableTask

from smidgen.evaluation.choice import ACC, ACC_BYTES, ACC_NORM, Lengths, credit
from smidgen.evaluation.lm_eval.model import Answer, SmidgenLM
from smidgen.evaluation.multiple_choice import DECIMALS


@dataclass(frozen=True, kw_only=True)
class Result:
    """``record`` goes to the score file; ``values`` by metric are what the task's aggregations take; ``tied`` are the
    metrics by which several endings are the best.
    """

    record: dict[str, Any]
    values: dict[str, Any]
    tied: frozenset[str] = field(default_factory=frozenset)


def results_of(lm: SmidgenLM, task: ConfigurableTask, limit: int | None) -> list[Result]:
    """Score the first ``limit`` documents in the order of the task. Raises as ``SmidgenLM.answers`` does."""
    documents = list(task.doc_iterator(limit=limit))
    requests = [_requests(task, doc) for _, doc in documents]
    is_rolling = task.OUTPUT_TYPE == "loglikelihood_rolling"
    answers = iter(lm.rolling_answers([text for [(text,)] in requests]) if is_rolling else lm.answers(requests))
    return [
        _result(task, str(number), doc, [next(answers) for _ in of_document])
        for (number, doc), of_document in zip(documents, requests, strict=True)
    ]


def _requests(task: ConfigurableTask, doc: Any) -> list[tuple[Any, ...]]:
    context = task.fewshot_context(doc, num_fewshot=task.config.num_fewshot, gen_prefix=task.doc_to_prefix(doc))
    made = task.construct_requests(doc, context)
    return [instance.args for instance in (made if isinstance(made, list) else [made])]


def _result(task: ConfigurableTask, key: str, doc: Any, answers: list[Answer]) -> Result:
    head = {"item": key, "groups": []}
    if task.OUTPUT_TYPE == "loglikelihood_rolling":
        values = task.process_results(doc, [answers[0].log_probability])
        return Result(record={**head, **_document_record(task, doc, answers[0], values)}, values=values)
    values = task.process_results(doc, [(answer.log_probability, answer.greedy) for answer in answers])
    if task.OUTPUT_TYPE == "loglikelihood":
        return Result(record={**head, **_completion_record(answers[0])}, values=values)
    record, tied = _choice_record(task, doc, answers)
    numbers = {metric: float(value) for metric, value in values.items() if not isinstance(value, (tuple, list))}
    # Ours replace those that give a tie to whichever ending comes first.
    values = {metric: record.get(metric, value) for metric, value in values.items()}
    return Result(record={**head, **numbers, **record}, values=values, tied=tied)


def _document_record(task: ConfigurableTask, doc: Any, answer: Answer, values: dict[str, Any]) -> dict[str, Any]:
    """Words and bytes are those of the original text, which only the task's own metrics know."""
    text = task.doc_to_target(doc)
    _, words = values.get("word_perplexity", (None, task.count_words(text)))
    _, size = values.get("byte_perplexity", (None, task.count_bytes(text)))
    nats = round(-answer.log_probability, DECIMALS)
    return {"nats": nats, "bytes": size, "words": words, "tokens": answer.tokens}


def _completion_record(answer: Answer) -> dict[str, Any]:
    return {
        "log_probability": round(answer.log_probability, DECIMALS),
        "tokens": answer.tokens,
        "truncated": int(answer.truncated),
        "acc": int(answer.greedy),
    }


def _choice_record(
    task: ConfigurableTask, doc: Any, answers: Sequence[Answer]
) -> tuple[dict[str, Any], frozenset[str]]:
    """The record and the metrics that are tied. A task with its own ``process_results`` says itself what is right, so
    that no label and no accuracy of ours stands beside its metrics.
    """
    texts = task.doc_to_choice(doc)
    # Some tasks ask for the endings a second time, without their context.
    sums = [answer.log_probability for answer in answers[: len(texts)]]
    lengths = Lengths(
        characters=tuple(len(text) for text in texts),
        text_bytes=tuple(len(text.encode()) for text in texts),
        tokens=tuple(answer.tokens for answer in answers[: len(texts)]),
    )
    labels = [] if callable(task.config.process_results) else _labels(task, doc, texts)
    credits = {metric: _credit(metric, sums, lengths, labels) for metric in (ACC, ACC_NORM, ACC_BYTES)}
    record = {
        "labels": labels,
        "choice": sums.index(max(sums)),
        "log_probabilities": [round(value, DECIMALS) for value in sums],
        "characters": list(lengths.characters),
        "bytes": list(lengths.text_bytes),
        "truncated": int(any(answer.truncated for answer in answers)),
        **({metric: points for metric, (points, _) in credits.items()} if labels else {}),
    }
    return record, frozenset(metric for metric, (_, tied) in credits.items() if tied)


def _credit(metric: str, sums: Sequence[float], lengths: Lengths, labels: Sequence[int]) -> tuple[float, bool]:
    divisors = lengths.divisors(metric, token_mean=False)
    return credit([value / divisor for value, divisor in zip(sums, divisors, strict=True)], labels)


def _labels(task: ConfigurableTask, doc: Any, texts: Sequence[str]) -> list[int]:
    """Indices of the right endings; none where the document names none that exists, as nothing can be right then."""
    gold = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
    named = gold if isinstance(gold, list) else [gold]
    places = [texts.index(label) if label in texts else -1 for label in named if isinstance(label, str)]
    places += [label for label in named if not isinstance(label, str)]
    return [place for place in places if 0 <= place < len(texts)]
