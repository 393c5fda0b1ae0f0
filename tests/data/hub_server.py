"""A server on this machine that speaks as much of the Hugging Face hub's protocol as the hub's own client asks for.

Datasets with commits, branches and tags; descriptions, listings in pages, files in stretches; large files behind a
redirect to another host; datasets that are gated or have moved; and faults on demand.
"""

import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PAGE_ENTRIES = 3
Files = dict[str, bytes]


@dataclass
class Fault:
    """What happens to the next ``times`` requests whose method and path match."""

    pattern: str
    kind: str
    times: int
    happened: int = 0


@dataclass
class Repository:
    commits: dict[str, Files] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    token: str = ""
    moved_to: str = ""

    def files(self, revision: str) -> tuple[str, Files] | None:
        commit = self.revisions.get(revision, revision)
        return (commit, self.commits[commit]) if commit in self.commits else None


@dataclass
class Hub:
    """``requests`` are those so far: method, path with query, stretch of bytes, and the token that came along."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, str, str]] = field(default_factory=list)
    stored: Files = field(default_factory=dict)
    address: str = ""
    store: str = ""

    def put(self, name: str, files: Files, *, revision: str = "main") -> str:
        """Commit files to a branch; gives the hash."""
        content = b"".join(path.encode() + b"\0" + files[path] + b"\0" for path in sorted(files))
        commit = hashlib.sha1(content).hexdigest()
        repository = self.repositories.setdefault(name, Repository())
        repository.commits[commit] = dict(files)
        repository.revisions[revision] = commit
        self.stored |= {_sha256(content): content for path, content in files.items() if _is_large(path)}
        return commit

    def move(self, name: str, new: str) -> None:
        self.repositories[new] = self.repositories[name]
        self.repositories[name] = Repository(moved_to=new)

    def fail(self, pattern: str, kind: str, times: int = 1_000_000) -> Fault:
        """Let requests such as "GET /datasets/a/b/resolve" fail.

        Kinds are the statuses as words, "silence" (no answer for 3 seconds), "cut off" (half the body), "short" (half
        the body under a header that fits it), "other size" and "other version".
        """
        self.faults.append(Fault(pattern, kind, times))
        return self.faults[-1]


@contextmanager
def serving(files: dict[str, Files] | None = None) -> Iterator[Hub]:
    """Serve datasets, each a name with its files and their content."""
    hub = Hub()
    for name, content in (files or {}).items():
        hub.put(name, content)
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub)) for _ in range(2)]
    # Ends soon: http.server looks for the end only so often.
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    hub.address, hub.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


@dataclass
class Answer:
    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def _handler(hub: Hub) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

        def do_HEAD(self) -> None:
            self._send(self._answer(b""))

        def do_GET(self) -> None:
            self._send(self._answer(b""))

        def do_POST(self) -> None:
            self._send(self._answer(self.rfile.read(int(self.headers["content-length"]))))

        def _answer(self, body: bytes) -> Answer:
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            hub.requests.append((self.command, self.path, self.headers.get("range", ""), token))
            parts = urllib.parse.urlsplit(self.path)
            path = urllib.parse.unquote(parts.path)
            self.fault = _fault(hub, f"{self.command} {path}")
            if self.fault.isdigit():
                return Answer(int(self.fault), b'{"error": "as the test wants it"}')
            if self.fault == "silence":
                time.sleep(3)
            query = urllib.parse.parse_qs(parts.query)
            return _in_stretches(_answer(hub, path, query, body, token), self.headers.get("range", ""))

        def _send(self, answer: Answer) -> None:
            content, length = answer.content, len(answer.content)
            if self.fault == "cut off":
                content = content[: length // 2]
                self.close_connection = True
            if self.fault == "short":
                content = content[: length // 2]
                length = len(content)
            if self.fault == "other version":
                answer.headers |= {"etag": '"changed"', "x-linked-etag": '"changed"'}
            if self.fault == "other size" and "content-range" in answer.headers:
                answer.headers["content-range"] += "0"
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    return Handler


def _fault(hub: Hub, request: str) -> str:
    for fault in hub.faults:
        if fault.happened < fault.times and re.search(fault.pattern, request):
            fault.happened += 1
            return fault.kind
    return ""


def _answer(hub: Hub, path: str, query: dict[str, list[str]], body: bytes, token: str) -> Answer:
    if path.startswith("/store/"):
        return Answer(content=hub.stored[path.removeprefix("/store/")])
    match = re.fullmatch(
        r"(/api)?/datasets/([^/]+/[^/]+)(?:/(auth-check|revision|tree|paths-info|resolve)(?:/(.*))?)?", path
    )
    if not match:
        return Answer(404)
    api, name, what, rest = match.groups("")
    repository = hub.repositories.get(name)
    if repository is None:
        # The hub does not tell strangers which private datasets there are.
        return _error(404, "RepoNotFound") if token else Answer(401, b'{"error": "Invalid username or password."}')
    if repository.moved_to:
        return Answer(307, headers={"location": path.replace(name, repository.moved_to, 1)})
    revision, inside = _split(rest or "main", repository)
    found = repository.files(revision)
    if found is None:
        return _error(404, "RevisionNotFound")
    commit, files = found
    is_closed = bool(repository.token) and token != repository.token
    if is_closed and what in ("auth-check", "resolve"):
        return _error(403 if token else 401, "GatedRepo")
    if api:
        return _api(hub, name, commit, files, what, inside, path, query, body)
    return _resolved(hub, commit, files, inside)


def _split(rest: str, repository: Repository) -> tuple[str, str]:
    for revision in repository.revisions:
        if rest == revision or rest.startswith(f"{revision}/"):
            return revision, rest.removeprefix(revision).strip("/")
    revision, _, inside = rest.partition("/")
    return revision, inside


def _error(status: int, code: str) -> Answer:
    return Answer(status, headers={"x-error-code": code})


def _resolved(hub: Hub, commit: str, files: Files, inside: str) -> Answer:
    if inside not in files:
        return _error(404, "EntryNotFound") if inside else Answer(404)
    content = files[inside]
    headers = {"x-repo-commit": commit, "accept-ranges": "bytes"}
    if not _is_large(inside):
        return Answer(content=content, headers=headers | {"etag": f'"{_blob_id(content)}"'})
    address = f"{hub.store}/store/{_sha256(content)}"
    linked = {"x-linked-etag": f'"{_sha256(content)}"', "x-linked-size": str(len(content)), "location": address}
    return Answer(302, headers=headers | linked)


def _in_stretches(answer: Answer, asked: str) -> Answer:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
    if answer.status != 200 or not match:
        return answer
    size = len(answer.content)
    start, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    if start >= size:
        return Answer(416, headers={"content-range": f"bytes */{size}"})
    headers = answer.headers | {"content-range": f"bytes {start}-{last}/{size}"}
    return Answer(206, answer.content[start : last + 1], headers)


def _api(
    hub: Hub, name: str, commit: str, files: Files, what: str, inside: str, path: str, query: dict, body: bytes
) -> Answer:
    if what == "tree":
        return _listing(hub, files, inside, path, query)
    if what == "paths-info":
        wanted = urllib.parse.parse_qs(body.decode()).get("paths") or json.loads(body)["paths"]
        return _json([_entry(file, files[file]) for file in wanted if file in files])
    license_ = re.search(rb"^license: (.*)$", files.get("README.md", b""), re.MULTILINE)
    return _json(
        {
            "id": name,
            "sha": commit,
            "siblings": [{"rfilename": file} for file in files],
            "tags": [],
            "cardData": {"license": json.loads(license_[1])} if license_ else {},
        }
    )


def _listing(hub: Hub, files: Files, inside: str, path: str, query: dict[str, list[str]]) -> Answer:
    """The files and folders in a folder, or also those below, a few at a time."""
    prefix = f"{inside}/" if inside else ""
    below = {file: content for file, content in files.items() if file.startswith(prefix)}
    folders = {"/".join(file.split("/")[:depth]) for file in below for depth in range(1, file.count("/") + 1)}
    entries = [{"type": "directory", "path": each, "oid": "0" * 40, "size": 0} for each in folders if each != inside]
    entries += [_entry(file, content) for file, content in below.items()]
    if query.get("recursive", ["false"])[0].lower() != "true":
        entries = [entry for entry in entries if "/" not in entry["path"].removeprefix(prefix)]
    entries.sort(key=lambda entry: entry["path"])
    start = int(query.get("cursor", ["0"])[0])
    answer = _json(entries[start : start + PAGE_ENTRIES])
    if start + PAGE_ENTRIES < len(entries):
        following = urllib.parse.urlencode(
            {key: values[0] for key, values in query.items()} | {"cursor": start + PAGE_ENTRIES}
        )
        answer.headers["link"] = f'<{hub.address}{urllib.parse.quote(path)}?{following}>; rel="next"'
    return answer


def _entry(file: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": file, "size": len(content), "oid": _blob_id(content)}
    if _is_large(file):
        entry["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 130}
    return entry


def _json(value: Any) -> Answer:
    return Answer(content=json.dumps(value).encode(), headers={"content-type": "application/json"})


def _is_large(file: str) -> bool:
    return file.endswith((".parquet", ".zst", ".gz"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
