"""Who may ask, over all combinations of Host, Origin and method."""

import asyncio
import itertools
import re

import pytest

from smidgen.errors import BadInput
from smidgen.serving.app import completion_app

from .client import ask, run

# Those that pass, with the default hosts, when there is no Origin.
OWN_HOSTS = ["127.0.0.1", "127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000"]
OTHER_HOSTS = [
    "evil.example",  # a name that its owner lets point to 127.0.0.1
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example:8000",
    "localhost.",
    "127.0.0.2",
    "0.0.0.0:8000",
    "evil.example@localhost",
    "localhost, evil.example",
    "localhost:8000:8000",
    "localhost:",
    "::1",
    "",
    ["localhost", "evil.example"],
    [],
]
ORIGINS = [[], "null", "http://evil.example", "http://localhost:9999", "own", "own over https", "own of another port"]
METHODS = {"GET": 200, "HEAD": 200, "OPTIONS": 405, "POST": 405, "PUT": 405, "DELETE": 405, "PATCH": 405}


def origin_for(host, kind):
    if kind == "own":
        return f"http://{host}"
    if kind == "own over https":
        return f"https://{host}"
    return f"http://{str(host).partition(':')[0]}:1" if kind == "own of another port" else kind


def statuses(app, cases):
    """Answers to /health for many (host, origin, method)."""

    async def all_of_them():
        replies = [
            await ask(app, method, "/health", headers={"host": host, "origin": origin})
            for host, origin, method in cases
        ]
        return [reply.status for reply in replies], replies

    return run(app, all_of_them())


def test_only_the_allowed_combinations_of_host_origin_and_method_pass(app):
    kinds = list(itertools.product([*OWN_HOSTS, *OTHER_HOSTS], ORIGINS, METHODS))
    cases = [(host, origin_for(host, kind), method) for host, kind, method in kinds]
    allowed = [host in OWN_HOSTS and (kind == [] or kind == "own") for host, kind, _ in kinds]
    assert len(cases) >= 200
    found, replies = statuses(app, cases)
    assert found == [METHODS[method] if may else 403 for may, (_, _, method) in zip(allowed, cases, strict=True)]
    assert 0 < sum(allowed) < len(cases)
    assert all("access-control-allow-origin" not in reply.headers for reply in replies)
    assert {reply.headers["x-content-type-options"] for reply in replies} == {"nosniff"}


def test_a_refused_request_never_reaches_a_model(app):
    body = {"prompt": "The", "max_tokens": 1}
    headers = {"host": "localhost", "content-type": "application/json"}

    async def refused_and_asked():
        refused = await ask(app, headers={**headers, "origin": "http://evil.example"}, body=body)
        return refused, await ask(app, headers=headers, body=body)

    refused, answered = run(app, refused_and_asked())
    assert (refused.status, answered.status) == (403, 200)
    assert "pages of other origins may not use this server" in refused.message


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_page_may_send_without_asking_the_browser_is_refused(app, kind):
    headers = {"host": "localhost", "content-type": kind}
    reply = run(app, ask(app, headers=headers, body={"prompt": "The"}))
    assert reply.status == 415
    assert "application/json" in reply.message


def test_a_name_that_was_allowed_is_answered(model):
    app = completion_app([model], hosts=["my-machine"])
    found, _ = statuses(app, [("my-machine:80", [], "GET"), ("localhost", [], "GET")])
    assert found == [200, 403]


def test_an_origin_that_was_allowed_may_ask_and_read(model):
    app = completion_app([model], origins=["https://page.example"])
    cases = [
        ("localhost", "https://page.example", "GET"),
        ("localhost", "https://page.example", "OPTIONS"),
        ("localhost", "https://other.example", "OPTIONS"),
        ("evil.example", "https://page.example", "GET"),
    ]
    found, replies = statuses(app, cases)
    assert found == [200, 204, 403, 403]
    allowed = [reply.headers.get("access-control-allow-origin") for reply in replies]
    assert allowed[:3] == ["https://page.example", "https://page.example", None]
    assert "content-type" in replies[1].headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hosts": ["http://my-machine"]}, "'http://my-machine' is no name of a machine; give one without http://"),
        ({"hosts": ["my-machine:8000"]}, "'my-machine:8000' is no name of a machine"),
        ({"hosts": ["*"]}, "is no name of a machine"),
        ({"origins": ["*"]}, "is no origin; give the address of a page alone, such as https://page.example"),
        ({"origins": ["page.example"]}, "'page.example' is no origin"),
        ({"origins": ["https://page.example/path"]}, "is no origin"),
    ],
)
def test_what_cannot_be_allowed_is_told_at_the_start(model, options, message):
    with pytest.raises(BadInput, match=re.escape(message)):
        completion_app([model], **options)


def test_an_origin_may_be_given_as_an_address(model):
    app = completion_app([model], origins=["HTTPS://page.example/"])
    assert statuses(app, [("localhost", "https://page.example", "GET")])[0] == [200]


def test_web_sockets_are_closed(app):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/v1/completions", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
