"""A server on this machine that speaks as much of the Hugging Face hub's protocol as its own client asks for."""

import hashlib
import http.server
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

COMMIT = "c0ffee" * 6 + "1234"


@contextmanager
def serving(files: dict[str, dict[str, bytes]]) -> Iterator[str]:
    """Serve datasets, each a name with its files and their content; gives the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(files))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(files: dict[str, dict[str, bytes]]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, body: bytes = b"", *, with_body: bool = True) -> None:
            path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            status, content = answer(files, path, body)
            self.send_response(status)
            self.send_header("x-repo-commit", COMMIT)
            self.send_header("etag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("content-length", str(len(content)))
            if status == 404:
                self.send_header("x-error-code", "EntryNotFound" if "/resolve/" in path else "RepoNotFound")
            self.end_headers()
            if with_body:
                self.wfile.write(content)

    return Handler


def answer(files: dict[str, dict[str, bytes]], path: str, body: bytes) -> tuple[int, bytes]:
    """Status and content for a path: a file, a dataset's description, or a listing of its files."""
    parts = path.removeprefix("/api").strip("/").split("/")
    name, what, rest = "/".join(parts[1:3]), "".join(parts[3:4]), "/".join(parts[5:])
    stored = files.get(name, {})
    if parts[0] != "datasets" or not stored:
        return 404, b""
    match what:
        case "resolve":
            return (200, stored[rest]) if rest in stored else (404, b"")
        case "tree":
            chosen = {file: content for file, content in stored.items() if file.startswith(rest)}
            return 200, json.dumps(_entries(chosen)).encode()
        case "paths-info":
            wanted = json.loads(body)["paths"]
            chosen = {file: content for file, content in stored.items() if file in wanted}
            return 200, json.dumps(_entries(chosen)).encode()
    siblings = [{"rfilename": file} for file in stored]
    return 200, json.dumps({"id": name, "sha": COMMIT, "siblings": siblings, "tags": []}).encode()


def _entries(stored: dict[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"type": "file", "path": file, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
        for file, content in stored.items()
    ]
