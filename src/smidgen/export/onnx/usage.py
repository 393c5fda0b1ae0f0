"""The README of an export: what the file computes, and a program that runs as it stands."""

from smidgen.checkpoints.open_model import OpenModel

_README = """# {name} in ONNX

`model.onnx` is the whole decoder: embedding, {features}layers, head, in float32. One call reads new tokens and hands
on the keys and values of all, so that no token is read twice. It needs a runtime that knows opset {opset}, such as
onnxruntime 1.23 or later.

| | name | type | shape |
|---|---|---|---|
| input | `input_ids` | int64 | (batch, tokens): all ids so far, the new ones last |
| input | `attention_mask` | int64 | (batch, tokens): 1, or 0 for padding on the left |
| input | `past` | float32 | {past}: the last call's `present`, at first of length 0 |
| output | `logits` | float32 | (batch, new tokens, {vocab_size}) |
| output | `present` | float32 | {present}: the next call's `past` |

New are the tokens beyond the past: many at first, then one at a time. The context is {context_length} tokens; of a
longer text keep the last ones and begin again with an empty past. The file's metadata holds name, hashes, design and
the ids of control tokens; `generation_config.json` holds how its makers recommend to sample.

Greedy decoding, with `pip install numpy onnxruntime tokenizers`, from this folder:

```python
import json

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
session = onnxruntime.InferenceSession("model.onnx")
metadata = session.get_modelmeta().custom_metadata_map
stops = json.loads(metadata["stop_token_ids"])

ids = tokenizer.encode({prompt!r}).ids
past = np.zeros({empty_past}, np.float32)
while len(ids) < int(metadata["context_length"]):
    ids_1S = np.array([ids], np.int64)
    inputs = {{"input_ids": ids_1S, "attention_mask": np.ones_like(ids_1S), "past": past}}
    logits, past = session.run(["logits", "present"], inputs)
    token_id = int(logits[0, -1].argmax())
    if token_id in stops:
        break
    ids.append(token_id)
print(tokenizer.decode(ids))
```
"""
# Any text would do; this one has a name and a number.
PROMPT = "In 2024, Anna said"


def usage(model: OpenModel, opset: int) -> str:
    """The README in Markdown."""
    config = model.config
    L, K, D = config.num_layers, config.num_kv_heads, config.head_dim
    return _README.format(
        name=model.name,
        features="digit features, " if config.has_digit_features else "",
        opset=opset,
        past=f"({L}, 2, batch, {K}, past tokens, {D})",
        present=f"({L}, 2, batch, {K}, tokens, {D})",
        empty_past=(L, 2, 1, K, 0, D),
        vocab_size=config.vocab_size,
        context_length=config.context_length,
        prompt=PROMPT,
    )
