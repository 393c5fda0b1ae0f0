"""Many clients at once, whose answers must be those that each request gets alone."""

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field

from .client import post

PROMPTS = ("The cats sat", "In the year 2024", "12 + 34 =", "", "The dogs ran over the hill", [17, 23, 42, 99, 150])


def requests(count, *, longest=8, seed=0):
    """Distinct requests of every kind: greedy and drawn, whole and streamed, several texts, scored prompts."""
    chance = random.Random(seed)
    return [_request(chance, number, longest) for number in range(count)]


def _request(chance, number, longest):
    body = {"prompt": PROMPTS[number % len(PROMPTS)], "seed": number, "max_tokens": chance.randint(1, longest)}
    if number % 3 == 0:
        body |= {"temperature": 0, "repetition_penalty": 1.2}
    elif number % 3 == 1:
        body |= {"temperature": 1.2, "top_k": 50, "top_p": 0.95, "n": 2}
    if number % 4 == 0:
        body |= {"stream": True}
    if number % 5 == 0:
        body |= {"logprobs": 2, "echo": True}
    return body


def answer(port, body, connection=None):
    """What must not depend on who else is asking: all choices, log-probabilities to the last bit."""
    reply = post(port, body, connection=connection)
    if reply.status != 200:
        raise ValueError(f"{reply.status}: {reply.content[:200]!r}")
    return whole(reply.events) if body.get("stream") else reply.json["choices"]


def whole(events):
    """The choices of a stream, wherever it was cut into events."""
    choices = {}
    for event in events:
        for part in event["choices"]:
            choice = choices.setdefault(part["index"], {**part, "text": "", "logprobs": part["logprobs"] and {}})
            choice["text"] += part["text"]
            choice["finish_reason"] = part["finish_reason"]
            for name, values in (part["logprobs"] or {}).items():
                choice["logprobs"].setdefault(name, []).extend(values)
    return list(choices.values())


@dataclass
class Outcome:
    """What came of the requests of all clients."""

    errors: list[str] = field(default_factory=list)
    different: int = 0
    seconds: list[float] = field(default_factory=list)


def together(port, bodies, expected, *, clients, each):
    """``each`` requests of every client, all clients at once, in orders of their own."""
    outcome = Outcome()

    def client(number):
        chance = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        for _ in range(each):
            at = chance.randrange(len(bodies))
            started = time.perf_counter()
            try:
                outcome.different += answer(port, bodies[at], connection) != expected[at]
            except (OSError, ValueError, http.client.HTTPException, json.JSONDecodeError) as error:
                outcome.errors.append(repr(error))
            outcome.seconds.append(time.perf_counter() - started)
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def resident_megabytes(process="self"):
    """Memory of a process; Linux alone tells."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
