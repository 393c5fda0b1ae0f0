"""Two ways to ask a server: its application directly, and through a socket."""

import asyncio
import http.client
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass

from smidgen.serving.server import listen, serve
from smidgen.stopping import StopRequest

JSON = {"host": "localhost", "content-type": "application/json"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self):
        return json.loads(self.content)

    @property
    def message(self):
        """The sentence of an error."""
        return self.json["error"]["message"]

    @property
    def choices(self):
        assert self.status == 200, self.content
        return self.json["choices"]

    @property
    def text(self):
        [choice] = self.choices
        return choice["text"]

    @property
    def events(self):
        """What a stream holds, without its end."""
        lines = self.content.decode().split("\n\n")
        assert lines[-2:] == ["data: [DONE]", ""]
        return [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]


async def ask(app, method="POST", path="/v1/completions", *, headers=JSON, body=b"", parts=1, leaves=None, send=None):
    """One request. The client goes away upon the event ``leaves``; ``send`` takes what is answered, instead of the
    reply that this returns. Header values may be lists.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = -(-len(content) // parts) or 1
    waiting = [content[start : start + size] for start in range(0, len(content), size)] or [b""]
    sent = []

    async def receive():
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}
        await (leaves or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def keep(message):
        sent.append(message)

    pairs = [(name, value) for name, values in headers.items() for value in _listed(values)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send or keep)
    if not sent:
        return None
    start = sent[0]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


def _listed(values):
    return values if isinstance(values, list) else [values]


def run(app, coroutine):
    """Run a coroutine while the application is at work."""

    async def at_work():
        async with app.router.lifespan_context(app):
            return await coroutine

    return asyncio.run(at_work())


def asked(app, body, **options):
    """One request to the application."""
    return run(app, ask(app, body=body, **options))


@contextmanager
def listening(app):
    """The application behind a socket; gives its port."""
    listener, stop = listen("127.0.0.1", 0), StopRequest()
    port = listener.getsockname()[1]
    server = threading.Thread(target=serve, args=(app, listener, stop), kwargs={"grace_seconds": 5})
    server.start()
    try:
        yield port
    finally:
        stop.signal()
        server.join()


def post(port, body, *, path="/v1/completions", connection=None):
    """One request through a socket; ``connection`` is used again if given."""
    used = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    used.request("POST", path, content, {"Content-Type": "application/json"})
    response = used.getresponse()
    reply = Reply(response.status, dict(response.getheaders()), response.read())
    if connection is None:
        used.close()
    return reply
