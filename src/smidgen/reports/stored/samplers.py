"""``samplers/samplers.json``: the study of sampling settings, as words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.samplers import setting_words as spoken
from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, optional, plain, sequence, text, whole


@dataclass(frozen=True, kw_only=True)
class SamplerRow:
    """A setting, whose advice it is, and its figures with intervals in the order of ``setting_words.SHOWN``."""

    setting: str
    by: tuple[str, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SamplerStudy:
    """``advised`` are the settings that the five cards and the recipe recommend."""

    weights: str
    recommended: SamplerRow
    advised: tuple[SamplerRow, ...]
    real: SamplerRow
    tried: int
    prompts: int
    new_tokens: int
    words_of: str
    rule: str
    why: str


def read_samplers(path: Path) -> SamplerStudy | None:
    """``None`` where there is no study, or one that was stopped in between."""
    with damage_named(path):
        stored = read_object(path)
        if not stored or not stored.get("finished"):
            return None
        recommended, conditions = mapping(stored["recommended"]), mapping(stored["conditions"])
        settings = [mapping(one) for one in sequence(stored["settings"])]
        return SamplerStudy(
            weights=optional(text, stored.get("weights_sha256"), ""),
            recommended=_row(recommended),
            advised=tuple(_row(one) for one in settings if one["names"]),
            real=_row(mapping(stored["real_text"]), setting="real text"),
            tried=len(settings),
            prompts=whole(conditions["number_of_prompts"]),
            new_tokens=whole(conditions["new_tokens"]),
            words_of=text(conditions["words_of"]),
            rule=text(recommended["rule"]),
            why=text(recommended["why"]),
        )


def _row(stored: dict[str, Any], *, setting: str = "") -> SamplerRow:
    values = plain(stored)
    return SamplerRow(
        setting=setting or spoken.setting_words(values),
        by=tuple(text(name) for name in values.get("names", [])),
        figures=tuple(spoken.value_with_interval(values, key) for key in spoken.SHOWN),
    )
