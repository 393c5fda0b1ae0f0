"""Which texts are not worth training on, and why: simple rules that know no language."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smidgen.data.quality.measurements import Measurements
from smidgen.data.quality.repeated_words import has_duplicate_ngrams, has_top_ngram
from smidgen.recipes.quality import Limits

Failing = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """Which texts break a limit; the reason stands in tables and stays the same from version to version."""

    limit: str
    reason: str
    breaks: Callable[[Measurements, Any], Failing]


def _least(limit: str, reason: str, measured: Callable[[Measurements], npt.NDArray]) -> Rule:
    return Rule(limit, reason, lambda texts, least: measured(texts) < least)


def _most(limit: str, reason: str, measured: Callable[[Measurements], npt.NDArray]) -> Rule:
    return Rule(limit, reason, lambda texts, most: measured(texts) > most)


TOO_SHORT, TOO_LONG = "too few characters", "too many characters"
# A text that has a right length is rejected for the first rule that it breaks.
RULES = (
    _most("max_damaged_share", "damaged encoding", lambda texts: texts.damaged_share),
    _least("min_words", "too few words", lambda texts: texts.words.counts),
    _most("max_words", "too many words", lambda texts: texts.words.counts),
    _least("min_mean_word_characters", "short words", lambda texts: texts.mean_word_characters),
    _most("max_mean_word_characters", "long words", lambda texts: texts.mean_word_characters),
    _least("min_lettered_word_share", "numbers", lambda texts: texts.lettered_word_share),
    _most("max_symbol_share", "symbols", lambda texts: texts.symbol_share),
    _most("max_hashes_per_word", "symbols", lambda texts: texts.hashes_per_word),
    _most("max_ellipses_per_word", "ellipses", lambda texts: texts.ellipses_per_word),
    _most("max_bullet_line_share", "bullet lines", lambda texts: texts.bullet_line_share),
    _most("max_ellipsis_line_share", "ellipses", lambda texts: texts.ellipsis_line_share),
    _most("max_duplicate_line_share", "repeated lines", lambda texts: texts.duplicate_line_share),
    _most("max_duplicate_line_character_share", "repeated lines", lambda texts: texts.duplicate_line_character_share),
    _most("max_duplicate_paragraph_share", "repeated paragraphs", lambda texts: texts.duplicate_paragraph_share),
    _most(
        "max_duplicate_paragraph_character_share",
        "repeated paragraphs",
        lambda texts: texts.duplicate_paragraph_character_share,
    ),
    Rule("max_top_ngram_shares", "repeated words", has_top_ngram),
    Rule("max_duplicate_ngram_shares", "repeated words", has_duplicate_ngrams),
)
REASONS = (TOO_SHORT, TOO_LONG, *dict.fromkeys(rule.reason for rule in RULES))


def reject_reasons(texts: Sequence[str], limits: Limits) -> list[str | None]:
    """For each text one of `REASONS`, or None where it breaks no limit. Texts do not influence each other."""
    reasons = [_length_reason(text, limits) for text in texts]
    # What is too long is not measured: it may be too long for the memory, too.
    remaining = [number for number, reason in enumerate(reasons) if reason is None]
    measurements = Measurements([texts[number] for number in remaining])
    given = limits.given
    for rule in RULES:
        if rule.limit in given:
            for place in np.flatnonzero(rule.breaks(measurements, given[rule.limit])).tolist():
                reasons[remaining[place]] = reasons[remaining[place]] or rule.reason
    return reasons


def reject_reason(text: str, limits: Limits) -> str | None:
    """The same for one text; many together are faster."""
    return reject_reasons([text], limits)[0]


def _length_reason(text: str, limits: Limits) -> str | None:
    if limits.min_characters is not None and len(text) < limits.min_characters:
        return TOO_SHORT
    return TOO_LONG if limits.max_characters is not None and len(text) > limits.max_characters else None
