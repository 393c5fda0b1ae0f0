"""The proof that the page says what our model says: a browser opens it and computes the same.

Shapes:
    T tokens    N positions    V vocabulary
"""

import base64
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import CheckFailed
from smidgen.export.parity import Parity, allowed_difference, parity, require_close
from smidgen.export.read_back import TEXTS
from smidgen.export.web.browser import Browser, served
from smidgen.generation.decoding import SlidingWindow, complete
from smidgen.recipes.sampling import SamplingSettings

# Largest difference between two logits in float32, for each unit of the largest logit (at least 1).
TOLERANCE = 1e-4
# Of random ids; longer contexts would take a browser minutes.
LONGEST_TEXT = 2048
# Positions whose logits are fetched of each text.
POSITIONS = 32
# As many greedy tokens after each text.
WRITTEN = 24
# Asks the page's modules, and its worker: what a visitor's browser runs.
QUESTIONS = Path(__file__).parent / "questions.js"
GREEDY = SamplingSettings(temperature=0, max_new_tokens=WRITTEN)


def check_web_folder(folder: Path, model: OpenModel, browser_path: str) -> tuple[Parity, str]:
    """Have a browser open a finished folder and compare; the second is what the browser calls itself.

    Raises ``CheckFailed`` when the page does not start or complains, or finds other ids, texts or logits.
    """
    with served(folder) as address, Browser(browser_path) as browser:
        browser.open(f"{address}index.html")
        browser.wait_until("document.documentElement.dataset.ready || document.querySelector('.trouble')")
        trouble = browser.evaluate("document.querySelector('.trouble')?.textContent")
        if trouble:
            raise CheckFailed(f"{trouble}; nothing was written")
        version = browser.version
        answers = browser.evaluate(f"({QUESTIONS.read_text(encoding='utf-8')})({json.dumps(_questions(model))})")
        if browser.errors:
            raise CheckFailed(f"the page reports an error in {version}: {browser.errors[0]}; nothing was written")
    for answer in answers:
        _check_text(model, answer, version)
    ours = [_ours(model, answer) for answer in answers]
    found = parity(ours, [_theirs(model, answer) for answer in answers])
    finding = f"the page computes other logits in {version} than we do"
    require_close(found, allowed_difference(ours, TOLERANCE), finding)
    return found, version


def _questions(model: OpenModel) -> dict[str, Any]:
    """Random ids, from a single token to the whole context, and the texts."""
    generator = torch.Generator().manual_seed(0)
    lengths = sorted({min(length, model.config.context_length) for length in (1, 2, 7, 64, LONGEST_TEXT)})
    rows = [torch.randint(model.config.vocab_size, (length,), generator=generator) for length in lengths]
    settings = {name: getattr(GREEDY, name) for name in GREEDY.__dataclass_fields__}
    return {
        "texts": TEXTS,
        "token_ids": [row.tolist() for row in rows],
        "positions": POSITIONS,
        "settings": settings,
    }


@torch.inference_mode()
def _ours(model: OpenModel, answer: dict[str, Any]) -> Tensor:
    ids_1T = torch.tensor([answer["ids"]], device=model.decoder.embed_tokens.weight.device)
    logits_TV = model.decoder(ids_1T)[0].cpu()
    return logits_TV[answer["first"] :]


def _theirs(model: OpenModel, answer: dict[str, Any]) -> Tensor:
    content = bytearray(base64.b64decode(answer["logits"]))
    return torch.frombuffer(content, dtype=torch.float32).view(-1, model.config.vocab_size)


def _check_text(model: OpenModel, answer: dict[str, Any], version: str) -> None:
    if "text" not in answer:
        return
    text = answer["text"]
    expected = model.tokenizer.encode(text)
    if answer["all"] != expected or answer["decoded"] != text:
        raise CheckFailed(
            f"the page gives {text!r} the token ids {answer['all'][:10]} ... and reads them as "
            f"{answer['decoded']!r} in {version}, instead of {expected[:10]} ...; nothing was written"
        )
    ours = complete(model.decoder, expected, GREEDY, stop_ids={model.tokenizer.end_of_text_id}).token_ids
    if answer["written"] != ours and not _is_tie(model, expected, ours, answer["written"]):
        raise CheckFailed(
            f"after {text!r} the page writes {model.tokenizer.decode(answer['written'])!r} in {version} instead of "
            f"{model.tokenizer.decode(ours)!r}; nothing was written"
        )


@torch.inference_mode()
def _is_tie(model: OpenModel, prompt_ids: list[int], ours: list[int], theirs: list[int]) -> bool:
    """Whether two greedy texts part where the model holds both tokens equally likely, but for rounding."""
    end = [model.tokenizer.end_of_text_id]
    pairs = list(zip([*ours, *end], [*theirs, *end], strict=False))
    place = next(place for place, (our, their) in enumerate(pairs) if our != their)
    window = SlidingWindow(model.decoder)
    logits_1V = window.read(torch.tensor([prompt_ids]))
    for token_id in ours[:place]:
        logits_1V = window.read(torch.tensor([[token_id]]))
    our, their = pairs[place]
    return (logits_1V[0, our] - logits_1V[0, their]).item() <= 2 * allowed_difference([logits_1V], TOLERANCE)
