"""Keys and values of the tokens seen so far, so that decoding computes each token once."""

from torch import Tensor


class KVCache:
    """A growing store of keys and values per layer.

    ``update`` and ``get_seq_length`` have the names and meaning of ``transformers.Cache``, so that the attention
    layer works with either and an export needs no second code path.
    """

    def __init__(self) -> None:
        self._keys: list[Tensor] = []
        self._values: list[Tensor] = []
        self._lengths: list[int] = []

    @property
    def length(self) -> int:
        """Number of tokens stored (0 while empty)."""
        return self._lengths[-1] if self._lengths else 0

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self._lengths[layer_idx] if layer_idx < len(self._lengths) else 0

    def update(self, k_BKTD: Tensor, v_BKTD: Tensor, layer_idx: int) -> tuple[Tensor, Tensor]:
        """Append the keys and values of new tokens; return those of all tokens, (B, K, S, D) each."""
        if layer_idx == len(self._keys):
            self._keys.append(_room_for(k_BKTD, k_BKTD.shape[2]))
            self._values.append(_room_for(v_BKTD, v_BKTD.shape[2]))
            self._lengths.append(0)
        start = self._lengths[layer_idx]
        end = start + k_BKTD.shape[2]
        if end > self._keys[layer_idx].shape[2]:
            self._keys[layer_idx] = _grown(self._keys[layer_idx], start, end)
            self._values[layer_idx] = _grown(self._values[layer_idx], start, end)
        self._keys[layer_idx][:, :, start:end] = k_BKTD
        self._values[layer_idx][:, :, start:end] = v_BKTD
        self._lengths[layer_idx] = end
        return self._keys[layer_idx][:, :, :end], self._values[layer_idx][:, :, :end]


def _room_for(x_BKTD: Tensor, tokens: int) -> Tensor:
    # Twice what is needed: copying at each doubling costs less in all than copying at each token.
    return x_BKTD.new_empty((*x_BKTD.shape[:2], 2 * max(tokens, 32), x_BKTD.shape[3]))


def _grown(store: Tensor, used: int, needed: int) -> Tensor:
    larger = _room_for(store, needed)
    larger[:, :, :used] = store[:, :, :used]
    return larger
