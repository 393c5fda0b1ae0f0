"""What a client is told instead of an answer."""

from collections.abc import Mapping
from typing import Any

# The words of OpenAI's errors, which its client turns into exceptions of the same names.
_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class Refusal(Exception):
    """A request that is not answered: an HTTP status, one sentence, and the field that is to blame, if it is one."""

    def __init__(
        self, message: str, *, status: int = 400, param: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.headers = dict(headers or {})

    def as_json(self) -> dict[str, Any]:
        """In the shape of OpenAI's errors."""
        kind = _KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": None}}
