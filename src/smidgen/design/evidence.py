"""What findings rest on: who says it, for or against, and how strong that is."""

from dataclasses import dataclass
from typing import Literal, get_args

Side = Literal["for", "against"]
# Strongest first. "arithmetic" follows from the numbers; "controlled" changed one thing alone, at this size;
# "measured" was seen by us without a control; "controlled at other sizes" is what papers mostly have; "law" was
# fitted to many models of other sizes; "correlational" compares models that differ in other things too;
# "hypothesis" is what somebody thinks.
Strength = Literal[
    "arithmetic", "controlled", "measured", "controlled at other sizes", "law", "correlational", "hypothesis"
]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)


@dataclass(frozen=True)
class Evidence:
    """``text`` as part of a sentence, ``source`` as a paper, a card or an entry of experiments.md."""

    side: Side
    strength: Strength
    text: str
    source: str


def strongest(items: tuple[Evidence, ...]) -> Strength:
    """The strength of the best evidence that there is, on either side."""
    return min((item.strength for item in items), key=STRENGTHS.index)


def told(items: tuple[Evidence, ...]) -> str:
    """All of it in a sentence or two, what speaks against at the end."""
    parts = []
    for side in ("for", "against"):
        found = [f"{item.text} ({item.source}; {item.strength})" for item in items if item.side == side]
        if found:
            parts.append(f"{side}: {'; '.join(found)}")
    return ". ".join(parts)


ANT, GPT_S, ATOM_34 = "card of Ant-5M", "card of GPT-S-5M", "card of Atom-3.4m"
OWN_COMPARISON = "experiments.md: the three suspects of Ant-5M"

# Holds against each of Ant's three causes.
FEW_TOKENS_TOO = Evidence(
    "against",
    "correlational",
    "Ant-5M also saw the fewest tokens of the five published systems, 0.65B against 3.5B to 25B",
    "their cards",
)
EMBEDDING_SHARE = (
    Evidence("for", "hypothesis", "Ant-5M, a failure, spends 44% on its vocabulary and blames that", ANT),
    Evidence(
        "for",
        "correlational",
        "GPT-S-5M and Atom-3.4m work with 15% and 23%, and the field's best have 2,048 to 5,000 entries",
        "their cards",
    ),
    Evidence(
        "for",
        "law",
        "the best vocabulary grows slower than the rest of a model, fitted from 33M parameters on",
        "arXiv:2407.13623",
    ),
    Evidence(
        "against",
        "correlational",
        "pythia-14m spends 92% on two tables and knows 66.8% of BLiMP's pairs, Ant-5M 50.8%",
        f"{GPT_S}, card of pythia-14m",
    ),
    Evidence(
        "against",
        "controlled",
        "with 4,096 entries instead of 16,384 Ant-5M's shape is worse by 0.12 bits per byte (0.10 to 0.14) after "
        "4.2M tokens at equal parameters, in part because its tokens hold a fifth less text",
        OWN_COMPARISON,
    ),
    FEW_TOKENS_TOO,
)
HEAD_SIZE = (
    Evidence("for", "hypothesis", "Ant-5M, a failure, has heads of 16 and asks for at least 64", ANT),
    Evidence(
        "for",
        "controlled at other sizes",
        "a head smaller than the sequence cannot express every pattern of attention, and larger heads helped BERT",
        "arXiv:2002.07028",
    ),
    Evidence("against", "correlational", "GPT-S-5M works with heads of 32, half of what Ant's card asks for", GPT_S),
    Evidence(
        "against",
        "controlled",
        "heads of 32 instead of 16 change Ant-5M's shape by 0.002 bits per byte (-0.026 to 0.031) after 4.2M tokens",
        OWN_COMPARISON,
    ),
    FEW_TOKENS_TOO,
)
KV_GROUPING = (
    Evidence("for", "hypothesis", "Ant-5M, a failure, has 4 query heads to a key-value head and blames that", ANT),
    Evidence(
        "for",
        "controlled at other sizes",
        "quality with groups lies between that of one key-value head for each query head and of one for all, in T5",
        "arXiv:2305.13245",
    ),
    Evidence(
        "against",
        "correlational",
        "GPT-S-5M and Atom-3.4m work with 3 to 1, the latter with a single key-value head",
        f"{GPT_S}, {ATOM_34}",
    ),
    Evidence(
        "against",
        "controlled",
        "2 query heads to a key-value head instead of 4 change Ant-5M's shape by -0.002 bits per byte (-0.015 to "
        "0.011) after 4.2M tokens",
        OWN_COMPARISON,
    ),
    FEW_TOKENS_TOO,
)
UNTRAINED_ROWS = Evidence(
    "for",
    "correlational",
    "entries that training hardly saw keep nearly their initial vectors and derail what is generated",
    "arXiv:2405.05417",
)
RARE_TOKENS = (
    UNTRAINED_ROWS,
    Evidence(
        "for", "hypothesis", "frequencies are taken to fall as 1/rank (Zipf); the limit is assumed", "this program"
    ),
)
UNUSED_IDS = (
    Evidence("for", "arithmetic", "no text ever reaches these rows", "tokenizer.json beside the configuration"),
)
UNSEEN_IDS = (
    Evidence("for", "arithmetic", "counted in the text that the run trains on", "the run's own shards"),
    UNTRAINED_ROWS,
)
DEPTH = (
    Evidence(
        "for",
        "correlational",
        "the published systems of this size have 12 (Ant-5M) to 80 (AtomixS2-5M) channels a layer",
        "their cards",
    ),
    Evidence(
        "for",
        "controlled at other sizes",
        "deep and thin was better at 125M and 350M parameters, at equal size",
        "arXiv:2402.14905",
    ),
    Evidence(
        "against",
        "law",
        "loss depends on the size and hardly on its shape: 48 layers of 1,600 and 6 of 4,288 are within 3%",
        "arXiv:2001.08361",
    ),
)
FEED_FORWARD = (
    Evidence(
        "for",
        "correlational",
        "the published systems of this size have 2.5 (Atom-2.7m) to 4 (Ant-5M) times the width, gated",
        "their cards",
    ),
    Evidence(
        "for",
        "controlled at other sizes",
        "8/3 of the width was used for gated layers, to hold parameters equal",
        "arXiv:2002.05202",
    ),
    Evidence("against", "law", "loss depends on the size and hardly on its shape", "arXiv:2001.08361"),
)
ROPE_ARITHMETIC = Evidence(
    "for", "arithmetic", "pair i of d channels turns once in 2 pi theta^(2i/d) tokens", "arXiv:2104.09864"
)
ROPE_NEVER_TURNS = (
    ROPE_ARITHMETIC,
    Evidence(
        "for",
        "correlational",
        "GPT-S-5M and Atom-3.4m chose theta 2,500 and 5,000 for 512 tokens rather than the usual 10,000",
        "their cards",
    ),
    Evidence(
        "against",
        "correlational",
        "slow pairs carry meaning rather than place, and models use them",
        "arXiv:2410.06205",
    ),
)
ROPE_ALIASES = (ROPE_ARITHMETIC,)
DOCUMENTS_CUT = (
    Evidence(
        "for", "controlled at other sizes", "fewer cut documents gave better models at 7B and 13B", "arXiv:2404.10830"
    ),
)
DOCUMENTS_SHORT = (
    Evidence(
        "for",
        "controlled at other sizes",
        "text of other documents before one's own harms, at 1.3B parameters",
        "arXiv:2402.13991",
    ),
    Evidence(
        "against", "arithmetic", "training.document_masks keeps documents apart at any context", "docs/training.md"
    ),
)
FEW_TOKENS = (
    Evidence("for", "law", "20 are optimal for the compute spent, from 70M parameters on", "arXiv:2203.15556"),
    Evidence(
        "for", "correlational", "the published micro models saw 137 (Ant-5M) to 4,846 (GPT-S-5M)", "their cards"
    ),
)
BATCH_AND_RATE = (
    Evidence("for", "law", "fitted to the compute of larger models, and extrapolated here", "arXiv:2401.02954"),
    Evidence(
        "for",
        "correlational",
        "GPT-S-5M took 262,144 tokens and 2.5e-3, where the law says 220,000 and 1.8e-3",
        GPT_S,
    ),
    Evidence(
        "for",
        "measured",
        "the quickstart is best near 4e-3 and 4,096 tokens, where the law says 6.4e-3 and 7,600",
        "experiments.md, 2026-11-21",
    ),
)
FEW_STEPS = (
    Evidence(
        "for",
        "measured",
        "the quickstart ended at 2.86 bits per byte after 61 steps, at 1.67 after 1,024 of a quarter of the size "
        "(and four times the text)",
        "experiments.md, 2026-11-21",
    ),
)
K_QUANTS = (
    Evidence(
        "for",
        "measured",
        "at a width of 192 a file called Q6_K is Q8_0 and Q4_K_M is Q5_0 and Q8_0, at 100 all is F16",
        "llama.cpp of October 2026",
    ),
)
CODE_ALONE = (
    Evidence(
        "for",
        "measured",
        "llama.cpp loads XSA weights marked llama without a word and is wrong by 2.3 nats",
        "llama.cpp of October 2026",
    ),
)
BUDGET = (Evidence("for", "arithmetic", "counted exactly", "smidgen design"),)
