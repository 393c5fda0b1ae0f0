"""A prompt as token ids, and what a model makes of it.

B batch    T tokens    V vocabulary    C channels
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from smidgen.checkpoints.open_model import OpenModel
from smidgen.generation.decoding import SlidingWindow
from smidgen.serving.completion_request import CompletionRequest, Prompt
from smidgen.serving.fields import quoted
from smidgen.serving.refusal import Refusal
from smidgen.serving.token_score import TokenScore, token_scores

# Positions whose logits are held at once, and scored in one turn: 64 rows of 50,000 entries are 13 MB.
SCORED_ROWS = 64


def prompt_ids(request: CompletionRequest, prompt: Prompt) -> list[int]:
    """The ids that the model reads; an empty text begins with the end of the one before.

    A prompt may fill the context. One that is only scored may have a token more, because its last is predicted and
    never read. Raises ``Refusal`` for ids outside the vocabulary and for prompts that are too long.
    """
    model = request.model
    tokenizer = model.tokenizer
    ids = list(prompt) if not isinstance(prompt, str) else tokenizer.encode(prompt) or [tokenizer.end_of_text_id]
    require_known_ids(ids, tokenizer.vocab_size)
    context = model.config.context_length
    most = longest_scored(model) + 1 if request.echo else context
    if len(ids) > most:
        if not request.truncate:
            raise Refusal(
                f"the prompt has {len(ids)} tokens, but {most} is the most that this model reads; shorten it, or "
                'send "truncate": true to keep its end',
                param="prompt",
            )
        ids = ids[-most:]
    return ids


def require_known_ids(ids: Sequence[int], vocab_size: int, field: str = "prompt") -> None:
    """Raises ``Refusal``, which blames ``field``, for ids that no token has."""
    outside = next((token_id for token_id in ids if not 0 <= token_id < vocab_size), None)
    if outside is not None:
        raise Refusal(
            f"token id {quoted(outside)} is outside of this model's vocabulary of {vocab_size} ids", param=field
        )


def longest_scored(model: OpenModel) -> int:
    """Tokens that are read at once when a text is scored, as ``smidgen evaluate`` does."""
    return model.max_length or model.config.context_length


@dataclass(frozen=True)
class ReadPrompt:
    """A prompt with its keys and values and the ``logits`` (1, V) of what may follow; texts go on from it."""

    ids: list[int]
    window: SlidingWindow
    logits: Tensor

    def window_copy(self) -> SlidingWindow:
        """A window that goes on from here without changing this one."""
        copied = SlidingWindow(self.window.decoder)
        copied.cache = copy.deepcopy(self.window.cache)
        copied.seen_BS = self.window.seen_BS
        return copied


@torch.inference_mode()
def read_prompt(model: OpenModel, ids: Sequence[int]) -> tuple[ReadPrompt, Tensor]:
    """Read a prompt with the calls of ``smidgen generate``, so that the texts after it are the same.

    Also gives the hidden states (T, C) after which each token but the first is scored.
    """
    decoder = model.decoder
    window = SlidingWindow(decoder)
    ids_1T = torch.tensor([list(ids)]).to(decoder.embed_tokens.weight.device)
    if len(ids) > model.config.context_length:
        x_1TC = decoder.hidden_states(ids_1T[:, :-1], history_BS=ids_1T[:, :-1])
        logits_1V = window.read(ids_1T)
    else:
        x_1TC = decoder.hidden_states(ids_1T, history_BS=ids_1T, cache=window.cache)
        window.seen_BS = ids_1T
        logits_1V = decoder.logits(x_1TC[:, -1])
    return ReadPrompt(list(ids), window, logits_1V.float().cpu()), x_1TC[0]


@torch.inference_mode()
def prompt_scores(model: OpenModel, ids: Sequence[int], x_TC: Tensor, top: int) -> Iterator[list[TokenScore]]:
    """The score of each token of a prompt given those before it, some at a time."""
    yield [TokenScore(ids[0], None)]
    for start in range(1, len(ids), SCORED_ROWS):
        scored = ids[start : start + SCORED_ROWS]
        logits_RV = model.decoder.logits(x_TC[start - 1 : start - 1 + len(scored)]).cpu()
        yield token_scores(logits_RV, scored, top)
