"""What llama.cpp computes from a model in float32, and then from every other file of it."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from smidgen.checkpoints.open_model import OpenModel, open_model
from smidgen.design.gguf.file_types import plan_file
from smidgen.design.shape import shape_of
from smidgen.errors import CheckFailed
from smidgen.export.gguf import read_back
from smidgen.export.gguf.file import write_file
from smidgen.export.gguf.weights import named_weights
from smidgen.export.parity import Parity, parity

EXACT = "F32"
# Largest divergence in nats between what llama.cpp computes from a quantised file and what our decoder computes from
# the same numbers: llama.cpp rounds what it multiplies with to 8 bits. Measured: 2e-4 with a trained model of 1M
# parameters, up to 0.011 with random weights; rows in the wrong order give 5 (November 2026).
MOST_KL = 0.05


@dataclass(frozen=True, kw_only=True)
class Proof:
    """``parity`` is that of the file in F32; ``rows`` (N, V) is what our model says to the questions."""

    version: str
    questions: read_back.Questions
    rows: Tensor
    parity: Parity

    @property
    def note(self) -> str:
        lengths = [len(prefix) for prefix in self.questions.prefixes]
        return (
            f"read back with {self.version}: equal token ids on {len(self.questions.texts):,} texts, "
            f"log-probabilities compared after {len(lengths)} beginnings of {min(lengths)} to {max(lengths)} tokens, "
            f"equal greedy text after {len(self.questions.prompts)} of them"
        )

    def of(self, path: Path, name: str) -> Parity:
        """How far llama.cpp is from the model in float32 with a finished file of the type ``name``.

        Raises ``CheckFailed`` where it is not what our own decoder computes from the numbers in the file.
        """
        if name == EXACT:
            return self.parity
        opened = open_model(path)
        theirs = read_back.ask(path, opened, self.questions.of_logits()).rows
        stored = read_back.log_probabilities(opened.decoder, self.questions.prefixes)
        apart = parity([stored], [theirs])
        # Written so that NaN fails.
        if not apart.kl <= MOST_KL:
            raise CheckFailed(
                f"{self.version} computes something else from {path.name} than its numbers say: the divergence is "
                f"{apart.kl:.2g} nats, allowed is {MOST_KL}; nothing was written"
            )
        return parity([self.rows], [theirs])


def prove(model: OpenModel, path: Path) -> Proof | None:
    """Write a file in F32 to ``path``, where alone every difference is an error; None without llama.cpp.

    Raises ``CheckFailed`` when llama.cpp cannot read it or finds other token ids, texts or probabilities.
    """
    version = read_back.llama_cpp_version()
    if version is None:
        return None
    write_file(path, model, EXACT, plan_file(shape_of(model.config), EXACT), named_weights(model.decoder))
    questions = read_back.questions_for(model)
    answers = read_back.ask(path, model, questions)
    read_back.check_texts(model, questions, answers)
    rows = read_back.log_probabilities(model.decoder, questions.prefixes)
    found = read_back.check_exact(model, questions, answers, rows)
    return Proof(version=version, questions=questions, rows=rows, parity=found)
