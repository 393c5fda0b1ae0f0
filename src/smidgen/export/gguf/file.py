"""One GGUF file."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter

from smidgen.checkpoints.open_model import OpenModel
from smidgen.design.gguf.file_types import TensorPlan
from smidgen.export.gguf.metadata import add_metadata
from smidgen.export.gguf.quantiser import quantise

Importance = Mapping[str, np.ndarray]


def write_file(
    path: Path,
    model: OpenModel,
    file_type: str,
    plans: Sequence[TensorPlan],
    weights: Mapping[str, np.ndarray],
    importance: Importance | None = None,
) -> None:
    """Write ``weights`` in the types of ``plans``. Equal arguments give equal bytes."""
    # Closed on errors too, as a full disk is one.
    with closing(GGUFWriter(path, "llama")) as writer:
        add_metadata(writer, model, file_type)
        for plan in plans:
            columns = (importance or {}).get(plan.name)
            made = quantise(weights[plan.name], plan.kind, columns)
            writer.add_tensor(plan.name, made, raw_dtype=GGMLQuantizationType[plan.kind])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
