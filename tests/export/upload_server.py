"""A server on this machine that takes uploads as the Hugging Face hub does, as far as the hub's own client asks.

Repositories are made, large files go to a store under their hash, and a commit names them; faults on demand.
"""

import base64
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# The hub decides by .gitattributes and by size what is large.
LARGE = (".safetensors", ".png")


@dataclass
class Repository:
    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[dict[str, bytes]] = field(default_factory=lambda: [{}])

    @property
    def head(self) -> str:
        return f"{len(self.commits):040x}"


@dataclass
class UploadHub:
    """``owners`` maps a token to the names it may write to. ``requests`` are method and path of all so far."""

    owners: dict[str, str] = field(default_factory=lambda: {"secret": "me"})
    repositories: dict[str, Repository] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    # Pattern of a request -> statuses that it gets, one after the other; None lets it pass.
    faults: dict[str, list[int | None]] = field(default_factory=dict)
    address: str = ""

    def sent(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, request)) for request in self.requests)


@contextmanager
def serving_uploads() -> Iterator[UploadHub]:
    hub = UploadHub()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: UploadHub) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self._body())

        def do_PUT(self) -> None:
            self._reply(self._body())

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["content-length"] or 0))

        def _reply(self, body: bytes) -> None:
            path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            status = _fault(hub, hub.requests[-1])
            status, content = (
                (status, {"error": "as the test wants it"}) if status else _answer(hub, path, body, token)
            )
            payload = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

    return Handler


def _fault(hub: UploadHub, request: str) -> int | None:
    for pattern, statuses in hub.faults.items():
        if statuses and re.search(pattern, request):
            return statuses.pop(0)
    return None


def _answer(hub: UploadHub, path: str, body: bytes, token: str) -> tuple[int, Any]:
    if path.startswith("/store/"):
        hub.stored[path.removeprefix("/store/")] = body
        return 200, {}
    if token not in hub.owners:
        return 401, {"error": "Invalid username or password."}
    if path == "/api/validate-yaml":
        return 200, {"errors": [], "warnings": []}
    if path == "/api/repos/create":
        return _create(hub, json.loads(body), hub.owners[token])
    if match := re.fullmatch(r"/(.+)\.git/info/lfs/objects/batch", path):
        return 200, _batch(hub, json.loads(body))
    match = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(preupload|commit|paths-info|revision)/[^/]+)?", path)
    if match is None or match[1] not in hub.repositories:
        return 404, {"error": "Repository not found"}
    return _repository(hub, match[1], match[2] or "", body, hub.owners[token])


def _create(hub: UploadHub, asked: dict[str, Any], owner: str) -> tuple[int, Any]:
    name = f"{asked['organization']}/{asked['name']}"
    if asked["organization"] != owner:
        return 403, {"error": "You don't have the rights to create a model under this namespace"}
    if name in hub.repositories:
        return 409, {"error": "You already created this model repo", "url": f"{hub.address}/{name}"}
    hub.repositories[name] = Repository(private=asked["visibility"] == "private")
    return 200, {"url": f"{hub.address}/{name}"}


def _batch(hub: UploadHub, asked: dict[str, Any]) -> dict[str, Any]:
    objects = []
    for one in asked["objects"]:
        known = {} if one["oid"] in hub.stored else {"upload": {"href": f"{hub.address}/store/{one['oid']}"}}
        objects.append({**one, **({"actions": known} if known else {})})
    return {"transfer": "basic", "objects": objects}


def _repository(hub: UploadHub, name: str, what: str, body: bytes, owner: str) -> tuple[int, Any]:
    repository = hub.repositories[name]
    if what == "preupload":
        return 200, {"files": [_mode(repository, one["path"]) for one in json.loads(body)["files"]]}
    if what == "commit":
        if not name.startswith(f"{owner}/"):
            return 403, {"error": "no write access"}
        return _commit(hub, name, body)
    if what == "paths-info":
        wanted = urllib.parse.parse_qs(body.decode()).get("paths") or json.loads(body)["paths"]
        return 200, [_entry(path, repository.files[path]) for path in wanted if path in repository.files]
    return 200, {"id": name, "sha": repository.head, "private": repository.private, "siblings": [], "tags": []}


def _mode(repository: Repository, path: str) -> dict[str, Any]:
    stored = repository.files.get(path)
    known = {} if stored is None else {"oid": _sha256(stored) if path.endswith(LARGE) else _blob_id(stored)}
    return {
        "path": path,
        "uploadMode": "lfs" if path.endswith(LARGE) else "regular",
        "shouldIgnore": False,
        **known,
    }


def _commit(hub: UploadHub, name: str, body: bytes) -> tuple[int, Any]:
    repository, changed = hub.repositories[name], {}
    for line in body.splitlines():
        entry = json.loads(line)
        value = entry["value"]
        if entry["key"] == "file":
            assert value["encoding"] == "base64"
            changed[value["path"]] = base64.b64decode(value["content"])
        elif entry["key"] == "lfsFile":
            if value["oid"] not in hub.stored:
                return 400, {"error": "LFS pointer pointed to a file that does not exist"}
            changed[value["path"]] = hub.stored[value["oid"]]
    repository.files |= changed
    repository.commits.append(changed)
    return 200, {"success": True, "commitOid": repository.head, "commitUrl": f"{hub.address}/{name}/commit/x"}


def _entry(path: str, content: bytes) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": len(content), "oid": _blob_id(content)}
    if path.endswith(LARGE):
        entry["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 131}
    return entry


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
