"""A headless browser, steered through pipes by the Chrome DevTools Protocol, and a server of files for it.

https://chromedevtools.github.io/devtools-protocol/, with ``--remote-debugging-pipe``: one JSON object after another,
each ended by a zero byte, commands on descriptor 3 and answers on 4. No package is needed and no port is opened.
"""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from smidgen.errors import CheckFailed

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# Assumed to be far beyond what any answer takes, on a busy machine too.
LONGEST_SECONDS = 600
# Domains of the protocol that belong to no page.
_OF_BROWSER = ("Target.", "Browser.", "SystemInfo.")
# What counts as an error on the page.
_ERROR_LEVELS = {"error", "assert"}


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page in a browser of its own. ``errors`` collects what the page complains about: exceptions, console
    errors, refused loads.
    """

    def __init__(self, path: str, *, width: int = 1280, height: int = 800) -> None:
        self.errors: list[str] = []
        self._number = 0
        self._received = b""
        self._messages: list[dict[str, Any]] = []
        self._profile = tempfile.TemporaryDirectory(prefix="smidgen-browser-", ignore_cleanup_errors=True)
        self._process, self._commands, self._answers = _started(path, Path(self._profile.name), width, height)
        try:
            self._session = self._attached()
            for domain in ("Page", "Runtime", "Log"):
                self.command(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def version(self) -> str:
        """As the browser calls itself, such as "Chrome/156.0"."""
        return str(self.command("Browser.getVersion")["product"])

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.command("Page.navigate", url=address)
        self._wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page, a promise's once it is there.

        Raises ``CheckFailed`` with what the page threw.
        """
        answer = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise CheckFailed(f"the page failed: {_sentence(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    def wait_until(self, expression: str, *, seconds: float = LONGEST_SECONDS) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise CheckFailed(f"the page did not come to {expression} within {seconds:.0f} s")
            time.sleep(0.05)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol and wait for its answer. Raises ``CheckFailed``."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if not method.startswith(_OF_BROWSER):
            message["sessionId"] = self._session
        try:
            _write_all(self._commands, json.dumps(message).encode() + b"\0")
        except OSError as error:
            raise CheckFailed(f"the browser is gone: {error}") from error
        while True:
            answer = self._next()
            if answer.get("id") != self._number:
                self._messages.append(answer)
            elif "error" in answer:
                raise CheckFailed(f"the browser refuses {method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def close(self) -> None:
        """End the browser and remove its profile."""
        for descriptor in (self._commands, self._answers):
            with suppress(OSError):
                os.close(descriptor)
        try:
            # It ends by itself when its pipe is closed.
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def _attached(self) -> str:
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        return str(self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    def _wait_for(self, event: str) -> None:
        while True:
            waiting, self._messages = self._messages, []
            if any(message.get("method") == event for message in waiting):
                return
            self._messages.append(self._next())

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + LONGEST_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\0" not in self._received:
                if not selector.select(timeout=max(0.0, end - time.monotonic())):
                    raise CheckFailed(f"the browser gave no answer within {LONGEST_SECONDS} s")
                part = os.read(self._answers, 1 << 16)
                if not part:
                    raise CheckFailed("the browser has ended")
                self._received += part
        content, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(content)
        self._note_errors(message)
        return message

    def _note_errors(self, message: dict[str, Any]) -> None:
        content = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(_sentence(content["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if content["type"] in _ERROR_LEVELS:
                self.errors.append(
                    " ".join(str(part.get("value", part.get("description"))) for part in content["args"])
                )
            case "Log.entryAdded" if content["entry"]["level"] == "error":
                self.errors.append(f"{content['entry']['text']} {content['entry'].get('url', '')}".strip())


# Puts the pipes where the browser looks for them, with copies out of the way first, and becomes the browser.
_PLACE_PIPES = """
import fcntl, os, sys
copies = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for place, copy in zip((3, 4), copies):
    os.dup2(copy, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


def _started(path: str, profile: Path, width: int, height: int) -> tuple[subprocess.Popen[bytes], int, int]:
    command = [path, *OPTIONS, f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
    if os.geteuid() == 0:
        # Its sandbox refuses to run as root, as in most containers.
        command.insert(1, "--no-sandbox")
    commands_read, commands_write = os.pipe()
    answers_read, answers_write = os.pipe()
    wrapped = [sys.executable, "-I", "-S", "-c", _PLACE_PIPES, str(commands_read), str(answers_write), *command]
    try:
        process = subprocess.Popen(
            wrapped,
            pass_fds=(commands_read, answers_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise CheckFailed(f"{path} cannot be started: {error}") from error
    finally:
        os.close(commands_read)
        os.close(answers_write)
    return process, commands_write, answers_read


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _sentence(details: dict[str, Any]) -> str:
    return str(details.get("exception", {}).get("description") or details["text"]).splitlines()[0]


class _Files(SimpleHTTPRequestHandler):
    """A folder under ``/some/place/``, to prove that nothing depends on being at the top."""

    below = "/some/place"

    def guess_type(self, path: Any) -> str:
        # Some systems have other ideas of it, and browsers run no module with those.
        return "text/javascript" if str(path).endswith(".js") else super().guess_type(path)

    def translate_path(self, path: str) -> str:
        if not path.startswith(f"{self.below}/"):
            return os.devnull + "/missing"
        return super().translate_path(path.removeprefix(self.below))

    def log_message(self, *arguments: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    # A page asks for thirty files at once; on a busy machine the usual 5 places in line are not enough.
    request_queue_size = 128


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on this machine, as a static host would serve it."""
    handler = partial(_Files, directory=str(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{_Files.below}/"
        finally:
            server.shutdown()
            thread.join()
