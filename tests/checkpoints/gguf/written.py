"""Small GGUF files written by hand, which need neither llama.cpp nor the gguf package to be right."""

import struct

import numpy as np

TYPES = {int: 4, float: 6, bool: 7, str: 8, list: 9}
NUMBERS = {int: "<I", float: "<f", bool: "<?"}


def gguf_bytes(settings, tensors, *, version=3, magic=b"GGUF"):
    """``settings`` are whole numbers, fractions, booleans, texts and lists of one of them; tensors are float32."""
    head = magic + struct.pack("<IQQ", version, len(tensors), len(settings))
    head += b"".join(
        _text(key) + struct.pack("<I", TYPES[type(value)]) + _value(value) for key, value in settings.items()
    )
    offset, contents = 0, []
    for name, values in tensors.items():
        lengths = values.shape[::-1]
        head += _text(name) + struct.pack(f"<I{len(lengths)}QIQ", len(lengths), *lengths, 0, offset)
        content = values.astype(np.float32).tobytes()
        contents.append(content + bytes(-len(content) % 32))
        offset += len(contents[-1])
    return head + bytes(-len(head) % 32) + b"".join(contents)


def _value(value):
    if isinstance(value, list):
        inner = type(value[0]) if value else str
        return struct.pack("<IQ", TYPES[inner], len(value)) + b"".join(map(_value, value))
    return _text(value) if isinstance(value, str) else struct.pack(NUMBERS[type(value)], value)


def _text(text):
    content = text.encode()
    return struct.pack("<Q", len(content)) + content


def llama(**changes):
    """Settings and tensors of a Llama by others, with the 256 bytes and one merge; None leaves a setting out."""
    from smidgen.tokenization.byte_symbols import byte_symbols

    tokens = ["<|end|>", *byte_symbols(), "he"]
    settings = {
        "general.architecture": "llama",
        "llama.context_length": 32,
        "llama.embedding_length": 8,
        "llama.block_count": 1,
        "llama.feed_forward_length": 12,
        "llama.attention.head_count": 2,
        "llama.attention.head_count_kv": 1,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": 4,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3, *[1] * (len(tokens) - 1)],
        "tokenizer.ggml.merges": ["h e"],
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.ggml.bos_token_id": 0,
    }
    settings = {key: value for key, value in {**settings, **changes}.items() if value is not None}
    draw = np.random.default_rng(0)
    shapes = {
        "token_embd": (len(tokens), 8),
        "output_norm": (8,),
        "blk.0.attn_norm": (8,),
        "blk.0.ffn_norm": (8,),
        "blk.0.attn_q": (8, 8),
        "blk.0.attn_k": (4, 8),
        "blk.0.attn_v": (4, 8),
        "blk.0.attn_output": (8, 8),
        "blk.0.ffn_gate": (12, 8),
        "blk.0.ffn_up": (12, 8),
        "blk.0.ffn_down": (8, 12),
    }
    return settings, {f"{name}.weight": draw.standard_normal(shape) for name, shape in shapes.items()}
