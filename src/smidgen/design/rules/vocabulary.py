"""Whether the vocabulary suits the model and its text."""

import math
from collections.abc import Iterator

from smidgen.design import evidence
from smidgen.design.finding import Finding
from smidgen.design.subject import Subject

# GPT-S-5M and Atom-3.4m spend 15% and 23% on the vocabulary, Ant-5M (a failure) 44% (their cards).
LARGE_EMBEDDING_SHARE = 0.40
# Sizes are suggested in these steps, and none below twice the bytes.
VOCABULARY_STEP, SMALLEST_VOCABULARY = 256, 512
# How often training should see the rarest entry (assumed).
FEWEST_SIGHTS = 100
# Rows without a token that are worth a word; tables are often filled up to a multiple of 64 or 128.
UNUSED_SHARE = 0.01
EULER_GAMMA = 0.5772


def embedding_share(subject: Subject) -> Iterator[Finding]:
    shape, counts = subject.shape, subject.counts
    tables = shape.vocab_size * shape.hidden_size * (1 if shape.tied else 2)
    share = tables / counts.total
    if share <= LARGE_EMBEDDING_SHARE:
        return
    rest = counts.total - tables
    allowed = LARGE_EMBEDDING_SHARE / (1 - LARGE_EMBEDDING_SHARE) * rest
    smaller = int(allowed / tables * shape.vocab_size) // VOCABULARY_STEP * VOCABULARY_STEP
    if smaller >= SMALLEST_VOCABULARY:
        freed = tables - tables // shape.vocab_size * smaller
        changes = {"design.vocab_size": smaller}
        effect = f"that frees {freed:,} parameters; 2,048 to 5,000 entries are usual at a few million parameters"
    else:
        layer = (counts.attention + counts.feed_forward + counts.norms - shape.hidden_size) / shape.num_layers
        more = math.ceil((tables / LARGE_EMBEDDING_SHARE - counts.total) / layer)
        changes = {"design.num_layers": shape.num_layers + more}
        effect = "the vocabulary is small already, it is the rest that is smaller"
    yield Finding(
        code="embedding-share",
        severity="warning",
        message=f"the vocabulary takes {share:.1%} of all parameters ({tables:,} of {counts.total:,})",
        evidence=evidence.EMBEDDING_SHARE,
        changes=changes,
        effect=effect,
    )


def rare_tokens(subject: Subject) -> Iterator[Finding]:
    """The vocabulary against the size of the corpus."""
    if subject.training is None:
        return
    entries, tokens = subject.shape.vocab_size, subject.training.tokens
    sights = _sights_of_rarest(entries, tokens)
    if sights >= FEWEST_SIGHTS:
        return
    smaller = entries
    while smaller > SMALLEST_VOCABULARY and _sights_of_rarest(smaller, tokens) < FEWEST_SIGHTS:
        smaller = max(SMALLEST_VOCABULARY, (smaller - 1) // VOCABULARY_STEP * VOCABULARY_STEP)
    enough = _sights_of_rarest(smaller, tokens) >= FEWEST_SIGHTS
    needed = math.ceil(tokens * FEWEST_SIGHTS / sights / 1e5) * 100_000
    yield Finding(
        code="rare-tokens",
        severity="warning",
        message=f"the rarest of {entries:,} entries will be seen about {sights:.0f} times in {tokens:,} tokens",
        evidence=evidence.RARE_TOKENS,
        changes={"design.vocab_size": smaller} if enough else {"training.tokens": needed},
        effect=f"{FEWEST_SIGHTS} times are wanted",
    )


def unused_ids(subject: Subject) -> Iterator[Finding]:
    """The rows of the table against the tokens that the tokenizer can give."""
    entries, shape = subject.tokenizer_entries, subject.shape
    if entries is None or entries == shape.vocab_size:
        return
    if entries > shape.vocab_size:
        yield Finding(
            code="missing-ids",
            severity="error",
            message=f"the tokenizer gives {entries:,} ids and the table has {shape.vocab_size:,} rows",
            evidence=evidence.UNUSED_IDS,
            changes={"design.vocab_size": entries},
            effect="or take the tokenizer that belongs to the model",
        )
        return
    unused = shape.vocab_size - entries
    if unused > UNUSED_SHARE * shape.vocab_size:
        yield Finding(
            code="unused-ids",
            severity="warning",
            message=f"{unused:,} of {shape.vocab_size:,} rows of the vocabulary belong to no token: "
            f"{unused * shape.hidden_size * (1 if shape.tied else 2):,} parameters",
            evidence=evidence.UNUSED_IDS,
            changes={"design.vocab_size": entries},
        )


def unseen_ids(subject: Subject) -> Iterator[Finding]:
    """Tokens that exist and that the text of the run does not use: made of others, or learned from other text."""
    seen, shape = subject.entries_seen, subject.shape
    if seen is None:
        return
    unseen = shape.vocab_size - seen.entries
    if unseen <= UNUSED_SHARE * shape.vocab_size:
        return
    yield Finding(
        code="unseen-ids",
        severity="warning",
        message=f"{unseen:,} of {shape.vocab_size:,} entries of the vocabulary occur nowhere in {seen.tokens:,} "
        f"tokens of the training text: {unseen * shape.hidden_size * (1 if shape.tied else 2):,} parameters",
        evidence=evidence.UNSEEN_IDS,
        changes={"design.vocab_size": seen.entries},
        effect="or train the tokenizer on the text that the model will see",
    )


def _sights_of_rarest(entries: int, tokens: int) -> float:
    """By Zipf's law: the n-th most frequent entry has 1/n of the first one's frequency, and all sum to 1."""
    return tokens / (entries * (math.log(entries) + EULER_GAMMA))
