"""The whole model: token ids in, logits out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .block import Block
from .config import ModelConfig
from .digit_features import DigitFeatures
from .kv_cache import KVCache
from .norm import RMSNorm
from .rope import rotary_angles


class Decoder(nn.Module):
    """A causal language model. Parameter names are those of ``LlamaModel``, so weights move without renaming."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.digit_features = DigitFeatures(config) if config.has_digit_features else None
        self.layers = nn.ModuleList(Block(config, index) for index in range(config.num_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = None if config.tie_embeddings else nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    @property
    def head_weight(self) -> Tensor:
        """What the logits are products with: the embedding itself where the two are tied."""
        return (self.embed_tokens if self.lm_head is None else self.lm_head).weight

    def forward(
        self,
        token_ids_BT: Tensor,
        *,
        history_BS: Tensor | None = None,
        attention_mask_BS: Tensor | None = None,
        position_ids_BT: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Logits of the next token after each given one: (B, T) -> (B, T, V).

        With a cache, ``token_ids_BT`` are the new tokens only. ``history_BS`` are all ids so far including the
        new ones; digit features need it once the cache holds tokens. ``attention_mask_BS`` is 1 for real tokens
        and 0 for padding on the left, over all positions so far.
        """
        return self.logits(
            self.hidden_states(
                token_ids_BT,
                history_BS=history_BS,
                attention_mask_BS=attention_mask_BS,
                position_ids_BT=position_ids_BT,
                cache=cache,
            )
        )

    def hidden_states(
        self,
        token_ids_BT: Tensor,
        *,
        history_BS: Tensor | None = None,
        attention_mask_BS: Tensor | None = None,
        mask_B1TS: Tensor | None = None,
        position_ids_BT: Tensor | None = None,
        place_offset_B: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """The normalised residual stream after the last layer: (B, T) -> (B, T, C).

        ``mask_B1TS`` is what the layers get instead of the mask that follows from ``attention_mask_BS``.
        ``place_offset_B`` is added to the places of digits, in training only (arXiv:2405.17399).
        """
        past = 0 if cache is None else cache.get_seq_length()
        if position_ids_BT is None:
            position_ids_BT = _positions(token_ids_BT, past, attention_mask_BS)
        rotation = rotary_angles(position_ids_BT, self.config.head_dim, self.config.rope_theta)
        if mask_B1TS is None:
            mask_B1TS = attention_mask(token_ids_BT, past, attention_mask_BS)
        x_BTC = self._embedded(token_ids_BT, history_BS, attention_mask_BS, place_offset_B, past)
        for layer in self.layers:
            x_BTC = layer(x_BTC, rotation, mask_B1TS, cache)
        return self.norm(x_BTC)

    def logits(self, x_BTC: Tensor) -> Tensor:
        """Scores of every token of the vocabulary: (B, T, C) -> (B, T, V)."""
        return softcapped(F.linear(x_BTC, self.head_weight), self.config.logit_softcap)

    def _embedded(
        self,
        token_ids_BT: Tensor,
        history_BS: Tensor | None,
        attention_mask_BS: Tensor | None,
        place_offset_B: Tensor | None,
        past: int,
    ) -> Tensor:
        x_BTC = self.embed_tokens(token_ids_BT)
        if self.digit_features is None:
            return x_BTC
        if history_BS is None:
            if past:
                raise ValueError("digit features need history_BS (all ids so far) once the cache holds tokens")
            history_BS = token_ids_BT
        features_BSC = self.digit_features(history_BS, attention_mask_BS, place_offset_B)
        return x_BTC + features_BSC[:, -token_ids_BT.shape[1] :]


def softcapped(logits_BTV: Tensor, cap: float) -> Tensor:
    """Logits kept between minus and plus the cap, 0 for none."""
    # In float32, because bfloat16 would round what lies near the cap to the cap.
    return cap * torch.tanh(logits_BTV.float() / cap) if cap else logits_BTV


def attention_mask(token_ids_BT: Tensor, past: int, attention_mask_BS: Tensor | None) -> Tensor | None:
    """Which tokens each token may read, True for yes, (B, 1, T, S); None where plain causal order says it all.

    A padding token may read itself, because a row without any readable token would become NaN.
    """
    T = token_ids_BT.shape[1]
    if attention_mask_BS is None and past == 0:
        return None
    now_T1 = torch.arange(past, past + T, device=token_ids_BT.device)[:, None]
    then_1S = torch.arange(past + T, device=token_ids_BT.device)[None, :]
    mask_11TS = (then_1S <= now_T1)[None, None]
    if attention_mask_BS is None:
        return mask_11TS
    readable_B11S = attention_mask_BS.bool()[:, None, None, :]
    return (mask_11TS & readable_B11S) | (then_1S == now_T1)


def _positions(token_ids_BT: Tensor, past: int, attention_mask_BS: Tensor | None) -> Tensor:
    """Positions count real tokens from 0, so that padding on the left changes nothing."""
    T = token_ids_BT.shape[1]
    if attention_mask_BS is None:
        return torch.arange(past, past + T, device=token_ids_BT.device)[None, :]
    return (attention_mask_BS.long().cumsum(dim=1) - 1).clamp_min(0)[:, past:]
