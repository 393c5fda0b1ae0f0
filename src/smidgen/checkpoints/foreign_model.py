"""Models of any architecture that transformers knows, with what scoring and generation use of our decoder.

B batch    T tokens    S tokens so far    V vocabulary
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from smidgen.checkpoints.foreign_tokenizer import ForeignTokenizer
from smidgen.checkpoints.transformers_library import reading
from smidgen.errors import BadInput

# Where a config.json says how many positions there are, in the order in which lm-evaluation-harness looks.
POSITION_KEYS = ("n_positions", "max_position_embeddings", "n_ctx")
# What lm-evaluation-harness takes where neither model nor tokenizer names a length.
DEFAULT_CONTEXT = 2048
# Beyond this a tokenizer's limit means "none": transformers writes 1e30.
NO_LIMIT = 10**12


@dataclass(frozen=True, kw_only=True)
class ForeignConfig:
    """``vocab_size`` are the rows of the input embedding; ``max_positions`` is None where there is no such limit."""

    context_length: int
    vocab_size: int
    max_positions: int | None

    def __post_init__(self) -> None:
        if min(self.context_length, self.vocab_size) < 1:
            raise ValueError(f"{self} must have at least one position and one token")


class ForeignDecoder(nn.Module):
    """A causal language model of transformers. It keeps no keys and values: each new token reads all before it."""

    def __init__(self, model: Any, config: ForeignConfig) -> None:
        super().__init__()
        self.config = config
        self.model = model

    @property
    def embed_tokens(self) -> nn.Module:
        return self.model.get_input_embeddings()

    def forward(self, token_ids_BT: Tensor) -> Tensor:
        """Logits of the next token after each given one: (B, T) -> (B, T, V). Padding belongs on the right.

        Raises ``BadInput`` for more tokens than the model has positions.
        """
        T, positions = token_ids_BT.shape[1], self.config.max_positions
        if positions is not None and positions < T:
            raise BadInput(
                f"a text of {T} tokens does not fit the {positions} positions of this model; a --max-length of at "
                f"most {positions}, or a task with shorter endings, would work"
            )
        return self.model(token_ids_BT).logits

    def hidden_states(self, token_ids_BT: Tensor, *, history_BS: Tensor | None = None, cache: Any = None) -> Tensor:
        """Stands for the hidden states: the logits after ``token_ids_BT``, the last tokens of ``history_BS``.

        What lies between the last layer and the logits differs from model to model. ``cache`` is left alone.
        """
        T = token_ids_BT.shape[1]
        return self(token_ids_BT if history_BS is None else history_BS)[:, -T:]

    def logits(self, x_BTV: Tensor) -> Tensor:
        """What ``hidden_states`` gives are logits already."""
        return x_BTV


def require_known_architecture(path: Path, values: dict[str, Any]) -> None:
    """Raises ``BadInput`` for a config.json (``values``) that names neither a causal model that the installed
    transformers knows nor code of its own.
    """
    with reading(path) as (transformers, _):
        known = transformers.models.auto.modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        version = transformers.__version__
    kind = values.get("model_type")
    if "auto_map" not in values and (kind not in known or values.get("is_encoder_decoder")):
        raise BadInput(
            f"{path} has model_type {kind!r}, which is no causal language model that transformers {version} knows"
        )


def load_foreign_decoder(path: Path, tokenizer: ForeignTokenizer, *, remote_code: bool = False) -> ForeignDecoder:
    """Read the model of a folder that was checked, in float32.

    Raises ``BadInput`` for weights that do not fit, and for a model that is not causal.
    """
    with reading(path) as (transformers, options):
        model, found = transformers.AutoModelForCausalLM.from_pretrained(
            path,
            trust_remote_code=remote_code,
            use_safetensors=True,
            dtype=torch.float32,
            # A config.json may name a kernel of the hub here, which would be fetched and run.
            attn_implementation="eager",
            output_loading_info=True,
            **options,
        )
        if missing := sorted(found["missing_keys"]):
            raise BadInput(f"{path}: the weights lack {missing[0]} and {len(missing) - 1} more; they would be random")
        # A cache that nobody reads would only take memory.
        model.config.use_cache = False
        decoder = ForeignDecoder(model.eval(), _config(model, tokenizer))
        _refuse_looking_ahead(decoder, path)
    return decoder


def _config(model: Any, tokenizer: ForeignTokenizer) -> ForeignConfig:
    """As ``resolve_max_length`` of lm-evaluation-harness 0.4.13 finds the context."""
    config = getattr(model.config, "text_config", None) or model.config
    named = (getattr(config, key, None) for key in POSITION_KEYS)
    positions = next((int(value) for value in named if value is not None), None)
    limit = tokenizer.longest_text
    return ForeignConfig(
        context_length=positions or (limit if limit < NO_LIMIT else DEFAULT_CONTEXT),
        vocab_size=model.get_input_embeddings().weight.shape[0],
        max_positions=positions,
    )


@torch.inference_mode()
def _refuse_looking_ahead(decoder: ForeignDecoder, path: Path) -> None:
    """A model that reads later tokens, such as BERT, gives every text a wrong probability."""
    logits_BTV = decoder(torch.tensor([[0, 1, 0], [0, 1, 1]]))
    change_T = (logits_BTV[0] - logits_BTV[1]).abs().amax(dim=1)
    if change_T[:2].max() > 1e-3 * change_T[2]:
        raise BadInput(f"{path}: this model reads the tokens it should predict; only causal models can be scored")
