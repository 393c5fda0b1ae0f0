"""From logits to the next token: what changes the odds, and the draw.

Every function is the function of a LogitsProcessor in transformers and gives the same bits on the CPU
(tests/generation/test_sampling.py, transformers 5.23), so that sampling advice found here holds for an exported
model there.

Shapes:
    B batch    T tokens so far    V vocabulary    U vocabulary and a spare column    W windows of N tokens
"""

import torch
from torch import Generator, Tensor

from smidgen.errors import BadInput, CheckFailed
from smidgen.recipes.sampling import SamplingSettings

BANNED = float("-inf")


def sample(
    logits_BV: Tensor,
    history_BT: Tensor,
    settings: SamplingSettings,
    generator: Generator,
    mask_BT: Tensor | None = None,
) -> Tensor:
    """Choose the next token of each row: (B, V), (B, T) -> ids (B,). Greedy decoding draws nothing."""
    if logits_BV.isnan().any():
        raise CheckFailed("the model's logits are not numbers (NaN): its weights diverged or were damaged")
    processed_BV = processed_logits(logits_BV, history_BT, settings, mask_BT)
    if (processed_BV == BANNED).all(dim=-1).any():
        raise BadInput(
            f"no token is left to choose: no_repeat_ngram_size={settings.no_repeat_ngram_size} bans all "
            f"{logits_BV.shape[-1]} ids of this vocabulary; a larger size, or 0 (off), would work"
        )
    if settings.is_greedy:
        return processed_BV.argmax(dim=-1)
    return torch.multinomial(processed_BV.softmax(dim=-1), 1, generator=generator).squeeze(1)


def processed_logits(
    logits_BV: Tensor, history_BT: Tensor, settings: SamplingSettings, mask_BT: Tensor | None = None
) -> Tensor:
    """Apply the settings in the order of transformers' generate(): (B, V), (B, T) -> (B, V).

    The order is that of GenerationMixin._get_logits_processor. ``mask_BT`` is false where a row is padded on the
    left.
    """
    if settings.repetition_penalty != 1:
        logits_BV = penalize_repetition(logits_BV, history_BT, settings.repetition_penalty, mask_BT)
    if settings.no_repeat_ngram_size:
        logits_BV = ban_repeated_ngrams(logits_BV, history_BT, settings.no_repeat_ngram_size, mask_BT)
    if settings.is_greedy:
        return logits_BV
    return _warped(logits_BV, settings)


def _warped(logits_BV: Tensor, settings: SamplingSettings) -> Tensor:
    """Apply what only random sampling uses; temperature comes first, so the filters see the scaled odds."""
    if settings.temperature != 1:
        logits_BV = scale_by_temperature(logits_BV, settings.temperature)
    if settings.top_k:
        logits_BV = keep_top_k(logits_BV, settings.top_k)
    if settings.top_p < 1:
        logits_BV = keep_top_p(logits_BV, settings.top_p)
    if settings.min_p:
        logits_BV = keep_min_p(logits_BV, settings.min_p)
    return logits_BV


def penalize_repetition(logits_BV: Tensor, ids_BT: Tensor, penalty: float, mask_BT: Tensor | None = None) -> Tensor:
    """Make the tokens of the history less likely, each once however often it occurred (CTRL, arXiv:1909.05858).

    A negative logit is multiplied and a positive one divided, so that a penalty above 1 lowers both.
    """
    V = logits_BV.shape[-1]
    if mask_BT is not None:
        ids_BT = ids_BT.masked_fill(~mask_BT, V)
    # A spare column takes the padding, and any id that the model can read but not write.
    ids_BT = ids_BT.clamp(max=V)
    padded_BU = torch.nn.functional.pad(logits_BV, (0, 1))
    seen_BT = padded_BU.gather(1, ids_BT)
    penalized_BT = torch.where(seen_BT < 0, seen_BT * penalty, seen_BT / penalty)
    return padded_BU.scatter(1, ids_BT, penalized_BT)[:, :V]


def ban_repeated_ngrams(logits_BV: Tensor, ids_BT: Tensor, ngram_size: int, mask_BT: Tensor | None = None) -> Tensor:
    """Ban every token that would complete an n-gram the history already holds.

    transformers takes no mask here and counts padding as tokens; with ``mask_BT`` a padded row is treated as if it
    had come alone.
    """
    T, V = ids_BT.shape[1], logits_BV.shape[-1]
    if ngram_size > T:
        return logits_BV
    windows_BWN = ids_BT.unfold(1, ngram_size, 1)
    matches_BW = (windows_BWN[..., :-1] == ids_BT[:, None, T + 1 - ngram_size :]).all(dim=-1)
    if mask_BT is not None:
        # The n-gram begun is real where any window is, because padding is on the left.
        matches_BW &= mask_BT.unfold(1, ngram_size, 1).all(dim=-1)
    # A window that does not match writes to a spare column, where it cannot lift another window's ban.
    completions_BW = torch.where(matches_BW, windows_BWN[..., -1].clamp(max=V), V)
    banned_BU = torch.zeros(len(ids_BT), V + 1, dtype=torch.bool, device=logits_BV.device)
    banned_BU.scatter_(1, completions_BW, True)
    return logits_BV.masked_fill(banned_BU[:, :V], BANNED)


def scale_by_temperature(logits_BV: Tensor, temperature: float) -> Tensor:
    return logits_BV / temperature


def keep_top_k(logits_BV: Tensor, k: int) -> Tensor:
    """Keep the k most probable tokens and all that tie with the last of them; a k above V keeps everything."""
    kth_B1 = logits_BV.topk(min(k, logits_BV.shape[-1])).values[:, -1:]
    return logits_BV.masked_fill(logits_BV < kth_B1, BANNED)


def keep_top_p(logits_BV: Tensor, p: float) -> Tensor:
    """Keep the fewest most probable tokens that hold probability p together (nucleus, arXiv:1904.09751).

    Summed from the improbable end, as transformers does: the rounding of the sum decides at the border. Which of
    several equal tokens are kept there is up to the sort; a stable one would differ from transformers.
    """
    ascending_BV, order_BV = logits_BV.sort(dim=-1)
    improbable_BV = ascending_BV.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    improbable_BV[:, -1] = False
    return logits_BV.masked_fill(improbable_BV.scatter(1, order_BV, improbable_BV), BANNED)


def keep_min_p(logits_BV: Tensor, p: float) -> Tensor:
    """Keep tokens at least p times as probable as the most probable one (arXiv:2407.01082)."""
    probabilities_BV = logits_BV.softmax(dim=-1)
    best_B1 = probabilities_BV.amax(dim=-1, keepdim=True)
    return logits_BV.masked_fill(probabilities_BV < p * best_B1, BANNED)
