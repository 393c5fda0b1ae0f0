"""The programs that the server is for: the openai client, and lm-evaluation-harness as ``local-completions``."""

import numpy as np
import openai
import pytest
from lm_eval.evaluator import evaluate
from lm_eval.models.openai_completions import LocalCompletionsAPI

from smidgen.evaluation.lm_eval.model import SmidgenLM
from smidgen.generation.decoding import complete
from smidgen.recipes.sampling import SamplingSettings
from smidgen.serving.app import completion_app

from ..evaluation.lm_eval.generated_tasks import FORMATS, task_manager
from ..evaluation.lm_eval.test_parity import log_probabilities, tolerance
from ..export.tiny import ARITHMETIC, CONTEXT, DIGITS, tiny_model
from .client import listening

# Both have deprecations of their own.
pytestmark = pytest.mark.filterwarnings("ignore")

LM_EVAL_CONTEXT = 30
ITEMS = 40


@pytest.fixture(scope="module")
def client(app):
    with listening(app) as port, openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none") as client:
        yield client


def written(model, prompt, seed, tokens):
    settings = SamplingSettings(max_new_tokens=tokens)
    ids = complete(model.decoder, model.tokenizer.encode(prompt), settings, seed=seed, stop_ids={0}).token_ids
    return model.tokenizer.decode(ids)


def test_the_openai_client_gets_a_text(client, model):
    answer = client.completions.create(model="tiny", prompt="The cats", max_tokens=9, seed=1, logprobs=2)
    [choice] = answer.choices
    assert choice.text == written(model, "The cats", 1, 9)
    assert choice.finish_reason == "length"
    assert len(choice.logprobs.tokens) == len(choice.logprobs.token_logprobs) == answer.usage.completion_tokens == 9


def test_the_openai_client_gets_a_stream(client, model):
    stream = client.completions.create(
        model="tiny",
        prompt="The cats",
        max_tokens=9,
        seed=1,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"top_k": 0, "repetition_penalty": 1.0},
    )
    *chunks, last = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks) == written(model, "The cats", 1, 9)
    assert last.usage.completion_tokens == 9


def test_the_openai_client_raises_what_it_raises_elsewhere(client):
    with pytest.raises(openai.BadRequestError, match=f"{CONTEXT} is the most that this model reads"):
        client.completions.create(model="tiny", prompt="The cats " * 40)
    with pytest.raises(openai.NotFoundError, match="'gpt' is not served here"):
        client.completions.create(model="gpt", prompt="The cats")


def test_the_openai_client_lists_the_models(client):
    assert [model.id for model in client.models.list()] == ["tiny"]


@pytest.fixture(scope="module")
def served_model():
    return tiny_model(ARITHMETIC, xsa=True, context_length=LM_EVAL_CONTEXT, **DIGITS)


@pytest.fixture(scope="module")
def harness(served_model):
    with listening(completion_app([served_model])) as port:
        yield LocalCompletionsAPI(
            base_url=f"http://127.0.0.1:{port}/v1/completions",
            model="tiny",
            tokenizer_backend="remote",
            # It keeps a token for what is written, and a context of ours predicts one token more than it reads.
            max_length=LM_EVAL_CONTEXT + 2,
            batch_size=8,
        )


def test_lm_evaluation_harness_gets_the_scores_of_our_evaluator(harness, served_model, tmp_path_factory):
    manager = task_manager(tmp_path_factory.mktemp("tasks"))
    ours = SmidgenLM(served_model)
    found = [
        evaluate(lm, manager.load(list(FORMATS)), limit=ITEMS, log_samples=True, bootstrap_iters=0)
        for lm in (harness, ours)
    ]
    for task in FORMATS:
        remote, local = (log_probabilities(result["samples"][task]) for result in found)
        assert len(remote) == ITEMS
        assert all((np.abs(a - b) < tolerance(b)).all() for a, b in zip(remote, local, strict=True))
        values = [{key: value for key, value in result["results"][task].items() if "acc" in key} for result in found]
        assert values[0] == values[1]
    # Some contexts are longer than the window, so that the cut is tried, too.
    assert ours.counts["truncated"] > 0
