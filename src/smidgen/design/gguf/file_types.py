"""Which type each tensor of a file gets, by the name of the file's type: the mixtures of llama.cpp's quantiser.

Source: llama_tensor_get_type_impl in llama-quant.cpp, October 2026, for dense models of the architecture "llama".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from smidgen.design.gguf.blocks import BLOCKS, FLOATS, NEED_IMPORTANCE, aligned, bytes_of, fitting
from smidgen.design.gguf.names import gguf_name, layer_and_part
from smidgen.design.shape import Shape
from smidgen.design.tensors import tensors_of


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a tensor stands, as far as its type depends on it."""

    part: str
    layer: int
    layers: int
    group_size: int
    has_importance: bool

    @property
    def is_early(self) -> bool:
        return self.layer < self.layers // 8

    @property
    def is_outer(self) -> bool:
        """In the first or last eighth, or every third layer between: where more bits are spent."""
        eighth = self.layers // 8
        return self.is_early or self.layer >= 7 * self.layers // 8 or (self.layer - eighth) % 3 == 2

    @property
    def is_inner(self) -> bool:
        return self.layers // 8 <= self.layer < 7 * self.layers // 8


# The type at a place, None where it is that of the file.
Rule = Callable[[Place], str | None]


def _always(kind: str) -> Rule:
    return lambda place: kind


def _shared(kind: str, otherwise: str | None = None) -> Rule:
    """Where many query heads read the same values, these are small and matter."""
    return lambda place: kind if place.group_size >= 4 else otherwise


def _early(kind: str, otherwise: str | None = None) -> Rule:
    return lambda place: kind if place.is_early else otherwise


def _outer(kind: str) -> Rule:
    return lambda place: kind if place.is_outer else None


def _inner(kind: str) -> Rule:
    return lambda place: kind if place.is_inner else None


def _first(layers: int, kind: str, otherwise: str | None = None) -> Rule:
    return lambda place: kind if place.layer < layers else otherwise


def _unless_importance(rule: Rule, otherwise: str | None = None) -> Rule:
    return lambda place: otherwise if place.has_importance else rule(place)


def _with_importance(rule: Rule) -> Rule:
    return lambda place: rule(place) if place.has_importance else None


@dataclass(frozen=True, kw_only=True)
class FileType:
    """``kind`` is the type of every matrix that no rule in ``parts`` changes, ``number`` is ``general.file_type``.

    ``head`` is the type of the matrix that makes logits (a tied embedding is one), ``embedding`` that of an untied
    embedding.
    """

    kind: str
    number: int
    head: str | None = None
    embedding: str | None = None
    parts: dict[str, Rule] = field(default_factory=dict)


_SMALLEST = {"attn_v": _shared("Q4_K", "Q2_K"), "ffn_down": _early("Q2_K")}
_IQ1 = {**_SMALLEST, "attn_output": _always("IQ2_XXS")}
_IQ2 = {"attn_v": _shared("Q4_K", "IQ3_S"), "ffn_down": _early("IQ3_S"), "attn_output": _always("IQ3_S")}
_IQ4 = {"attn_v": _shared("Q5_K"), "ffn_down": _unless_importance(_early("Q5_K"))}
_MORE = {"attn_v": _outer("Q6_K"), "ffn_down": _outer("Q6_K")}

# From the most bits to the fewest.
FILE_TYPES = {
    "F32": FileType(kind="F32", number=0),
    "F16": FileType(kind="F16", number=1),
    "BF16": FileType(kind="BF16", number=32),
    "Q8_0": FileType(kind="Q8_0", number=7),
    "Q6_K": FileType(kind="Q6_K", number=18),
    "Q5_1": FileType(kind="Q5_1", number=9),
    "Q5_K_M": FileType(kind="Q5_K", number=17, parts=_MORE),
    "Q5_0": FileType(kind="Q5_0", number=8, parts={"ffn_down": _with_importance(_early("Q5_1"))}),
    "Q5_K_S": FileType(kind="Q5_K", number=16),
    "Q4_1": FileType(kind="Q4_1", number=3),
    "Q4_K_M": FileType(kind="Q4_K", number=15, parts=_MORE),
    "Q4_K_S": FileType(kind="Q4_K", number=14, parts={"attn_v": _first(4, "Q5_K"), "ffn_down": _early("Q5_K")}),
    "Q4_0": FileType(kind="Q4_0", number=2, parts={"ffn_down": _with_importance(_early("Q4_1"))}),
    "IQ4_NL": FileType(kind="IQ4_NL", number=25, parts=_IQ4),
    "IQ4_XS": FileType(kind="IQ4_XS", number=30, parts=_IQ4),
    "Q3_K_L": FileType(
        kind="Q3_K", number=13, parts=dict.fromkeys(("attn_v", "ffn_down", "attn_output"), _always("Q5_K"))
    ),
    "Q3_K_M": FileType(
        kind="Q3_K",
        number=12,
        parts={
            "attn_v": _first(2, "Q5_K", "Q4_K"),
            "ffn_down": lambda place: "Q5_K" if place.layer < place.layers // 16 else "Q4_K",
            "attn_output": _always("Q4_K"),
        },
    ),
    "IQ3_M": FileType(
        kind="IQ3_S",
        number=27,
        parts={"attn_v": _always("Q4_K"), "ffn_down": _early("Q4_K"), "attn_output": _always("Q4_K")},
    ),
    "IQ3_S": FileType(kind="IQ3_S", number=26, parts={"attn_v": _shared("Q4_K")}),
    "Q3_K_S": FileType(kind="Q3_K", number=11),
    "IQ3_XS": FileType(
        kind="IQ3_S",
        number=22,
        parts={
            "attn_v": _shared("Q4_K"),
            **dict.fromkeys(("attn_q", "attn_k"), _always("IQ3_XXS")),
            **dict.fromkeys(("ffn_gate", "ffn_up"), _inner("IQ3_XXS")),
        },
    ),
    "IQ3_XXS": FileType(
        kind="IQ3_XXS",
        number=23,
        head="Q5_K",
        embedding="IQ3_S",
        parts={
            "attn_v": lambda place: _shared("Q4_K", "IQ3_XXS" if place.has_importance else "IQ3_S")(place),
            **dict.fromkeys(("attn_q", "attn_k"), _always("IQ2_S")),
            "attn_output": _always("IQ3_S"),
            "ffn_down": _unless_importance(_early("Q4_K", "Q3_K")),
        },
    ),
    "Q2_K": FileType(
        kind="Q2_K",
        number=10,
        parts={
            "attn_v": _shared("Q4_K", "Q3_K"),
            **dict.fromkeys(("ffn_down", "attn_output"), _always("Q3_K")),
        },
    ),
    "Q2_K_S": FileType(kind="Q2_K", number=21, parts={"attn_v": _shared("Q4_K"), "ffn_down": _early("Q4_K")}),
    "IQ2_M": FileType(kind="IQ2_S", number=29, head="Q5_K", embedding="IQ3_S", parts=_IQ2),
    "IQ2_S": FileType(kind="IQ2_XS", number=28, head="Q5_K", embedding="IQ3_S", parts=_IQ2),
    "IQ2_XS": FileType(kind="IQ2_XS", number=20, head="Q5_K", embedding="Q2_K", parts=_SMALLEST),
    "IQ2_XXS": FileType(kind="IQ2_XXS", number=19, head="Q5_K", embedding="Q2_K", parts=_SMALLEST),
    "TQ2_0": FileType(kind="TQ2_0", number=37, embedding="Q4_K"),
    "TQ1_0": FileType(kind="TQ1_0", number=36, embedding="Q4_K"),
    "IQ1_M": FileType(kind="IQ1_M", number=31, head="Q5_K", embedding="Q2_K", parts=_IQ1),
    "IQ1_S": FileType(kind="IQ1_S", number=24, head="Q5_K", embedding="Q2_K", parts=_IQ1),
    "Q1_0": FileType(kind="Q1_0", number=40),
}


@dataclass(frozen=True, kw_only=True)
class TensorPlan:
    """A tensor of a file: its name there, its shape with the rows' length last, and the type that fits it.

    ``wanted`` is the type that it would have if rows were whole blocks.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    wanted: str

    @property
    def numbers(self) -> int:
        product = 1
        for length in self.shape:
            product *= length
        return product

    @property
    def bytes(self) -> int:
        return bytes_of(self.kind, self.numbers)


def plan_file(shape: Shape, name: str, *, has_importance: bool = False) -> list[TensorPlan]:
    """The tensors of a file of the type ``name``, in its order: outside of layers, then layer by layer."""
    named = {_name_in_file(ours): tensor.shape for tensor in tensors_of(shape) for ours in tensor.names}
    return [
        _planned(tensor, named[tensor], FILE_TYPES[name], shape, has_importance)
        for tensor in sorted(named, key=_position)
    ]


def bytes_of_tensors(plans: Iterable[TensorPlan]) -> int:
    """Bytes of the part of the file that holds the numbers; each tensor is filled up to where the next begins."""
    return sum(aligned(plan.bytes) for plan in plans)


def why_undeserved(name: str, plans: Iterable[TensorPlan], *, has_importance: bool = False) -> str:
    """Why a file should not be published under its type's name, empty where it should.

    The rule: at least half of the weights in matrices other than embedding and head have the types that the name
    stands for, and no type that needs to know which columns matter is made without knowing it.
    """
    matrices = [plan for plan in plans if len(plan.shape) > 1 and plan.name.startswith("blk.")]
    blind = [
        plan.kind for plan in matrices if plan.kind in NEED_IMPORTANCE or (name == "Q2_K_S" and plan.kind == "Q2_K")
    ]
    if blind and not has_importance:
        return f"{blind[0]} needs to know which columns matter (--imatrix), else llama.cpp calls the result garbage"
    stuck = next((plan for plan in matrices if plan.kind != plan.wanted and plan.wanted == "Q1_0"), None)
    if stuck:
        return f"rows of {stuck.shape[-1]} are no multiples of 128, and llama.cpp has no smaller type to take instead"
    as_named = sum(plan.numbers for plan in matrices if plan.kind == plan.wanted)
    if 2 * as_named >= sum(plan.numbers for plan in matrices):
        return ""
    found = ", ".join(sorted({plan.kind for plan in matrices}))
    block = max(BLOCKS[plan.wanted][0] for plan in matrices)
    return f"rows are no multiples of {block}, so it would really hold {found}"


def _name_in_file(name: str) -> str:
    """What a Llama does not have keeps its name: it matters for the size of models by others alone."""
    try:
        return gguf_name(name)
    except KeyError:
        return name


def _position(name: str) -> tuple[bool, int, str]:
    layer, part = layer_and_part(name)
    return name.startswith("blk."), layer, part


def _planned(
    name: str, lengths: tuple[int, ...], file_type: FileType, shape: Shape, has_importance: bool
) -> TensorPlan:
    wanted = "F32"
    if len(lengths) > 1:
        layer, part = layer_and_part(name)
        place = Place(
            part=part,
            layer=layer,
            layers=shape.num_layers,
            group_size=shape.group_size,
            has_importance=has_importance,
        )
        wanted = _wanted(file_type, place, row=lengths[-1], tied=shape.tied)
    return TensorPlan(name=name, shape=lengths, kind=fitting(wanted, lengths[-1]), wanted=wanted)


def _wanted(file_type: FileType, place: Place, *, row: int, tied: bool) -> str:
    if file_type.kind in FLOATS:
        return file_type.kind
    if place.part == "output" or (tied and place.part == "token_embd"):
        return _head(file_type, row)
    if place.part == "token_embd":
        return file_type.embedding or file_type.kind
    rule = file_type.parts.get(place.part)
    return (rule and rule(place)) or file_type.kind


def _head(file_type: FileType, row: int) -> str:
    if file_type.kind == "Q8_0" or row % BLOCKS[file_type.kind][0]:
        return "Q8_0"
    return file_type.head or "Q6_K"
