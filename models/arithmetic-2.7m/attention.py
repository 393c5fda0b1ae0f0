"""Grouped-query causal attention, optionally with norms of queries and keys and without a token's own value (XSA).

The only module that mixes tokens.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig
from .kv_cache import KVCache
from .norm import RMSNorm
from .rope import rotate

# Squared length from which on a value vector is excluded in full. The gradient of the quotient below holds
# |y| / |v|^3, which overflows float32 near |v| = 1e-13 and makes NaN; at 1e-10 eight decades are left.
LEAST_SQUARED_VALUE = 1e-20


class Attention(nn.Module):
    """Let every token read earlier ones: (B, T, C) -> (B, T, C)."""

    def __init__(self, config: ModelConfig, layer_idx: int) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        self.num_kv_heads = config.num_kv_heads
        self.xsa = config.xsa
        self.layer_idx = layer_idx
        query_channels = config.num_heads * config.head_dim
        kv_channels = config.num_kv_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, query_channels, bias=config.attention_bias)
        self.k_proj = nn.Linear(config.hidden_size, kv_channels, bias=config.attention_bias)
        self.v_proj = nn.Linear(config.hidden_size, kv_channels, bias=config.attention_bias)
        self.o_proj = nn.Linear(query_channels, config.hidden_size, bias=config.attention_bias)
        self.q_norm = RMSNorm(config.head_dim, config.rms_norm_eps) if config.qk_norm else None
        self.k_norm = RMSNorm(config.head_dim, config.rms_norm_eps) if config.qk_norm else None

    def forward(
        self,
        x_BTC: Tensor,
        rotation: tuple[Tensor, Tensor],
        mask_B1TS: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """``mask_B1TS`` is True where a token may be read; None means plain causal order from the first token."""
        return self.o_proj(self.read(x_BTC, rotation, mask_B1TS, cache))

    def read(
        self,
        x_BTC: Tensor,
        rotation: tuple[Tensor, Tensor],
        mask_B1TS: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """What the query heads of every token take from the tokens it reads: (B, T, C) -> (B, T, H D)."""
        B, T, _ = x_BTC.shape
        q_BHTD, k_BKTD = self.queries(x_BTC, rotation), self.keys(x_BTC, rotation)
        v_BKTD = self._heads(self.v_proj(x_BTC))
        k_BKSD, v_BKSD = (k_BKTD, v_BKTD) if cache is None else cache.update(k_BKTD, v_BKTD, self.layer_idx)
        # Only where groups are: the ONNX exporter refuses them where every head has its own keys.
        grouped = q_BHTD.shape[1] != k_BKSD.shape[1]
        y_BHTD = F.scaled_dot_product_attention(
            q_BHTD, k_BKSD, v_BKSD, attn_mask=mask_B1TS, is_causal=mask_B1TS is None, enable_gqa=grouped
        )
        if self.xsa:
            y_BHTD = exclude_own_value(y_BHTD, v_BKTD)
        return y_BHTD.transpose(1, 2).reshape(B, T, -1)

    def queries(self, x_BTC: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """What looks: (B, T, C) -> (B, H, T, D), turned by position."""
        return rotate(self._heads(heads_normed(self.q_proj(x_BTC), self.q_norm)), *rotation)

    def keys(self, x_BTC: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """What queries look for: (B, T, C) -> (B, K, T, D), turned by position."""
        return rotate(self._heads(heads_normed(self.k_proj(x_BTC), self.k_norm)), *rotation)

    def _heads(self, x_BTP: Tensor) -> Tensor:
        B, T, _ = x_BTP.shape
        return x_BTP.view(B, T, -1, self.head_dim).transpose(1, 2)


def heads_normed(x_BTP: Tensor, norm: RMSNorm | None) -> Tensor:
    """Every head of every token through the norm of its D channels, if there is one: (B, T, P) -> (B, T, P)."""
    if norm is None:
        return x_BTP
    # Heads stand where tokens do otherwise, so that the norms of several models in a stack do the same.
    x_BND = x_BTP.unflatten(-1, (-1, norm.weight.shape[-1])).flatten(1, 2)
    return norm(x_BND).reshape(x_BTP.shape).to(x_BTP.dtype)


def exclude_own_value(y_BHTD: Tensor, v_BKTD: Tensor) -> Tensor:
    """Subtract from each head's output its projection on the token's own value vector (arXiv:2603.09078).

    The residual stream already holds what a token knows about itself, so attention is left to carry what is new.
    Only the values of the tokens given now are needed, so a cache changes nothing. Values are broadcast over
    their group instead of repeated. Where output equals value (the first token) the result is exactly zero,
    because both sums of the coefficient are then the same sum.
    """
    B, H, T, D = y_BHTD.shape
    K = v_BKTD.shape[1]
    y_BKGTD = y_BHTD.view(B, K, H // K, T, D).float()
    v_BK1TD = v_BKTD[:, :, None].float()
    along_BKGT1 = (y_BKGTD * v_BK1TD).sum(dim=-1, keepdim=True)
    length_BK1T1 = (v_BK1TD * v_BK1TD).sum(dim=-1, keepdim=True)
    share_BKGT1 = along_BKGT1 / length_BK1T1.clamp_min(LEAST_SQUARED_VALUE)
    return (y_BKGTD - share_BKGT1 * v_BK1TD).view(B, H, T, D).to(y_BHTD.dtype)
