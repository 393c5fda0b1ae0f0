"""The task "spelling": how many of the words that a model writes are real words."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.installed_docs import installed_documents
from smidgen.data.split import with_sides
from smidgen.data.training_data import TrainingData, open_data
from smidgen.evaluation.intervals import ratio_interval, wilson_interval
from smidgen.evaluation.score import Score
from smidgen.evaluation.task import TaskOutcome
from smidgen.generation.drawing import draw_texts
from smidgen.records.run_folder import RunFolder

Item = dict[str, Any]

TASK = "spelling"
METRIC = "real_words"
INSTALLED_DOCS = "installed-docs"
# Of all sources together, in equal shares.
DEFAULT_SAMPLES = 96
PROMPT_TOKENS = 8
NEW_TOKENS = 96
# Likewise; they are about 25 MB and take 4 s to decode and to count.
LEXICON_TOKENS = 8_000_000
HELD_OUT_TOKENS = 100_000
HELD_OUT_FRACTION = 0.05
# A string of letters that real text holds once is as often a slip or a name as a word (assumed).
LEAST_OCCURRENCES = 2

_LETTERS = r"[^\W\d_]++"
# Possessive, so that nothing is cut out of "fill_event", "x86" or "don't2": those are no words and are not counted.
_WORD = re.compile(rf"(?<![\w'’]){_LETTERS}(?:['’]{_LETTERS})*+(?!\w)")


@dataclass(frozen=True, kw_only=True)
class RealText:
    """The words of training text, and token ids of held-out documents by source."""

    lexicon: frozenset[str]
    held_out: dict[str, list[list[int]]]


@dataclass(frozen=True, slots=True)
class Written:
    """Prompt and continuation as one text. ``is_cut``: the length limit ended it, maybe inside a word."""

    text: str
    prompt_characters: int
    is_cut: bool

    def words(self) -> list[str]:
        """Those that lie wholly in the continuation: not one that the prompt began or the limit may have cut."""
        found = [match for match in _WORD.finditer(self.text) if match.start() >= self.prompt_characters]
        if self.is_cut and found and found[-1].end() == len(self.text):
            found.pop()
        return [match[0].lower().replace("’", "'") for match in found if len(match[0]) > 1]


def score_spelling(
    model: OpenModel, *, limit: int | None, seed: int, stop_requested: Callable[[], bool]
) -> TaskOutcome:
    """The share of written words that real text knows, in all and by source of the prompts.

    A word is a run of letters, lower-cased, with apostrophes between letters; runs with digits or underscores do
    not count, nor do single letters, nearly all of which occur in any lexicon. It is real when training text holds
    it at least twice. That text is the run's own or, for a model without one, the documentation installed on this
    machine: there a good model of other text falls short by the words that documentation never uses.

    Prompts are the first 8 tokens of passages of held-out text, ``limit`` of each source (by default 96 in all). The
    model adds up to 96 tokens with its recommended sampling settings, at temperature 1 where these are greedy. The
    baseline "real text" is what the passages themselves go on with, against the same lexicon. The interval resamples
    whole samples, whose words hang together. Sources in which no words follow (sums) are left out; a model that
    writes no word at all gets no score.

    Takes 5 s for a run of 1M parameters and 10 s for one of 5M (two cores, 2.8 s of it for the lexicon). Raises
    ``Interrupted`` when asked to stop.
    """
    real = real_text(model)
    per_source = limit or max(1, DEFAULT_SAMPLES // len(real.held_out))
    items: list[Item] = []
    real_items: list[Item] = []
    for source, documents in real.held_out.items():
        passages = passages_of(documents, per_source, seed)
        theirs = _checked(source, [_as_text(model, ids) for ids in passages], real.lexicon)
        if any(item["written"] for item in theirs):
            real_items += theirs
            items += _checked(source, _samples(model, passages, seed, stop_requested), real.lexicon)
    scores = _by_source(items)
    reached = _by_source(real_items)
    return TaskOutcome(
        scores={name: {METRIC: score} for name, score in scores.items()},
        baselines={name: {"real text": reached[name].value} for name in scores},
        items=items,
    )


def share_of_real_words(items: Sequence[Item]) -> Score | None:
    """Real words over words with an interval over samples; none where nothing was written that counts as a word."""
    wordy = [item for item in items if item["written"]]
    if not wordy:
        return None
    real, words = [item["right"] for item in wordy], [item["written"] for item in wordy]
    value = sum(real) / sum(words)
    # At the ends every resample gives the same, so the bound is that of as many independent draws as samples.
    low, high = ratio_interval(real, words) if 0 < value < 1 else wilson_interval(value * len(wordy), len(wordy))
    return Score(value=value, low=low, high=high, n=sum(words))


def lexicon_of(texts: Iterable[str]) -> frozenset[str]:
    """The words that occur at least twice."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(Written(text, 0, is_cut=False).words())
    return frozenset(word for word, times in counts.items() if times >= LEAST_OCCURRENCES)


def real_text(model: OpenModel) -> RealText:
    if RunFolder(model.path).data.is_dir():
        return _text_of_run(model, open_data(RunFolder(model.path).data, model.tokenizer.fingerprint))
    return _installed_text(model)


def _text_of_run(model: OpenModel, data: TrainingData) -> RealText:
    return RealText(
        lexicon=lexicon_of(text for source in data.train for text in _training_texts(model, data, source)),
        held_out={
            source: list(_first_tokens(ids[1:].tolist() for ids, _ in data.held_out_documents(source)))
            for source in data.held_out
        },
    )


def _training_texts(model: OpenModel, data: TrainingData, source: str) -> Iterator[str]:
    shard = data.train[source]
    for number in range(int(np.searchsorted(shard.document_offsets, LEXICON_TOKENS // len(data.train)))):
        yield model.tokenizer.decode(shard.document(number).tolist())


def _installed_text(model: OpenModel) -> RealText:
    training: list[str] = []
    held_out: list[str] = []
    for document, is_held_out in with_sides(installed_documents(), HELD_OUT_FRACTION, source=INSTALLED_DOCS):
        (held_out if is_held_out else training).append(document.text)
    encoded = _first_tokens(model.tokenizer.encode_stream(held_out))
    return RealText(lexicon=lexicon_of(training), held_out={INSTALLED_DOCS: list(encoded)})


def _first_tokens(documents: Iterable[list[int]]) -> Iterator[list[int]]:
    """Whole documents until there are enough tokens to choose passages from."""
    tokens = 0
    for ids in documents:
        if tokens >= HELD_OUT_TOKENS:
            return
        tokens += len(ids)
        yield ids


def passages_of(documents: Sequence[list[int]], count: int, seed: int) -> list[list[int]]:
    """``count`` of the pieces that documents fall into, or all; each has something to go on with."""
    length = PROMPT_TOKENS + NEW_TOKENS
    pieces = [ids[start : start + length] for ids in documents for start in range(0, len(ids), length)]
    pieces = [piece for piece in pieces if len(piece) > PROMPT_TOKENS]
    chosen = np.random.default_rng(seed).permutation(len(pieces))[:count]
    return [pieces[index] for index in sorted(chosen.tolist())]


def _samples(
    model: OpenModel, passages: Sequence[list[int]], seed: int, stop_requested: Callable[[], bool]
) -> list[Written]:
    settings = replace(model.sampling, temperature=1.0) if model.sampling.is_greedy else model.sampling
    stop_id = model.tokenizer.end_of_text_id
    prompts = [ids[:PROMPT_TOKENS] for ids in passages]
    drawn = draw_texts(
        model.decoder,
        [[stop_id, *prompt] for prompt in prompts],
        replace(settings, max_new_tokens=NEW_TOKENS),
        stop_ids={stop_id},
        seed=seed,
        stop_requested=stop_requested,
    )
    return [_as_text(model, [*prompt, *text.token_ids]) for prompt, text in zip(prompts, drawn, strict=True)]


def _as_text(model: OpenModel, ids: Sequence[int]) -> Written:
    prompt = model.tokenizer.decode(ids[:PROMPT_TOKENS])
    return Written(model.tokenizer.decode(ids), len(prompt), is_cut=len(ids) == PROMPT_TOKENS + NEW_TOKENS)


def _checked(source: str, written: Sequence[Written], lexicon: frozenset[str]) -> list[Item]:
    return [_item(source, number, text.words(), lexicon) for number, text in enumerate(written)]


def _item(source: str, number: int, words: list[str], lexicon: frozenset[str]) -> Item:
    unknown = [word for word in words if word not in lexicon]
    right = len(words) - len(unknown)
    return {
        "task": TASK,
        "item": f"{source}/{number}",
        "groups": [source],
        "written": len(words),
        "right": right,
        METRIC: right / len(words) if words else 0.0,
        "unknown": unknown,
    }


def _by_source(items: Sequence[Item]) -> dict[str, Score]:
    """The share of all items together and of each source, as far as words were written."""
    sources = dict.fromkeys(item["groups"][0] for item in items)
    parts = {f"{TASK}/{source}": [item for item in items if source in item["groups"]] for source in sources}
    shares = {name: share_of_real_words(mine) for name, mine in {TASK: items, **parts}.items()}
    return {name: share for name, share in shares.items() if share}
