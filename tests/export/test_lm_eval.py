"""The evaluation harness that most scores of such models come from reads an export."""

import math
import warnings

import pytest
import torch

from smidgen.export.hugging_face import export_hugging_face

from .tiny import ARITHMETIC, DIGITS, logits_of, tiny_model

pytest.importorskip("lm_eval")


def test_the_harness_scores_a_continuation_as_we_do(tmp_path):
    with warnings.catch_warnings():
        # The harness and what it imports have deprecations of their own.
        warnings.simplefilter("ignore")
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        model = tiny_model(ARITHMETIC, xsa=True, **DIGITS)
        export_hugging_face(model, tmp_path / "out", check=False)
        harness = HFLM(
            pretrained=str(tmp_path / "out"),
            trust_remote_code=True,
            dtype="float32",
            max_length=48,
            batch_size=2,
            device="cpu",
        )
        pairs = [("12 + 34 =", " 46"), ("The cats sat", " on the mat"), ("7 *", " 8 = 56")]
        requests = [Instance("loglikelihood", {}, pair, index) for index, pair in enumerate(pairs)]
        scores = harness.loglikelihood(requests, disable_tqdm=True)
    for (context, continuation), (log_likelihood, _) in zip(pairs, scores, strict=True):
        assert log_likelihood == pytest.approx(our_log_likelihood(model, context, continuation), abs=1e-4)


def our_log_likelihood(model, context: str, continuation: str) -> float:
    first = len(model.tokenizer.encode(context))
    ids = model.tokenizer.encode(context + continuation)
    logprobs_TV = logits_of(model.decoder, torch.tensor([ids]))[0].log_softmax(dim=-1)
    return math.fsum(logprobs_TV[place - 1, ids[place]].item() for place in range(first, len(ids)))
