"""The proof that a ``model.onnx`` says what our model says: onnxruntime reads it and computes the same.

Shapes:
    B batch    S tokens so far    N positions compared    V vocabulary
"""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import tokenizers
import torch
from torch import Tensor

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import CheckFailed
from smidgen.export.onnx.onnx_decoder import OnnxDecoder
from smidgen.export.parity import Parity, allowed_difference, parity, require_close
from smidgen.export.read_back import TEXTS

# Largest difference between two logits in float32, for each unit of the largest logit (at least 1), because rounding
# grows with it. Measured with onnxruntime 1.31 on fresh weights six times as large: at most 1.9e-5, in a place where
# torch is 5.7e-5 from float64 (docs/onnx.md). A theta of 2,600 instead of 2,500 makes 8e-4 with fresh weights.
TOLERANCE = 4e-5
# What is read from an empty past, one token included, as far as the context goes.
LENGTHS = (1, 2, 7, 64)
# How a text is read in pieces from the cache; what is left comes token by token.
CHUNKS = (4, 3, 2)
# Padding on the left of the rows of one batch.
PADDING = (0, 5, 1)


def check_onnx(folder: Path, model: OpenModel) -> Parity:
    """Have onnxruntime read a finished folder and compare.

    Read are beginnings from one token to the whole context, texts piece by piece and token by token from the cache,
    and a padded batch. Raises ``CheckFailed`` when onnxruntime cannot read it or finds other logits, and when
    ``tokenizer.json`` gives other ids or another text.
    """
    _check_tokenizer(folder / "tokenizer.json", model)
    theirs = OnnxDecoder(folder / "model.onnx")
    answers = [*_beginnings(theirs, model), *_from_cache(theirs, model), *_padded_batch(theirs, model)]
    ours = [logits_NV for logits_NV, _ in answers]
    found = parity(ours, [logits_NV for _, logits_NV in answers])
    finding = "onnxruntime computes other logits from the export than we do"
    require_close(found, allowed_difference(ours, TOLERANCE), finding)
    return found


def _check_tokenizer(path: Path, model: OpenModel) -> None:
    library = tokenizers.Tokenizer.from_file(str(path))
    for text in TEXTS:
        expected, found = model.tokenizer.encode(text), library.encode(text).ids
        if found != expected or library.decode(found) != text:
            raise CheckFailed(
                f"tokenizer.json gives {text!r} the token ids {found[:10]} ... and back {library.decode(found)!r} "
                f"instead of {expected[:10]} ...; nothing was written"
            )


def _beginnings(theirs: OnnxDecoder, model: OpenModel) -> Iterator[tuple[Tensor, Tensor]]:
    """Random ids at once. Here and below: our logits and theirs, (N, V) each."""
    context_length = model.config.context_length
    for length in sorted({*(length for length in LENGTHS if length < context_length), context_length}):
        ids_1S = _random_ids(model, 1, length)
        logits_1SV, _ = theirs.read(ids_1S.numpy())
        yield _ours(model, ids_1S)[0], torch.from_numpy(logits_1SV[0])


def _from_cache(theirs: OnnxDecoder, model: OpenModel) -> Iterator[tuple[Tensor, Tensor]]:
    """Texts in pieces, the last of which are single tokens."""
    for text in TEXTS:
        ids_1S = torch.tensor([model.tokenizer.encode(text)[: model.config.context_length]])
        parts, past = [], theirs.empty_past(1)
        for end in _ends(ids_1S.shape[1]):
            logits_1TV, past = theirs.read(ids_1S[:, :end].numpy(), past)
            parts.append(torch.from_numpy(logits_1TV[0]))
        yield _ours(model, ids_1S)[0], torch.cat(parts)


def _ends(length: int) -> list[int]:
    """Where the pieces of a text end."""
    ends = [end for end in accumulate(CHUNKS) if end < length]
    return [*ends, *range((ends or [0])[-1] + 1, length + 1)]


def _padded_batch(theirs: OnnxDecoder, model: OpenModel) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of different length in one batch, prompt first and then token by token, each against the row alone."""
    length = min(model.config.context_length, 16)
    padding = [min(pad, length - 1) for pad in PADDING]
    ids_BS = _random_ids(model, len(padding), length)
    mask_BS = (torch.arange(length)[None, :] >= torch.tensor(padding)[:, None]).long()
    parts, past = [], theirs.empty_past(len(padding))
    for end in range(max(padding) + 1, length + 1):
        logits_BTV, past = theirs.read(ids_BS[:, :end].numpy(), past, mask_BS[:, :end].numpy())
        parts.append(torch.from_numpy(logits_BTV))
    logits_BSV = torch.cat(parts, dim=1)
    for row, pad in enumerate(padding):
        yield _ours(model, ids_BS[row : row + 1, pad:])[0], logits_BSV[row, pad:]


def _random_ids(model: OpenModel, rows: int, length: int) -> Tensor:
    generator = torch.Generator().manual_seed(length)
    return torch.randint(model.config.vocab_size, (rows, length), generator=generator)


@torch.inference_mode()
def _ours(model: OpenModel, ids_BS: Tensor) -> Tensor:
    return model.decoder(ids_BS.to(model.decoder.embed_tokens.weight.device)).cpu()
