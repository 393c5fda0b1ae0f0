"""Pairs of texts become the ids that HFLM gives to the exported tokenizer, and it never stops where HFLM does."""

import random
from dataclasses import replace

import pytest
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoTokenizer

from smidgen.checkpoints.open_model import OpenModel
from smidgen.evaluation.pair_encoding import encode_pairs
from smidgen.export.hugging_face import export_hugging_face
from smidgen.model.decoder import Decoder
from smidgen.tokenization.training import train_tokenizer

from ...export.tiny import tiny_model
from ...tokenization.kinds import KINDS
from ...tokenization.sample_text import sample_texts

pytestmark = pytest.mark.filterwarnings("ignore")

VOCAB_SIZE = 600
PIECES = [
    *sample_texts(40),
    " ",
    "\n",
    "  ",
    "\t",
    "",
    "12",
    "7 + 9 =",
    "'s",
    "ß",
    "日本",
    "😀",
    "MiX",
    ".",
    "\u00a0",
    "x",
]


def random_pairs(count: int, seed: int) -> list[tuple[str, str]]:
    """Texts cut anywhere, inside words and numbers too; some contexts are empty or blank, no continuation is."""
    draw = random.Random(seed)
    found = []
    while len(found) < count:
        text = "".join(draw.choices(PIECES, k=2))
        start = draw.randrange(len(text) + 1)
        middle, end = sorted(min(len(text), start + draw.randrange(30)) for _ in range(2))
        if middle < end:
            found.append((text[start:middle], text[middle:end]))
    return found


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request):
    return train_tokenizer(sample_texts(), KINDS[request.param], VOCAB_SIZE)


@pytest.fixture(scope="module")
def harness(tokenizer, tmp_path_factory):
    """HFLM with the exported tokenizer and no model: it gives back what it would score."""
    base = tiny_model()
    decoder = Decoder(replace(base.config, vocab_size=VOCAB_SIZE))
    folder = tmp_path_factory.mktemp("export") / "model"
    export_hugging_face(OpenModel("pairs", folder, decoder, tokenizer, "0" * 64), folder, check=False)
    lm = HFLM.__new__(HFLM)
    lm.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    lm.backend, lm.add_bos_token, lm.custom_prefix_token_id, lm.enable_thinking = "causal", None, None, None
    lm._loglikelihood_tokens = lambda requests, **_: [(tuple(context), tuple(ids)) for _, context, ids in requests]
    return lm


def compare(tokenizer, harness, count: int) -> None:
    pairs = random_pairs(count, seed=11)
    ours, notes = encode_pairs(tokenizer, pairs)
    theirs = harness.loglikelihood([Instance("loglikelihood", {}, pair, 0) for pair in pairs], disable_tqdm=True)
    assert all(pair.context and pair.continuation for pair in ours)
    # HFLM asserts that neither is empty.
    stops = [not context or not continuation for context, continuation in theirs]
    assert [ours[n] for n in range(count) if not stops[n]] == [theirs[n] for n in range(count) if not stops[n]]
    assert notes.spanned + notes.blank_contexts == sum(stops)
    assert notes.spanned > 0
    assert notes.blank_contexts > 0


def test_random_pairs_are_split_as_the_harness_splits_them(tokenizer, harness):
    compare(tokenizer, harness, 1500)


@pytest.mark.soak
def test_a_hundred_thousand_random_pairs_are_split_as_the_harness_splits_them(tokenizer, harness):
    compare(tokenizer, harness, 100_000)


def test_text_after_nothing_stands_after_the_prefix_token_of_the_harness(tokenizer, harness):
    [pair], notes = encode_pairs(tokenizer, [("", "one")])
    assert pair.context == (harness.prefix_token_id,)
    assert notes.blank_contexts == 0
