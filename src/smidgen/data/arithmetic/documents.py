"""Training documents: equations, one a line, of which none is held out."""

from collections.abc import Iterator
from random import Random
from typing import Any

from smidgen.data.arithmetic.drawing import Drawing
from smidgen.data.arithmetic.hold_out import is_held_out, is_held_out_either_way
from smidgen.data.arithmetic.layout import line_of
from smidgen.data.arithmetic.steps import solution
from smidgen.data.arithmetic.weighted import Draw
from smidgen.data.document import Document
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import ArithmeticSettings
from smidgen.records.fingerprint import sha256_of_json

# One in twenty is held out, of solutions in seven steps half: with this many in vain there is nothing else.
MOST_HELD_OUT_IN_A_ROW = 2_000
# Few lines a document and few equations: of so many documents, half must differ, or a mixture never gets its tokens.
DOCUMENTS_TO_COMPARE = 200
LINES_THAT_ALWAYS_DIFFER = 4


def arithmetic_documents(
    *, seed: int, documents: int, first: int = 0, settings: ArithmeticSettings | None = None
) -> Iterator[Document]:
    """Yield ``documents`` blocks of equations from number ``first``; block i depends on seed, i and settings only.

    Raises ``BadInput`` for settings that no equation meets, or too few.
    """
    chosen = (settings or ArithmeticSettings()).resolved
    writer = Writer(chosen)
    name = source_name("arithmetic", chosen.changes(), seed)
    if chosen.changes():
        writer.require_possible()
    for index in range(first, first + documents):
        document_id = f"{name}-{index}"
        # Only random() of a text seed: the sequence that Python promises to keep between versions.
        yield Document(id=document_id, text=writer.text(Random(document_id).random))


def source_name(generator: str, changes: dict[str, Any], seed: int) -> str:
    """What the ids of a generator's documents begin with: other settings and other seeds give other documents."""
    return f"{generator}-{sha256_of_json(changes)[:8]}-{seed}" if changes else f"{generator}-{seed}"


class Writer:
    """Writes one document after another; what it keeps are the forms of expressions."""

    def __init__(self, settings: ArithmeticSettings) -> None:
        self._settings = settings
        self._drawing = Drawing(settings)
        self._is_held_out = is_held_out_either_way if settings.hold_out_swapped else is_held_out

    def text(self, draw: Draw) -> str:
        return "\n".join([self._line(draw) for _ in range(self._settings.equations)]) + "\n"

    def require_possible(self) -> None:
        """Raise ``BadInput`` where the settings give no equations, or hardly any."""
        self._drawing.require_possible()
        if self._settings.equations >= LINES_THAT_ALWAYS_DIFFER:
            return
        draw = Random("documents to compare").random
        different = len({self.text(draw) for _ in range(DOCUMENTS_TO_COMPARE)})
        if different < DOCUMENTS_TO_COMPARE / 2:
            raise BadInput(
                f"arithmetic: of {DOCUMENTS_TO_COMPARE} documents with equations={self._settings.equations} only "
                f"{different} differ; put {LINES_THAT_ALWAYS_DIFFER} or more equations in a document, or allow more "
                "digits, operands or operators"
            )

    def _line(self, draw: Draw) -> str:
        settings, drawing = self._settings, self._drawing
        operands = drawing.operands(draw)
        in_steps = settings.steps_share > 0 and draw() < settings.steps_share
        for _ in range(MOST_HELD_OUT_IN_A_ROW):
            answer, expression = drawing.expression(operands, draw)
            if self._is_held_out(expression):
                continue
            if not in_steps:
                return line_of((expression, str(answer)), settings, draw)
            operations, stages = zip(*solution(expression), strict=True)
            if not any(map(self._is_held_out, (*operations, *stages[:-1]))):
                return line_of((expression, *stages), settings, draw)
        raise BadInput(
            f"arithmetic: {MOST_HELD_OUT_IN_A_ROW:,} equations of {operands} operands were all held out for tests; "
            "allow more digits or more operators"
        )
