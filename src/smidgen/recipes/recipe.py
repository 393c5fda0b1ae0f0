"""The recipe: everything that defines a model, in one frozen object."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, ModelConfig
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
        self._check_digit_features()

    def _check_digit_features(self) -> None:
        """What training does to equations needs a model that sees them."""
        training = self.training
        for name in ("question_weight", "answer_weight", "scratch_weight", "place_offset"):
            value = getattr(training, name)
            if value != getattr(TrainingSettings, name) and not self.design.has_digit_features:
                raise ValueError(
                    f"training.{name}={value} goes by digit features, which the design has none of; "
                    f"design.place_vocab_size={PLACE_VOCAB_SIZE} with design.role_vocab_size={ROLE_VOCAB_SIZE}, or "
                    f"training.{name}={getattr(TrainingSettings, name)}, would work"
                )
        most = PLACE_VOCAB_SIZE - 3
        if training.place_offset > most:
            raise ValueError(
                f"training.place_offset={training.place_offset} leaves no place for a second digit; at most {most} "
                "works, and 20 trains the places of numbers up to 20 digits longer than those of the data"
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
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        # It came later; recipes without it keep their fingerprints, by which runs are gone on with.
        if not self.tokenizer.close_numbers:
            del content["tokenizer"]["close_numbers"]
        return content

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON: two recipes with equal fingerprints train the same model."""
        return sha256_of_json(self.as_dict())
