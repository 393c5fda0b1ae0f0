"""A model of ours behind the interface of lm-evaluation-harness: ``lm_eval --model smidgen``."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM

from smidgen.checkpoints.open_model import OpenModel, open_model
from smidgen.errors import BadInput, Interrupted
from smidgen.evaluation.lm_eval.contests import Pairs, fast_likelihoods
from smidgen.evaluation.lm_eval.writing import WritingTask, write_until, writing_task
from smidgen.evaluation.log_likelihood import Likelihood, log_likelihoods
from smidgen.evaluation.pair_encoding import encode_pairs, prefix_id
from smidgen.evaluation.refusal import refuse_nan
from smidgen.evaluation.request import Request
from smidgen.evaluation.rolling import rolling_nats

PRECISIONS = ("exact", "fast")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the model says to one request: nats, and whether every token is the likeliest one."""

    log_probability: float
    tokens: int
    truncated: bool = False
    greedy: bool = False


class SmidgenLM(TemplateLM):
    """A run folder, a Hugging Face folder or an opened model.

    ``max_length`` is the longest sequence to score (what the model says itself if not given). ``precision`` is
    "exact" (float32) or "fast", which makes the same choices but gives less exact sums. ``batch_size`` and
    ``max_batch_size`` come with every call of lm_eval and change nothing: batches are laid out by tokens here.

    ``counts`` says how often something had to give way: contexts cut to the window ("truncated"), pairs tokenised
    apart ("spanned"), contexts of nothing but white space ("blank_contexts"), prompts cut to leave room for what is
    written ("prompts_cut").

    Raises ``BadInput`` for a folder that cannot be opened and for settings out of range.
    """

    def __init__(
        self,
        pretrained: str | Path | OpenModel,
        *,
        max_length: int | None = None,
        precision: str = "exact",
        device: str | None = None,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
        stop_requested: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        if precision not in PRECISIONS:
            raise BadInput(f"precision={precision} must be one of {', '.join(PRECISIONS)}")
        if max_length is not None and max_length < 1:
            raise BadInput(f"max_length={max_length} must be at least 1; the context length is usual")
        self.model = pretrained if isinstance(pretrained, OpenModel) else open_model(Path(pretrained))
        if device is not None:
            self.model.decoder.to(_available(device))
        self.max_length = max_length or self.model.max_length or self.model.config.context_length
        self.precision = precision
        self.counts: Counter[str] = Counter()
        self._stop_requested = stop_requested

    @property
    def eot_token_id(self) -> int:
        special = self.model.tokenizer.special_ids
        return special.get("eos", special["end_of_text"])

    @property
    def prefix_token_id(self) -> int:
        return prefix_id(self.model.tokenizer)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        """The ids of a text. Ours never begin with a control token, whatever ``add_special_tokens`` says."""
        return self.model.tokenizer.encode(string)

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """Sum of the continuation's log-probabilities in nats, and whether each of its tokens is the likeliest."""
        items = [[request.args for request in group] for _, group in groupby(requests, key=_item_of)]
        return [(answer.log_probability, answer.greedy) for answer in self.answers(items)]

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """Log-probability of whole texts in nats, every token predicted once."""
        return [answer.log_probability for answer in self.rolling_answers([request.args[0] for request in requests])]

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """What the model writes after each prompt; draws of one prompt differ by their place in the list."""
        return [self._written(*request.args, seed=place) for place, request in enumerate(requests)]

    def answers(self, items: Sequence[Pairs]) -> list[Answer]:
        """The answers to the pairs of every item, one item after the other.

        Raises ``CheckFailed`` for a model that returns NaN, ``Interrupted`` when asked to stop.
        """
        encoded, notes = encode_pairs(self.model.tokenizer, [pair for item in items for pair in item])
        found = self._likelihoods(items, encoded)
        refuse_nan("lm_eval", [likelihood.log_probability for likelihood in found])
        self._count(
            spanned=notes.spanned,
            blank_contexts=notes.blank_contexts,
            truncated=sum(likelihood.truncated for likelihood in found),
        )
        return [
            Answer(
                log_probability=likelihood.log_probability,
                tokens=len(pair.continuation),
                truncated=likelihood.truncated,
                greedy=likelihood.greedy,
            )
            for pair, likelihood in zip(encoded, found, strict=True)
        ]

    def rolling_answers(self, texts: Sequence[str]) -> list[Answer]:
        """The answers to whole texts, always in float32. Raises as ``answers`` does."""
        ids = self.model.tokenizer.encode_batch(texts)
        nats = rolling_nats(
            self.model.decoder,
            ids,
            prefix=self.prefix_token_id,
            max_length=self.max_length,
            stop_requested=self._stop_requested,
        )
        refuse_nan("lm_eval", nats)
        return [Answer(log_probability=-value, tokens=len(of_text)) for value, of_text in zip(nats, ids, strict=True)]

    def _likelihoods(self, items: Sequence[Pairs], requests: Sequence[Request]) -> list[Likelihood]:
        decoder, window, stop = self.model.decoder, self.max_length, self._stop_requested
        if self.precision == "exact":
            return log_likelihoods(decoder, requests, max_length=window, stop_requested=stop)
        return fast_likelihoods(decoder, items, requests, max_length=window, stop_requested=stop)

    def _loglikelihood_tokens(
        self, requests: list[tuple[tuple[str, str], list[int], list[int]]], **kwargs: Any
    ) -> list[tuple[float, bool]]:
        encoded = [Request(tuple(context), tuple(continuation)) for _, context, continuation in requests]
        found = log_likelihoods(self.model.decoder, encoded, max_length=self.max_length)
        return [(likelihood.log_probability, likelihood.greedy) for likelihood in found]

    def _written(self, context: str, asked: dict[str, Any], *, seed: int) -> str:
        task = writing_task(asked, self.model.sampling)
        prompt_ids = self._prompt(context, task)
        text = write_until(self.model, prompt_ids, task, seed=seed, stop_requested=self._stop_requested)
        # What was cut short is no answer.
        if self._stop_requested():
            raise Interrupted("writing was stopped; repeat the command to score again")
        return text

    def _prompt(self, context: str, task: WritingTask) -> list[int]:
        """The end of the context that leaves room for what is written, or half a window where nothing would be left
        (HFLM stops there); the decoder's window then slides.
        """
        ids = self.tok_encode(context) or [self.prefix_token_id]
        room = self.max_length - task.sampling.max_new_tokens
        kept = ids[-(room if room > 0 else max(1, self.max_length // 2)) :]
        self._count(prompts_cut=int(len(kept) < len(ids)))
        return kept

    def _count(self, **counts: int) -> None:
        self.counts += Counter(counts)

    def get_model_info(self) -> dict[str, Any]:
        """What lm_eval writes into its results about the model."""
        return {
            "model_num_parameters": sum(parameter.numel() for parameter in self.model.decoder.parameters()),
            "model_dtype": str(next(self.model.decoder.parameters()).dtype),
            "model_sha": self.model.weights_sha256,
            "smidgen": {
                "precision": self.precision,
                "max_length": self.max_length,
                "device": str(next(self.model.decoder.parameters()).device),
                **self.counts,
            },
        }


def _available(device: str) -> torch.device:
    """The CPU where there is no GPU: lm_eval asks for cuda:0 unless it is told otherwise."""
    return torch.device("cpu" if device.startswith("cuda") and not torch.cuda.is_available() else device)


def _item_of(request: Instance) -> tuple[Any, ...]:
    """Requests of one document follow each other; one that names no document is an item of its own."""
    return (id(request),) if request.doc_id is None else (request.task_name, request.doc_id)
