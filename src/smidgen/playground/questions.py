"""What the page asks the server: to write after a text, what was likely in it, what a token reads."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.recipes.sampling import SamplingSettings
from smidgen.serving.fields import Fields, is_whole, quoted, wrong
from smidgen.serving.limits import Limits
from smidgen.serving.refusal import Refusal


@dataclass(frozen=True, kw_only=True)
class Question:
    """A text that goes on; ``given`` are its ids as the page shows them, ``prompt_ids`` what the model reads."""

    model: OpenModel
    given: list[int]
    settings: SamplingSettings
    seed: int

    @property
    def prompt_ids(self) -> list[int]:
        return self.given or [self.model.tokenizer.end_of_text_id]

    @property
    def unseen(self) -> int:
        """How many tokens are out of the model's sight."""
        return max(0, len(self.prompt_ids) - self.model.config.context_length)


def question(model: OpenModel, values: Mapping[str, Any], limits: Limits) -> Question:
    """Read {"text" or "ids", "settings", "seed"}. Raises ``Refusal``."""
    asked = Fields(values)
    text, ids, settings = asked.text("text"), asked.any("ids"), asked.any("settings")
    seed = asked.whole("seed", 0, 2**53 - 1) or 0
    asked.refuse_others()
    if (text is None) == (ids is None):
        raise Refusal("give either the text or its ids")
    given = known_ids(model, ids) if text is None else model.tokenizer.encode(text)
    return Question(model=model, given=given, settings=_settings(settings, limits), seed=seed)


def known_ids(model: OpenModel, ids: Any) -> list[int]:
    """Ids that the model can read. Raises ``Refusal``."""
    size = model.tokenizer.vocab_size
    if not isinstance(ids, list) or not all(is_whole(token_id) and 0 <= token_id < size for token_id in ids):
        raise wrong("ids", ids, f"a list of token ids below {size}")
    return ids


def _settings(values: Any, limits: Limits) -> SamplingSettings:
    names = {field.name for field in fields(SamplingSettings)}
    if not isinstance(values, dict) or not values.keys() <= names:
        raise wrong("settings", values, f"an object of {', '.join(sorted(names))}")
    try:
        settings = SamplingSettings(**values)
    except (TypeError, ValueError) as error:
        raise Refusal(str(error), param="settings") from error
    if settings.max_new_tokens > limits.tokens:
        raise Refusal(f"max_new_tokens is {quoted(settings.max_new_tokens)}, but must be at most {limits.tokens}")
    return settings
