"""What is wrong or risky about a design, as data: code, severity, message, evidence, suggestion."""

from collections.abc import Iterator
from dataclasses import dataclass

from smidgen.design.parameters import count_parameters
from smidgen.model.config import ModelConfig

# GPT-S-5M and Atom-3.4m spend 15% and 23% on the vocabulary, Ant-5M (a failure) 44% (their cards).
LARGE_EMBEDDING_SHARE = 0.40
# The smallest head size of a published system of this size that works is 32 (GPT-S-5M); Ant-5M had 16.
SMALL_HEAD_DIM = 32
# Chinchilla's rule of 20 tokens per parameter (arXiv:2203.15556) is far below what micro models are given.
FEW_TOKENS_PER_PARAMETER = 20


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to know before training. ``severity`` is "error", "warning" or "note"."""

    code: str
    severity: str
    message: str
    evidence: str
    suggestion: str


def diagnose(config: ModelConfig, *, training_tokens: int | None = None) -> list[Finding]:
    """Findings on a design, the severest first."""
    found = [*_embedding_share(config), *_head_size(config), *_export_formats(config)]
    if training_tokens is not None:
        found += _tokens_per_parameter(config, training_tokens)
    order = ("error", "warning", "note")
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _embedding_share(config: ModelConfig) -> Iterator[Finding]:
    counts = count_parameters(config)
    share = counts.embedding / counts.total
    if share > LARGE_EMBEDDING_SHARE:
        smaller = max(512, config.vocab_size // 4 // 256 * 256)
        yield Finding(
            code="embedding-share",
            severity="warning",
            message=f"the vocabulary takes {share:.1%} of all parameters ({counts.embedding:,} of {counts.total:,})",
            evidence="Ant-5M failed at 44% (its card blames this among others); GPT-S-5M works at 15%, "
            "Atom-3.4m at 23%. Not yet shown by a controlled comparison.",
            suggestion=f"a vocabulary of {smaller} would free "
            f"{counts.embedding - counts.embedding * smaller // config.vocab_size:,} parameters",
        )


def _head_size(config: ModelConfig) -> Iterator[Finding]:
    if config.head_dim < SMALL_HEAD_DIM:
        yield Finding(
            code="head-size",
            severity="warning",
            message=f"each head has only {config.head_dim} channels",
            evidence="Ant-5M's post-mortem names head size 16 as a cause; GPT-S-5M works at 32. A hypothesis.",
            suggestion=f"num_heads = {max(1, config.hidden_size // 64)} would give head size "
            f"{config.hidden_size // max(1, config.hidden_size // 64)}",
        )


def _export_formats(config: ModelConfig) -> Iterator[Finding]:
    possible = {
        "XSA": config.xsa,
        "digit features": config.has_digit_features,
        "a logit soft-cap": config.logit_softcap > 0,
    }
    features = [name for name, on in possible.items() if on]
    if features:
        yield Finding(
            code="remote-code",
            severity="note",
            message=f"{' and '.join(features)} cannot be carried by a stock LlamaForCausalLM or by GGUF",
            evidence="llama.cpp loads XSA weights marked llama without a word and is wrong by 2.3 nats (measured)",
            suggestion="exports to Hugging Face then need trust_remote_code=True; turn the feature off to avoid it",
        )


def _tokens_per_parameter(config: ModelConfig, training_tokens: int) -> Iterator[Finding]:
    total = count_parameters(config).total
    if training_tokens < FEW_TOKENS_PER_PARAMETER * total:
        yield Finding(
            code="few-tokens",
            severity="note",
            message=f"{training_tokens / total:.1f} training tokens per parameter",
            evidence="20 are compute-optimal for large models (arXiv:2203.15556); the published micro models saw "
            "137 (Ant-5M) to 4,846 (GPT-S-5M)",
            suggestion=f"training.tokens={FEW_TOKENS_PER_PARAMETER * total} would give {FEW_TOKENS_PER_PARAMETER}",
        )
