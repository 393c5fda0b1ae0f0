"""The formats a model can be exported to: each name with what writes it.

Nothing of a format is imported before it is asked for: some need packages that others do without.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smidgen.checkpoints.open_model import OpenModel


def _hugging_face(model: "OpenModel", out: Path, **options: Any) -> dict[str, Any]:
    from smidgen.export.hugging_face import export_hugging_face

    given = {"recommended": model.sampling, "max_length": model.max_length}
    return export_hugging_face(model, out, **{**given, **options})


def _gguf(model: "OpenModel", out: Path, **options: Any) -> dict[str, Any]:
    from smidgen.export.gguf.gguf_export import export_gguf

    return export_gguf(model, out, **options)


def _onnx(model: "OpenModel", out: Path, **options: Any) -> dict[str, Any]:
    from smidgen.export.onnx.onnx_export import export_onnx

    return export_onnx(model, out, **options)


def _web(model: "OpenModel", out: Path, **options: Any) -> dict[str, Any]:
    from smidgen.export.web.folder import export_web

    return export_web(model, out, **options)


FORMATS: dict[str, Callable[..., dict[str, Any]]] = {"hf": _hugging_face, "gguf": _gguf, "onnx": _onnx, "web": _web}
