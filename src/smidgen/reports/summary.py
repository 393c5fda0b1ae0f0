"""The run in one sentence and a handful of figures."""

from dataclasses import dataclass

from smidgen.reports import words
from smidgen.reports.run_records import RunRecords
from smidgen.reports.score_words import index_interval, index_title, index_value, task_title, with_interval


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    name: str
    value: str
    note: str = ""


def sentence(records: RunRecords) -> str:
    """ "1.03M parameters, trained on 9.83M tokens in 4 min on 2 CPU cores: 1.93 bits per byte on held-out ..." """
    made = ", ".join(part for part in (_size(records), _trained(records)) if part)
    result = _result(records)
    if not made and not result:
        return "Nothing has been trained yet."
    return ": ".join(part for part in (made, result) if part) + "."


def key_figures(records: RunRecords) -> list[KeyFigure]:
    figures = [_parameters(records), _tokens(records), _bits(records), _time(records), *_indices(records)]
    figures += _main_scores(records)
    return [figure for figure in figures if figure]


def _size(records: RunRecords) -> str:
    return f"{words.count(records.design.total)} parameters" if records.design else ""


def _trained(records: RunRecords) -> str:
    training = records.training
    if not training:
        return ""
    planned = records.recipe.planned_tokens if records.recipe else None
    amount = f"trained on {words.count(training.tokens)} tokens"
    if records.is_training_unfinished and planned:
        amount = f"trained so far on {words.count(training.tokens)} of {words.count(planned)} tokens"
    machine = f" on {records.manifest.machine}" if records.manifest and records.manifest.machine else ""
    return f"{amount} in {words.duration(training.seconds)}{machine}"


def _result(records: RunRecords) -> str:
    if records.bits_per_byte is None:
        return ""
    others = records.scored_bits.baselines if records.scored_bits else {}
    compared = [f"{name} {words.bits(bits)}" for name, bits in others.items()]
    return ", ".join([f"{words.bits(records.bits_per_byte)} bits per byte on held-out text", *compared])


def _parameters(records: RunRecords) -> KeyFigure | None:
    if not records.design:
        return None
    total = records.design.total
    return KeyFigure(name="Parameters", value=words.count(total), note=f"{words.exact(total)} exactly")


def _tokens(records: RunRecords) -> KeyFigure | None:
    if not records.training:
        return None
    tokens = records.training.tokens
    note = f"{tokens / records.design.total:.1f} per parameter" if records.design else ""
    return KeyFigure(name="Trained tokens", value=words.count(tokens), note=note)


def _bits(records: RunRecords) -> KeyFigure | None:
    if records.bits_per_byte is None:
        return None
    score = records.scored_bits
    note = "last measured while training"
    if score:
        compared = [f"{name} {words.bits(bits)}" for name, bits in score.baselines.items()]
        note = words.listing(compared)
    return KeyFigure(name="Bits per byte", value=words.bits(records.bits_per_byte), note=note)


def _time(records: RunRecords) -> KeyFigure | None:
    if not records.training:
        return None
    speed = records.training.tokens_per_second
    note = f"{words.count(speed)} tokens per second" if speed else ""
    return KeyFigure(name="Training time", value=words.duration(records.training.seconds), note=note)


def _indices(records: RunRecords) -> list[KeyFigure]:
    return [
        KeyFigure(name=index_title(index.name), value=index_value(index.value), note=index_interval(index))
        for index in (records.scores.indices if records.scores else ())
    ]


def _main_scores(records: RunRecords) -> list[KeyFigure]:
    scores = [score for score in records.scores.fractions if not score.is_detail] if records.scores else []
    return [
        KeyFigure(
            name=task_title(score.task),
            value=words.percent(score.value),
            note=f"chance {words.percent(score.chance, 0)}" if score.chance is not None else with_interval(score),
        )
        for score in scores[:4]
    ]
