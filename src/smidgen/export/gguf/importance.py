"""Which columns of each matrix matter: the mean square of what the model multiplies them with (an "imatrix").

Shapes:
    T tokens    C columns
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.training_data import open_data
from smidgen.design.gguf.names import gguf_name
from smidgen.errors import BadInput
from smidgen.model.decoder import Decoder
from smidgen.records.run_folder import RunFolder

# Of all sources together. Assumed to be plenty for matrices of less than a thousand columns.
TOKENS = 32_768


def importance_of(model: OpenModel) -> dict[str, np.ndarray]:
    """GGUF's name of each matrix in layers -> (C,), measured on training text and not on what is held out.

    Raises ``BadInput`` for a model without it.
    """
    folder = RunFolder(model.path).data
    if not folder.is_dir():
        raise BadInput(f"{model.path} has no training text, on which --imatrix measures; give the run folder")
    data = open_data(folder, model.tokenizer.fingerprint)
    each = max(1, TOKENS // data.context_length // len(data.train))
    windows = [(source, index) for source, count in data.window_counts.items() for index in range(min(each, count))]
    return mean_squares(model.decoder, [torch.from_numpy(data.window(*window)[:-1]) for window in windows])


@torch.inference_mode()
def mean_squares(decoder: Decoder, texts: list[Tensor]) -> dict[str, np.ndarray]:
    """Of the inputs of every matrix in layers, over all tokens of ``texts``, one row of ids (T,) each."""
    sums: dict[str, Tensor] = {}
    matrices = {name: part for name, part in decoder.layers.named_modules() if isinstance(part, nn.Linear)}
    hooks = [part.register_forward_pre_hook(_adding(sums, name)) for name, part in matrices.items()]
    try:
        for ids_T in texts:
            decoder.hidden_states(ids_T[None].to(decoder.embed_tokens.weight.device))
    finally:
        for hook in hooks:
            hook.remove()
    tokens = sum(len(ids_T) for ids_T in texts)
    return {gguf_name(f"layers.{name}.weight"): (sum_C / tokens).float().numpy() for name, sum_C in sums.items()}


def _adding(sums: dict[str, Tensor], name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def add(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        squares_C = inputs[0].double().square().sum(dim=(0, 1)).cpu()
        sums[name] = sums[name] + squares_C if name in sums else squares_C

    return add
