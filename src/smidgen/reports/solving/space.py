"""The design space: what the best shape of each width and depth costs, and where published models lie."""

from collections.abc import Sequence
from dataclasses import dataclass

# Percent of the loss above the best: the limits of the shades.
LIMITS = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The best shape of a width and depth. ``score`` is in percent of the loss."""

    hidden_size: int
    num_layers: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Landmark:
    """A published model."""

    name: str
    hidden_size: int
    num_layers: int
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Space:
    """Cells within the last of the ``LIMITS`` of the best, and the landmarks among or beside them."""

    cells: tuple[Cell, ...]
    landmarks: tuple[Landmark, ...] = ()

    @property
    def best(self) -> Cell:
        return min(self.cells, key=lambda cell: cell.score)

    @property
    def widths(self) -> list[int]:
        """All widths, the narrowest first; landmarks may have others of their own."""
        found = {cell.hidden_size for cell in self.cells} | {one.hidden_size for one in self.landmarks}
        return sorted(found)

    @property
    def depths(self) -> range:
        layers = [cell.num_layers for cell in self.cells] + [one.num_layers for one in self.landmarks]
        return range(min(layers), max(layers) + 1)

    @property
    def frontier(self) -> list[Cell]:
        """The best width of each depth."""
        best: dict[int, Cell] = {}
        for cell in sorted(self.cells, key=lambda cell: (cell.num_layers, cell.score)):
            best.setdefault(cell.num_layers, cell)
        return list(best.values())

    def shade(self, cell: Cell) -> int:
        """0 for those as good as the best, more for worse ones."""
        return sum(cell.score - self.best.score > limit for limit in LIMITS)


def space_of(found: Sequence[Sequence[float]], landmarks: Sequence[Landmark] = ()) -> Space:
    """From rows of width, depth and score, the best first."""
    cells = [Cell(hidden_size=int(width), num_layers=int(depth), score=score) for width, depth, score in found]
    near = [cell for cell in cells if cell.score - cells[0].score <= LIMITS[-1]]
    return Space(cells=tuple(near), landmarks=tuple(landmarks))
