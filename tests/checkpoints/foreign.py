"""Small models as others publish them: written by transformers, with tokenizers made by tokenizers."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

from smidgen.data.grammar import minimal_pairs

VOCAB_SIZE, ENTRIES, CONTEXT = 331, 310, 44
SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 50,
    "max_position_embeddings": CONTEXT,
    "vocab_size": VOCAB_SIZE,
    "initializer_range": 0.3,
}
GROUPED = {"num_key_value_heads": 1, "head_dim": 8}
CONFIGS = {
    "gpt2": GPT2Config(
        n_embd=24, n_layer=2, n_head=3, n_positions=CONTEXT, vocab_size=VOCAB_SIZE, initializer_range=0.3
    ),
    "gpt_neox": GPTNeoXConfig(**SIZES),
    "qwen2": Qwen2Config(**SIZES, num_key_value_heads=1),
    "qwen3": Qwen3Config(**SIZES, **GROUPED),
    "llama": LlamaConfig(**SIZES, **GROUPED),
}

# What a folder can bring along in modeling_canary.py; it shows that it ran.
CODE = """
from pathlib import Path
from transformers import GPT2Config, GPT2LMHeadModel

Path({marker!r}).touch()

class CanaryConfig(GPT2Config):
    model_type = "canary"

class CanaryModel(GPT2LMHeadModel):
    config_class = CanaryConfig
"""
AUTO_MAP = {"AutoConfig": "modeling_canary.CanaryConfig", "AutoModelForCausalLM": "modeling_canary.CanaryModel"}


def write_model(folder: Path, config: PretrainedConfig = CONFIGS["gpt2"], *, adds_bos: bool = False) -> Path:
    """A folder of random weights with a tokenizer that puts BOS before every text or does not."""
    torch.manual_seed(2)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer(adds_bos=adds_bos).save_pretrained(folder)
    return folder


def tokenizer(*, adds_bos: bool = False, adds_eos: bool = False, **named: str) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([pair.good for pair in minimal_pairs(seed=1, per_phenomenon=20)], trainer)
    if adds_bos or adds_eos:
        bpe.post_processor = processors.TemplateProcessing(
            single="<s> " * adds_bos + "$A" + " </s>" * adds_eos,
            pair="$A $B",
            special_tokens=[("<s>", 0), ("</s>", 1)],
        )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, **(named or {"bos_token": "<s>", "eos_token": "</s>"}))


def edit(file: Path, **changes: object) -> None:
    """Change keys of a JSON file, or make it."""
    values = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**values, **changes}))
