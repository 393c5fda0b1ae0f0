"""A ``model.onnx`` in onnxruntime, as a user of it calls it.

Shapes:
    B batch    S tokens so far    P of them read before    T = S - P new    V vocabulary
    L layers    K key-value heads    D channels of a head    2 stands for keys and values
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from smidgen.errors import BadInput
from smidgen.export.onnx.graph import INPUT_NAMES, OUTPUT_NAMES


class OnnxDecoder:
    """The decoder out of the file. ``metadata`` is what the exporter wrote into it.

    Raises ``BadInput`` where there is no such file or onnxruntime cannot use it.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            # In bytes, so that nothing beside the file is read: a graph may name other files for its weights.
            self._session = onnxruntime.InferenceSession(path.read_bytes(), options)
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}") from error
        except Exception as error:  # onnxruntime has a class of its own for every way to be broken
            raise BadInput(f"onnxruntime {onnxruntime.__version__} cannot load {path}: {error}") from error
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        shapes = {given.name: given.shape for given in self._session.get_inputs()}
        if tuple(shapes) != INPUT_NAMES or "context_length" not in self.metadata:
            raise BadInput(f"{path} is no export of Smidgen: its inputs are {', '.join(shapes)}")
        self._past_shape = shapes["past"]
        self.context_length: int = json.loads(self.metadata["context_length"])

    def empty_past(self, rows: int) -> NDArray[np.float32]:
        """The past of texts not yet begun: (L, 2, B, K, 0, D)."""
        L, _, _, K, _, D = self._past_shape
        return np.zeros((L, 2, rows, K, 0, D), np.float32)

    def read(
        self,
        ids_BS: NDArray[np.int64],
        past_L2BKPD: NDArray[np.float32] | None = None,
        mask_BS: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits after every token beyond the past (B, T, V), and the past of the next call.

        ``mask_BS`` is 0 for padding on the left. Raises ``BadInput`` for more tokens than the context.
        """
        if ids_BS.shape[1] > self.context_length:
            raise BadInput(
                f"{ids_BS.shape[1]} tokens are more than this model's context of {self.context_length}; "
                "leave out the oldest and begin with an empty past"
            )
        past_L2BKPD = self.empty_past(len(ids_BS)) if past_L2BKPD is None else past_L2BKPD
        mask_BS = np.ones_like(ids_BS) if mask_BS is None else mask_BS
        given = dict(zip(INPUT_NAMES, (ids_BS, mask_BS, past_L2BKPD), strict=True))
        logits_BTV, present_L2BKSD = self._session.run(OUTPUT_NAMES, given)
        return logits_BTV, present_L2BKSD
