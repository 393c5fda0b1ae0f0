"""A file on the hub that is read in stretches, each a request of its own, as if it lay on the disk."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from smidgen.data.hub import asking
from smidgen.data.stored_file import HUB_PREFIX
from smidgen.errors import BadInput

# Bytes of one request where a file is read from one end to the other.
STEP_BYTES = 4_194_304


@contextmanager
def open_remote(location: str, size_bytes: int, version: str) -> Iterator[BinaryIO]:
    """Open a file of the hub that had this size and version when it was listed; nothing is asked for yet."""
    file = RemoteFile(location, size_bytes, version)
    # Parquet knows which bytes it needs; reading ahead would fetch columns that nobody wants.
    if location.endswith(".parquet"):
        yield file  # type: ignore[misc]
    else:
        yield io.BufferedReader(file, STEP_BYTES)


class RemoteFile(io.RawIOBase):
    """Reading raises ``BadInput`` when the file is gone, closed to this login or no longer what was listed, and
    ``OutOfResources`` when the hub does not answer."""

    def __init__(self, location: str, size_bytes: int, version: str) -> None:
        super().__init__()
        dataset, _, rest = location.removeprefix(HUB_PREFIX).partition("@")
        commit, _, path = rest.partition("/")
        self._question = asking.Question(dataset=dataset, revision=commit, path=path)
        self._location, self._size, self._version = location, size_bytes, version
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        start = self._position
        end = min(start + len(buffer), self._size)
        if end <= start:
            return 0
        buffer[: end - start] = self._fetched(start, end)
        self._position = end
        return end - start

    def _fetched(self, start: int, end: int) -> bytes:
        from huggingface_hub import constants, hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

        asked = self._question
        url = hf_hub_url(asked.dataset, asked.path, repo_type="dataset", revision=asked.revision)
        waits = asking.WAITS_SECONDS
        try:
            response = http_backoff(
                "GET",
                url,
                headers={**build_hf_headers(), "Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"},
                timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
                max_retries=len(waits),
                base_wait_time=waits[0],
                max_wait_time=waits[-1],
            )
            hf_raise_for_status(response)
        except asking.client_errors() as error:
            raise asking.explained(asked, error) from error
        self._check(response, start, end)
        return response.content

    def _check(self, response: Any, start: int, end: int) -> None:
        # The hub sends on to where large files lie; only its own answer tells the version.
        own = [each for each in (*response.history, response) if "X-Repo-Commit" in each.headers]
        headers = own[0].headers if own else {}
        version = headers.get("X-Linked-Etag") or headers.get("ETag") or self._version
        size = response.headers.get("Content-Range", f"/{self._size}").rpartition("/")[2]
        if version.removeprefix("W/").strip('"') != self._version or size != str(self._size):
            raise BadInput(
                f"{self._question.shown} is not the file that was listed when this build began; begin anew in "
                "another folder"
            )
        if len(response.content) != end - start:
            got = f"{len(response.content)} bytes instead of {end - start}"
            raise asking.no_answer(self._question, f"status {response.status_code}, {got}")
