"""What a training of billions of tokens takes: storage, time and cost on named hardware."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from smidgen.design.hardware import HARDWARE, TOKENISING_BYTES_PER_SECOND, hardware_named, training_tokens_per_second
from smidgen.design.shape import Shape, shape_of
from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig

# Shards hold ids in two bytes, in four where the vocabulary needs them (data/shards.py).
TWO_BYTE_IDS = 65_535
# Measured on installed documentation with 4,096 entries (3.37); other text and vocabularies differ by a third or so.
BYTES_PER_TOKEN = 3.4
MOST_TOKENS = 10**15


def scale_plan(
    design: ModelConfig | Shape, tokens: int, *, price_per_hour: Mapping[str, float] = MappingProxyType({})
) -> dict[str, Any]:
    """Storage, tokenising and training of so many tokens; ``price_per_hour`` is by the name of hardware.

    A cost is there only for hardware with a price: none is invented. Raises ``BadInput`` for no tokens, hardware
    that is not known and a price that is none.
    """
    if not 1 <= tokens <= MOST_TOKENS:
        raise BadInput(
            f"a plan for {tokens} tokens cannot be made; between 1 and {MOST_TOKENS:.0e} would work, 25B say"
        )
    prices = {hardware_named(name).name: _price(name, price) for name, price in price_per_hour.items()}
    shape = shape_of(design)
    text_bytes = tokens * BYTES_PER_TOKEN
    return {
        "tokens": tokens,
        "shard_bytes": tokens * (2 if shape.vocab_size <= TWO_BYTE_IDS else 4),
        "text_bytes": round(text_bytes),
        "bytes_per_token": BYTES_PER_TOKEN,
        "tokenising_seconds": round(text_bytes / TOKENISING_BYTES_PER_SECOND),
        "tokenising_basis": "measured",
        "hardware": [
            {**rate, "seconds": round(tokens / rate["tokens_per_second"]), **_cost(rate, tokens, prices)}
            for rate in training_rates(shape)
        ],
    }


def training_rates(design: ModelConfig | Shape) -> list[dict[str, Any]]:
    """Tokens per second of training on all hardware of which a rate is known, with its basis and source."""
    return [
        {
            "name": hardware.name,
            "description": hardware.description,
            "tokens_per_second": round(training_tokens_per_second(design, hardware), 1),
            "basis": hardware.basis,
            "source": hardware.source,
        }
        for hardware in HARDWARE
    ]


def _cost(rate: dict[str, Any], tokens: int, prices: Mapping[str, float]) -> dict[str, float | None]:
    price = prices.get(rate["name"])
    hours = tokens / rate["tokens_per_second"] / 3600
    return {"cost": None if price is None else round(hours * price, 2)}


def _price(name: str, price: float) -> float:
    if not 0 <= price < float("inf"):
        raise BadInput(f"--price-per-hour {name}={price} must be a price, {name}=2.50 for example")
    return price
