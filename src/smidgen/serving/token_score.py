"""How likely a model found each token, and which ones it found likelier.

V vocabulary    R rows, one for each token    K the likeliest tokens
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, tensor

from smidgen.errors import CheckFailed

# What OpenAI writes for a token that cannot come: JSON has no infinity.
IMPOSSIBLE = -9999.0


@dataclass(frozen=True, slots=True)
class TokenScore:
    """``log_probability`` in nats under the model itself, before any sampling setting; None where nothing predicts
    the token. ``top`` are the likeliest ids with theirs, best first.
    """

    token_id: int
    log_probability: float | None
    top: tuple[tuple[int, float], ...] = ()


def token_scores(logits_RV: Tensor, token_ids: Sequence[int], top: int) -> list[TokenScore]:
    """The score of each token under the logits of its row. Raises ``CheckFailed`` for logits that are NaN."""
    log_probabilities_RV = logits_RV.float().log_softmax(dim=-1).clamp(min=IMPOSSIBLE)
    if log_probabilities_RV.isnan().any():
        raise CheckFailed("the model's logits are not numbers (NaN): its weights diverged or were damaged")
    own_R = log_probabilities_RV.gather(1, tensor(token_ids)[:, None])[:, 0]
    best_RK = log_probabilities_RV.topk(min(top, logits_RV.shape[1]), dim=1)
    return [
        TokenScore(token_id, own, tuple(zip(ids, values, strict=True)))
        for token_id, own, ids, values in zip(
            token_ids, own_R.tolist(), best_RK.indices.tolist(), best_RK.values.tolist(), strict=True
        )
    ]
