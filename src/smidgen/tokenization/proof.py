"""Trying to refute that a tokenizer loses nothing: it decodes to what was encoded, whole and in a stream, and text
never becomes a control token.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from smidgen.tokenization import proof_texts
from smidgen.tokenization.quality import roundtrip_failures
from smidgen.tokenization.tokenizer import StreamingDecoder, Tokenizer

# Of these many texts each, so that a check takes seconds; `make soak` tries fifty times as many.
RANDOM_TEXTS = 20_000
LONG_DIGIT_STRINGS = 2_000
CONTROL_NAME_DOCUMENTS = 10_000
STREAMED_TEXTS = 200
RUN_CHARACTERS = 50_000
# Texts between two reports of progress.
_PORTION = 500

OnProgress = Callable[[str, int], None]
Finder = Callable[[Tokenizer, Sequence[str]], list[str]]


@dataclass(frozen=True, kw_only=True)
class Check:
    """What is tried, under one name: ``failures`` finds the texts that the tokenizer gets wrong."""

    name: str
    texts: Iterable[str]
    failures: Finder = roundtrip_failures


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many texts were tried and how many failed, the first of them as it was given."""

    name: str
    texts: int
    failures: int
    first_failure: str | None

    def to_json(self) -> dict[str, Any]:
        first = {} if self.first_failure is None else {"first_failure": self.first_failure[:80]}
        return {"name": self.name, "texts": self.texts, "failures": self.failures, **first}


def built_in_checks(tokenizer: Tokenizer) -> tuple[Check, ...]:
    """What can be tried without any text of the user's; takes some ten seconds."""
    names = (*tokenizer.definition.special_tokens.present, *proof_texts.CONTROL_TOKEN_NAMES)
    return (
        Check(name="every Unicode character", texts=proof_texts.every_character()),
        Check(name="digits", texts=proof_texts.digit_strings(LONG_DIGIT_STRINGS)),
        Check(name="capitals and markers", texts=proof_texts.capitals()),
        Check(name="random text", texts=proof_texts.random_texts(RANDOM_TEXTS)),
        Check(
            name="names of control tokens",
            texts=proof_texts.documents_with_control_names(CONTROL_NAME_DOCUMENTS, names),
        ),
        Check(name="long runs", texts=proof_texts.long_runs(RUN_CHARACTERS)),
        Check(
            name="streams cut anywhere",
            texts=proof_texts.random_texts(STREAMED_TEXTS, seed=1),
            failures=streaming_failures,
        ),
    )


def outcomes(
    tokenizer: Tokenizer, checks: Iterable[Check], on_progress: OnProgress = lambda name, texts: None
) -> Iterator[Outcome]:
    """The outcome of each check as it ends; ``on_progress`` hears its name and the number of texts tried so far."""
    for check in checks:
        tried = failed = 0
        first: str | None = None
        for portion in _portions(check.texts):
            on_progress(check.name, tried)
            failures = check.failures(tokenizer, portion)
            first = failures[0] if first is None and failures else first
            tried, failed = tried + len(portion), failed + len(failures)
        yield Outcome(name=check.name, texts=tried, failures=failed, first_failure=first)


def streaming_failures(tokenizer: Tokenizer, texts: Sequence[str]) -> list[str]:
    """The texts whose stream of tokens, cut somewhere, says something else than decoding does.

    At every cut, what was shown so far must be a beginning of the text, and ending there must give what decoding
    the tokens up to there gives.
    """
    encoded = zip(texts, tokenizer.encode_stream(texts), strict=True)
    return [text for text, ids in encoded if not all(_streams(tokenizer, text, ids[:cut]) for cut in _cuts(ids))]


def _cuts(ids: Sequence[int]) -> range:
    return range(len(ids) + 1)


def _streams(tokenizer: Tokenizer, text: str, ids: Sequence[int]) -> bool:
    decoder = StreamingDecoder(tokenizer)
    shown = "".join(map(decoder.push, ids))
    return text.startswith(shown) and shown + decoder.flush() == tokenizer.decode(ids)


def _portions(texts: Iterable[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    characters = 0
    for text in texts:
        portion.append(text)
        characters += len(text)
        # Long ones sooner, so that progress moves.
        if len(portion) == _PORTION or characters > 1_000_000:
            yield portion
            portion, characters = [], 0
    if portion:
        yield portion
