"""An export on the Hugging Face hub: only when asked for, private unless told otherwise, and read back."""

import hashlib
import importlib.util
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from smidgen.data.hub import asking
from smidgen.errors import BadInput, CheckFailed, OutOfResources, SmidgenError

COMMIT_MESSAGE = "Upload with Smidgen"
Answer = TypeVar("Answer")


def require_ready(repo: str, *, dry_run: bool) -> None:
    """Raise ``BadInput`` for what would stop an upload after minutes of exporting: no client, name or login."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise BadInput('--upload needs the client of the hub: pip install "smidgen[export]"')
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise _no_name(repo) from None
    if repo.count("/") != 1:
        raise _no_name(repo)
    if dry_run:
        return
    if constants.HF_HUB_OFFLINE:
        raise BadInput("nothing can be uploaded while HF_HUB_OFFLINE is set; unset it, or add --dry-run")
    if get_token() is None:
        raise BadInput(f"nobody is logged in to the hub, so nothing can be uploaded to {repo}; {asking.LOGIN}")


def upload(
    folder: Path, repo: str, *, beside: Mapping[str, Path] | None = None, public: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """Commit every file of ``folder``, and those ``beside`` it by name, to the model ``repo`` ("USER/NAME").

    A new repository is private unless ``public``; one that is public already gets nothing without it. What the hub
    has is not sent again, so that the same call goes on after a failure. ``dry_run`` only says what would be sent.

    Returns ``{"repo", "url", "private", "commit", "dry_run", "files": [{"name", "bytes"}]}``. Raises ``BadInput`` for
    a name, login or right that is missing, ``OutOfResources`` when the hub does not answer, and ``CheckFailed`` when
    it has other content afterwards.
    """
    require_ready(repo, dry_run=dry_run)
    files = _files(folder, beside or {})
    listed = [{"name": name, "bytes": path.stat().st_size} for name, path in files.items()]
    result = {"repo": repo, "url": None, "private": not public, "commit": None, "dry_run": dry_run, "files": listed}
    if dry_run:
        return result
    url = _prepare(repo, public)
    commit = _answered(repo, lambda: _commit(repo, files))
    _check(repo, commit, files)
    return {**result, "url": url, "commit": commit}


def _files(folder: Path, beside: Mapping[str, Path]) -> dict[str, Path]:
    own = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return dict(sorted({**own, **beside}.items()))


def _prepare(repo: str, public: bool) -> str:
    """Make the repository where there is none, and refuse one that would show the model to everybody unasked."""
    from huggingface_hub import HfApi

    api = HfApi()
    url = _answered(repo, lambda: api.create_repo(repo, private=not public, exist_ok=True))
    is_private = _answered(repo, lambda: api.model_info(repo)).private
    if not (is_private or public):
        raise BadInput(f"{repo} exists and is public; add --public to upload there, or give another name")
    return str(url)


def _commit(repo: str, files: Mapping[str, Path]) -> str:
    from huggingface_hub import CommitOperationAdd, HfApi

    operations = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=path) for name, path in files.items()]
    return HfApi().create_commit(repo, operations=operations, commit_message=COMMIT_MESSAGE).oid


def _check(repo: str, commit: str, files: Mapping[str, Path]) -> None:
    """Raise ``CheckFailed`` unless the hub has every file with the bytes that lie here."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    found = _answered(repo, lambda: HfApi().get_paths_info(repo, list(files), revision=commit))
    entries = [entry for entry in found if isinstance(entry, RepoFile)]
    stored = {entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id for entry in entries}
    for name, path in files.items():
        content = path.read_bytes()
        # What is large is stored by the hash of its bytes, the rest as git does.
        git_hash = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        if stored.get(name) not in (git_hash, hashlib.sha256(content).hexdigest()):
            raise CheckFailed(f"{repo} has another {name} than was sent, or none; repeat the command")


def _answered(repo: str, call: Callable[[], Answer]) -> Answer:
    """The answer of a call to the client, which is repeated after growing waits where that may help."""
    for wait_seconds in (*asking.WAITS_SECONDS, None):
        try:
            with asking.time_limit():
                return call()
        except _client_errors() as error:
            refusal = _explained(repo, error)
            if wait_seconds is None or not isinstance(refusal, OutOfResources):
                raise refusal from error
            time.sleep(wait_seconds)
    raise AssertionError("the last try returns or raises")


def _client_errors() -> tuple[type[Exception], ...]:
    """Also its words for a card that the hub cannot read (ValueError), and for a large file that did not get through
    (RuntimeError, with the reason as its cause)."""
    return (*asking.client_errors(), ValueError, RuntimeError)


def _explained(repo: str, error: Exception) -> SmidgenError:
    reason = error.__cause__ if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception) else error
    status = getattr(getattr(reason, "response", None), "status_code", None)
    said = asking.first_sentence(reason)
    if status == 401:
        return BadInput(f"the hub does not know this login, so nothing was uploaded to {repo}; {asking.LOGIN}")
    if status in (403, 404):
        return BadInput(
            f"this login may not write to {repo} ({status}); {asking.LOGIN} that has write access, or give a name of "
            "your own, as in --upload USER/NAME"
        )
    is_refused = isinstance(reason, ValueError) and status is None
    if is_refused or (status is not None and status not in asking.PASSING_STATUSES):
        return BadInput(f"the hub refused the upload to {repo} ({said})")
    return OutOfResources(
        f"the hub did not take the upload to {repo} after {len(asking.WAITS_SECONDS) + 1} tries ({said}); what it "
        "has is kept there: repeat the command to go on"
    )


def _no_name(repo: str) -> BadInput:
    return BadInput(f"--upload {repo!r} cannot be the name of a model on the hub; one looks like USER/NAME")
