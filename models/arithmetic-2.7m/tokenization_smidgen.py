"""An ordinary byte-level BPE with reversible text rules around it: digit order and capitals, see text_rules.py.

tokenizer.json alone gives the same ids, as it holds the rules too: as many replacements, which take longer.
"""

import re
import threading
from copy import deepcopy
from itertools import groupby
from typing import Any

from tokenizers import decoders
from transformers import PreTrainedTokenizerFast

from .text_rules import TextRules

_TAKING_OUT = threading.Lock()


class SmidgenTokenizer(PreTrainedTokenizerFast):
    """Which rules are on is said by ``text_rules`` in tokenizer_config.json.

    A control token written out in a text is recognised, as with any tokenizer of transformers, unless
    ``split_special_tokens`` is set; the rules leave it alone.
    """

    # No __init__: version 5 then builds the tokenizer from tokenizer.json as it is, instead of from its vocabulary.
    _in_json: tuple[Any, Any] | None = None

    @property
    def rules(self) -> TextRules:
        """The rules, which from now on are applied here and no longer by what tokenizer.json says."""
        with _TAKING_OUT:
            if self._in_json is None:
                tokenizer = self.backend_tokenizer
                self._in_json = (tokenizer.normalizer, tokenizer.decoder)
                tokenizer.normalizer, tokenizer.decoder = None, decoders.ByteLevel()
        return TextRules(**self.init_kwargs["text_rules"])

    def _save_pretrained(self, *args: Any, **kwargs: Any) -> Any:
        """Write a tokenizer.json that holds the rules, as the one that was read."""
        names = super()._save_pretrained(*args, **kwargs)
        if self._in_json is not None:
            whole = deepcopy(self.backend_tokenizer)
            whole.normalizer, whole.decoder = self._in_json
            whole.save(names[-1])
        return names

    # Encoding passes through one method in version 4 of transformers and through another in version 5. Only that
    # one may apply the rules: turning digits round twice would undo it.
    if hasattr(PreTrainedTokenizerFast, "_batch_encode_plus"):

        def _batch_encode_plus(self, batch_text_or_text_pairs: Any, *args: Any, **kwargs: Any) -> Any:
            texts = self._with_rules(batch_text_or_text_pairs, kwargs)
            return super()._batch_encode_plus(texts, *args, **kwargs)  # type: ignore[misc] # is in version 4 only

    else:

        def _encode_plus(self, text: Any, text_pair: Any = None, *args: Any, **kwargs: Any) -> Any:
            text, text_pair = self._with_rules(text, kwargs), self._with_rules(text_pair, kwargs)
            return super()._encode_plus(text, text_pair, *args, **kwargs)

    def _decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        """Control tokens end a text: no run of digits and no capital reaches across them."""
        added, rules = self.added_tokens_decoder, self.rules
        texts = []
        for is_added, group in groupby([token_ids] if isinstance(token_ids, int) else token_ids, added.__contains__):
            text = super()._decode(list(group), skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
            texts.append(text if is_added else rules.invert(text))
        return "".join(texts)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        rules = self.rules
        return rules.invert(super().convert_tokens_to_string(tokens))

    def _with_rules(self, texts: Any, options: dict[str, Any]) -> Any:
        """Apply the rules to a text, or to every text of a batch, of pairs or of words."""
        rules = self.rules
        if options.get("return_offsets_mapping"):
            raise NotImplementedError("offsets would point into the rewritten text; this tokenizer cannot give them")
        if isinstance(texts, (list, tuple)):
            return type(texts)(self._with_rules(text, options) for text in texts)
        if not isinstance(texts, str):
            return texts
        split_special_tokens = options.get("split_special_tokens")
        if self.split_special_tokens if split_special_tokens is None else split_special_tokens:
            return rules.apply(texts)
        # Longest first, as one name may begin another; the brackets make the names found the parts at odd places.
        names = sorted(self.added_tokens_encoder, key=len, reverse=True)
        parts = re.split(f"({'|'.join(map(re.escape, names))})", texts)
        return "".join(part if place % 2 else rules.apply(part) for place, part in enumerate(parts))
