"""Asking the hub: again after growing waits when it does not answer, and what to say when that does not help."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from smidgen.errors import BadInput, OutOfResources, SmidgenError

# As `huggingface_hub.utils.http_backoff` waits where the client asks again by itself.
WAITS_SECONDS: tuple[float, ...] = (1, 2, 4, 8, 8)
# The client's own list, and what a proxy says when the hub is not there.
PASSING_STATUSES = (408, 429, 500, 502, 503, 504)
TIMEOUT_SECONDS = 30.0
INSTEAD = "give local files with --data NAME=PATH, or --data text=PATH for all text sources"
LOGIN = "log in with `hf auth login`, or put a token into HF_TOKEN"

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the hub is asked for, as messages name it."""

    dataset: str
    revision: str = ""
    path: str = ""

    @property
    def shown(self) -> str:
        return f"{self.path} of the hub dataset {self.dataset}" if self.path else f"the hub dataset {self.dataset}"


def ask(question: Question, call: Callable[[], Answer]) -> Answer:
    """The answer of a call to the client, which is repeated up to five times where that may help.

    Raises ``BadInput`` for what does not exist or may not be read, ``OutOfResources`` when the hub does not answer.
    """
    for wait_seconds in (*WAITS_SECONDS, None):
        try:
            with time_limit():
                return call()
        except client_errors() as error:
            refusal = explained(question, error)
            if wait_seconds is None or not isinstance(refusal, OutOfResources):
                raise refusal from error
            time.sleep(wait_seconds)
    raise AssertionError("the last try returns or raises")


@contextmanager
def time_limit() -> Iterator[None]:
    """Give up on silence: by itself the client would wait for ever in most of its calls."""
    from huggingface_hub.utils import get_session

    session: Any = get_session()
    before = getattr(session, "timeout", None)
    session.timeout = TIMEOUT_SECONDS
    try:
        yield
    finally:
        session.timeout = before


def client_errors() -> tuple[type[Exception], ...]:
    """What the client raises: its own errors, those of the network, and those of the library it asks through."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # The bases are OSError and the common error of httpx, httpx2 or requests, by the version of the client.
    return (*HfHubHTTPError.__bases__, HFValidationError)


def explained(question: Question, error: Exception) -> SmidgenError:
    """What an error of the client means to a user: ``OutOfResources`` where it may pass, else ``BadInput``."""
    from huggingface_hub.errors import (
        DisabledRepoError,
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    dataset = question.dataset
    match error:
        case HFValidationError():
            return BadInput(
                f"{dataset!r} cannot be the id of a hub dataset; one looks like 'HuggingFaceFW/fineweb-edu'"
            )
        case OfflineModeIsEnabled():
            return BadInput(
                f"{question.shown} cannot be asked for while HF_HUB_OFFLINE is set; unset it, or {INSTEAD}"
            )
        case GatedRepoError():
            return BadInput(
                f"the hub dataset {dataset} is gated: ask for access on its page, then {LOGIN} of the account "
                "that has it"
            )
        case DisabledRepoError():
            return BadInput(f"the hub dataset {dataset} is disabled by the hub; choose another one")
        case RepositoryNotFoundError():
            return _unknown_or_private(dataset)
        case RevisionNotFoundError():
            return BadInput(
                f"the hub dataset {dataset} has no revision {question.revision!r}; give a branch, a tag or a commit "
                "that exists, or leave revision out for the newest"
            )
        case EntryNotFoundError() if not isinstance(error, LocalEntryNotFoundError):
            return BadInput(
                f"the hub no longer has {question.shown} at {question.revision[:12]}; begin anew in another folder"
            )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401 and not question.path:
        return _unknown_or_private(dataset)
    if status in (401, 403):
        return BadInput(f"this login may not read {question.shown} ({status}); {LOGIN} of an account that may")
    if status is not None and status not in PASSING_STATUSES:
        return BadInput(f"the hub refused {question.shown} ({first_sentence(error)})")
    return no_answer(question, first_sentence(error))


def _unknown_or_private(dataset: str) -> BadInput:
    return BadInput(
        f"there is no hub dataset {dataset}, or this login may not read it; check the spelling, and if it is private "
        f"{LOGIN}"
    )


def no_answer(question: Question, problem: str) -> OutOfResources:
    """The error for a hub that does not do what it does on other days."""
    return OutOfResources(
        f"the hub did not give {question.shown} after {len(WAITS_SECONDS) + 1} tries ({problem}); what was finished "
        f"is kept: repeat the command later, or {INSTEAD}"
    )


def first_sentence(error: Exception) -> str:
    said = " ".join(str(error).split()).split(". ")[0].rstrip(".:")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
