"""The recipe: everything that defines a model, in one frozen object."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from smidgen.model.config import ModelConfig
from smidgen.recipes.evaluation import EvaluationSettings, Published
from smidgen.recipes.mixture import DataSettings
from smidgen.recipes.sampling import SamplingSettings
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.recipes.training import TrainingSettings
from smidgen.records.fingerprint import sha256_of_json


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model's source, design, tokenizer, data, training, evaluation and sampling advice.

    ``inferred`` lists the dotted keys whose values the source does not state. ``prompts`` are what the run's
    samples begin with. ``parameter_budget`` is the most parameters that the model is allowed: `smidgen design`
    reports a design beyond it.
    """

    name: str
    description: str
    source: str = ""
    inferred: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ("The",)
    parameter_budget: int | None = None
    design: ModelConfig
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    data: DataSettings
    training: TrainingSettings
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    published: Published = field(default_factory=Published)

    def __post_init__(self) -> None:
        if self.parameter_budget is not None and self.parameter_budget < 1:
            raise ValueError(f"parameter_budget={self.parameter_budget} must be at least 1, for example 5_000_000")
        self._check_whole_sequences("training.batch_tokens", self.training.batch_tokens)
        for number, point in enumerate(self.training.batch_schedule):
            self._check_whole_sequences(f"training.batch_schedule.{number}.tokens", point.tokens)
        if self.design.vocab_size < self.smallest_vocab_size:
            raise ValueError(
                f"design.vocab_size={self.design.vocab_size} is too small for byte-level BPE: 256 bytes and "
                f"{len(self.tokenizer.special_tokens.present)} special tokens need {self.smallest_vocab_size}"
            )

    def _check_whole_sequences(self, key: str, tokens: int) -> None:
        context = self.design.context_length
        if tokens % context:
            below = max(1, tokens // context) * context
            raise ValueError(
                f"{key}={tokens} must be a multiple of design.context_length={context}; {below} would work"
            )

    @property
    def smallest_vocab_size(self) -> int:
        """Entries that every tokenizer of the recipe begins with: control tokens and the 256 bytes."""
        return 256 + len(self.tokenizer.special_tokens.present)

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers, as written to ``recipe.json``."""
        return json.loads(json.dumps(asdict(self)))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON: two recipes with equal fingerprints train the same model."""
        return sha256_of_json(self.as_dict())
