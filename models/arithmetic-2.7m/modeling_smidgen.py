"""A Smidgen decoder as a model of ``transformers``: loading, loss and ``generate()``.

The mathematics is in decoder.py and the files it imports, unchanged from the program that trained the model. They
need only torch. Shapes are written at the end of tensor names:
    B batch    T tokens given now    S tokens seen so far    C channels    V vocabulary
"""

from typing import Any

from torch import Tensor, nn
from transformers import DynamicCache, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

# What is not used here is imported because version 4 of transformers, given a local folder, copies to its cache only
# the files that this one imports, and not those that they import.
from .attention import Attention  # noqa: F401
from .block import Block  # noqa: F401
from .config import ModelConfig  # noqa: F401
from .configuration_smidgen import SmidgenConfig
from .decoder import Decoder
from .digit_features import DigitFeatures, token_classes
from .feed_forward import FeedForward  # noqa: F401
from .kv_cache import KVCache  # noqa: F401
from .norm import RMSNorm  # noqa: F401
from .rope import rotary_angles  # noqa: F401


class SmidgenForCausalLM(PreTrainedModel, GenerationMixin):
    """A causal language model with exclusive self attention and digit features where its configuration says so.

    Attention is one function, whatever ``attn_implementation`` is asked for: "eager" and "sdpa" give the same
    logits, and others are refused by ``transformers``.
    """

    config_class = SmidgenConfig
    # Weights are stored under the names they have here; there is no base model to load them into.
    base_model_prefix = ""
    _supports_sdpa = True
    _no_split_modules = ["Block"]  # noqa: RUF012 (as transformers declares it)
    # The Trainer then divides the loss by the tokens of all accumulated batches.
    accepts_loss_kwargs = True

    def __init__(self, config: SmidgenConfig) -> None:
        super().__init__(config)
        self.model = Decoder(config.model_config())
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        history_ids: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
    ) -> CausalLMOutputWithPast | tuple[Any, ...]:
        """Logits of the next token after each given one: (B, T) -> (B, T, V), and the loss when there are labels.

        ``attention_mask`` is 1 for tokens and 0 for padding, over all positions so far (B, S). ``history_ids`` are
        all token ids so far, the given ones included (B, S): digit features are derived from them once the cache
        holds tokens; ``generate()`` passes them by itself. Everything else is as in ``LlamaForCausalLM``.
        """
        if inputs_embeds is not None or input_ids is None:
            raise ValueError("give input_ids: inputs_embeds cannot be used, as digit features are derived from ids")
        if output_attentions or output_hidden_states:
            raise ValueError("attention weights and hidden states are not returned; the logits are all there is")
        if use_cache is None:
            use_cache = self.config.use_cache
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache()
        self._check_memory(past_key_values, attention_mask, history_ids)
        x_BTC = self.model.hidden_states(
            input_ids,
            history_BS=history_ids,
            attention_mask_BS=attention_mask,
            position_ids_BT=position_ids,
            cache=past_key_values,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits_BTV = self.model.logits(x_BTC[:, kept])
        loss = None if labels is None else self._loss(logits_BTV, labels, num_items_in_batch)
        output = CausalLMOutputWithPast(
            loss=loss, logits=logits_BTV, past_key_values=past_key_values if use_cache else None
        )
        return output.to_tuple() if return_dict is False else output

    def prepare_inputs_for_generation(self, input_ids: Tensor, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Only the newest ids go through the layers, but digit features need all of them."""
        # transformers declares it for a type of its own that no model inherits.
        inputs = super().prepare_inputs_for_generation(input_ids, *args, **kwargs)  # type: ignore[misc, arg-type]
        if self.model.digit_features is not None:
            inputs["history_ids"] = input_ids
        # Version 4 adds positions within the cache, which our attention does not need.
        inputs.pop("cache_position", None)
        return inputs

    def get_input_embeddings(self) -> nn.Module:
        return self.model.embed_tokens

    def get_output_embeddings(self) -> nn.Module | None:
        """The output matrix, None where it is the input matrix."""
        return self.model.lm_head

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Embedding:
        raise NotImplementedError(
            "the vocabulary of a Smidgen model cannot be resized here: its settings and digit features are tied to "
            "it; train with another design.vocab_size instead"
        )

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, DigitFeatures):
            # transformers 5 builds the model without memory, and what no file holds would stay arbitrary.
            settings = self.model.config
            module.class_V.copy_(token_classes(settings.digit_token_ids, settings.vocab_size))

    def _loss(self, logits_BTV: Tensor, labels_BT: Tensor, num_items_in_batch: Tensor | int | None) -> Tensor:
        """Cross entropy of each next token, shifted here; labels of -100 are left out."""
        return self.loss_function(
            logits=logits_BTV,
            labels=labels_BT,
            vocab_size=self.config.vocab_size,
            num_items_in_batch=num_items_in_batch,
        )

    def _check_memory(self, cache: Any, attention_mask: Tensor | None, history_ids: Tensor | None) -> None:
        """Raise ``ValueError`` for a cache, mask or missing history with which the logits would be wrong."""
        if cache is not None and getattr(cache, "is_compileable", False):
            raise ValueError("a cache of fixed size is not supported; use DynamicCache, the default of generate()")
        if attention_mask is not None and attention_mask.ndim != 2:
            raise ValueError(
                f"attention_mask has {attention_mask.ndim} axes; give 1 for tokens and 0 for padding, (batch, tokens)"
            )
        past_tokens = 0 if cache is None else cache.get_seq_length()
        if self.model.digit_features is not None and past_tokens and history_ids is None:
            raise ValueError(
                "digit features are derived from all tokens so far: with a filled cache also give history_ids, the "
                "ids of all tokens including the new ones; generate() does so by itself"
            )
