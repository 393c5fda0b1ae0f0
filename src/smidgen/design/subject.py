"""What a diagnosis is told: the design, and as much as is known of how it will be trained."""

from dataclasses import dataclass

from smidgen.design.parameters import ParameterCounts, count_parameters
from smidgen.design.shape import Shape
from smidgen.recipes.training import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class EntriesSeen:
    """``entries`` of a vocabulary occur in ``tokens`` of its text; bytes and control tokens count as occurring."""

    entries: int
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Subject:
    """None stands for what is not known, about which nothing is found.

    ``budget`` is the most parameters that are wanted, ``document_tokens`` the usual length of the documents to train
    on, ``tokenizer_entries`` the ids that the tokenizer can give, ``entries_seen`` those that the text really uses.
    """

    shape: Shape
    training: TrainingSettings | None = None
    budget: int | None = None
    document_tokens: int | None = None
    tokenizer_entries: int | None = None
    entries_seen: EntriesSeen | None = None

    @property
    def counts(self) -> ParameterCounts:
        return count_parameters(self.shape)
