"""A GGUF file with a tokenizer of ours and the smallest Llama that llama.cpp loads, of zeros."""

import gguf
import numpy as np

from smidgen.tokenization.llama_cpp import pre_tokenizer_name

WIDTH, HEADS = 32, 2


def write_gguf(tokenizer, path):
    definition = tokenizer.definition
    name = pre_tokenizer_name(definition.splits, definition.rules)
    assert name is not None, "llama.cpp has no pre-tokenizer for it"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(4096)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    _add_tokenizer(writer, tokenizer, name)
    for tensor, shape in _shapes(tokenizer.vocab_size).items():
        writer.add_tensor(tensor, np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer, tokenizer, pre_tokenizer):
    definition = tokenizer.definition
    control = len(definition.special_tokens.present)
    ordinary = len(definition.tokens) - control
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(definition.tokens)
    writer.add_token_types([*[gguf.TokenType.CONTROL] * control, *[gguf.TokenType.NORMAL] * ordinary])
    writer.add_token_merges([" ".join(merge) for merge in definition.merges])
    writer.add_bos_token_id(tokenizer.end_of_text_id)
    writer.add_eos_token_id(tokenizer.end_of_text_id)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)


def _shapes(vocab_size):
    squares = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    return {
        "token_embd.weight": (vocab_size, WIDTH),
        "output_norm.weight": (WIDTH,),
        **{f"blk.0.{norm}.weight": (WIDTH,) for norm in ("attn_norm", "ffn_norm")},
        **{f"blk.0.{square}.weight": (WIDTH, WIDTH) for square in squares},
    }
