"""The settings of a Smidgen model as ``transformers`` reads them from ``config.json``."""

from typing import Any

from transformers import PretrainedConfig

from .config import DigitTokenIds, ModelConfig

# The names under which tools look for a model's shape -> ours.
STANDARD_NAMES = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "num_key_value_heads": "num_kv_heads",
    "head_dim": "head_dim",
    "intermediate_size": "intermediate_size",
    "max_position_embeddings": "context_length",
    "rms_norm_eps": "rms_norm_eps",
    "tie_word_embeddings": "tie_embeddings",
    "attention_bias": "attention_bias",
    "mlp_bias": "mlp_bias",
    "initializer_range": "initializer_range",
}


class SmidgenConfig(PretrainedConfig):
    """``smidgen`` holds the settings that the model is built from, see ``ModelConfig`` in config.py.

    The standard names repeat them for tools. Raises ``ValueError`` when the two disagree, so that an edit of one
    of them cannot pass unnoticed.
    """

    model_type = "smidgen"
    keys_to_ignore_at_inference = ["past_key_values"]  # noqa: RUF012 (annotated, it would become a dataclass field)

    def __init__(self, smidgen: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self.smidgen = smidgen
        self.use_cache = kwargs.pop("use_cache", True)
        # Version 5 no longer sets these three, but reads them.
        token_ids = {name: kwargs.pop(name, None) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
        # transformers compares with a configuration built from nothing to find what is worth saving.
        standard = {} if smidgen is None else self._standard_settings()
        for name, value in standard.items():
            if kwargs.pop(name, value) != value:
                raise ValueError(
                    f'config.json states another {name} than its "smidgen" part ({STANDARD_NAMES[name]}={value}); '
                    "the weights fit only one shape, so restore the file"
                )
        super().__init__(**standard, **token_ids, **kwargs)

    def model_config(self) -> ModelConfig:
        """Our own settings. Raises ``ValueError`` when there are none."""
        if self.smidgen is None:
            raise ValueError('config.json has no "smidgen" part, which holds the shape of the model')
        ids = self.smidgen.get("digit_token_ids")
        if ids is not None:
            ids = DigitTokenIds(**{key: tuple(v) if isinstance(v, list) else v for key, v in ids.items()})
        return ModelConfig(**{**self.smidgen, "digit_token_ids": ids})

    def _standard_settings(self) -> dict[str, Any]:
        settings = self.model_config()
        return {theirs: getattr(settings, ours) for theirs, ours in STANDARD_NAMES.items()}
