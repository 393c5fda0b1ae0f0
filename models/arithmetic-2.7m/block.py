"""One layer: attention and feed-forward, each added to the residual stream after a norm."""

from torch import Tensor, nn

from .attention import Attention
from .config import ModelConfig
from .feed_forward import FeedForward
from .kv_cache import KVCache
from .norm import RMSNorm


class Block(nn.Module):
    """A pre-norm layer, (B, T, C) -> (B, T, C). Names are those of ``LlamaDecoderLayer``."""

    def __init__(self, config: ModelConfig, layer_idx: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, layer_idx)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = FeedForward(config)

    def forward(
        self,
        x_BTC: Tensor,
        rotation: tuple[Tensor, Tensor],
        mask_B1TS: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        x_BTC = x_BTC + self.self_attn(self.input_layernorm(x_BTC), rotation, mask_B1TS, cache)
        return x_BTC + self.mlp(self.post_attention_layernorm(x_BTC))
