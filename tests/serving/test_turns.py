import asyncio
import itertools
import time

import pytest

from smidgen.serving.app import completion_app
from smidgen.serving.limits import Limits
from smidgen.serving.refusal import Refusal
from smidgen.serving.turns import Turns

from .client import ask, run


def with_turns(coroutine_of, **limits):
    """Run ``coroutine_of(turns)`` while turns are taken."""
    turns = Turns(**{"active": 3, "waiting": 2, "seconds": 60} | limits)
    turns.start()
    try:
        return asyncio.run(coroutine_of(turns))
    finally:
        turns.stop()


def until(condition):
    """Whether it holds within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    return condition()


def best_of_three(seconds):
    """What the code takes, where one try may have had to wait for a busy machine."""
    return min(seconds() for _ in range(3))


def endless(log, name):
    for count in itertools.count():
        log.append((name, count))
        time.sleep(0.001)
        yield None


def counted(log, name, steps):
    yield from itertools.islice(endless(log, name), steps)
    yield name


def long_request(model, **options):
    """One that its model never ends by itself."""
    never = {str(model.tokenizer.end_of_text_id): -100}
    return {"prompt": "The", "max_tokens": 10**9, "logit_bias": never, **options}


async def listen_to(turns, job):
    return [result async for result in turns.results(job)]


def test_jobs_take_turns_one_step_each():
    log = []

    async def three(turns):
        return await asyncio.gather(*(listen_to(turns, counted(log, name, 30)) for name in "abc"))

    assert with_turns(three) == [["a"], ["b"], ["c"]]
    together = log[15:60]
    assert {name for name, _ in log[:15]} == {"a", "b", "c"}
    assert all({name for name, _ in together[at : at + 3]} == {"a", "b", "c"} for at in range(0, 42, 3))


def test_a_short_job_does_not_wait_for_a_long_one():
    async def both(turns):
        long = asyncio.create_task(listen_to(turns, endless([], "long")))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        short = await listen_to(turns, counted([], "short", 3))
        took = time.monotonic() - started
        long.cancel()
        return short, took

    short, took = with_turns(both, active=2)
    assert short == ["short"]
    assert took < 5


def test_who_comes_to_a_full_line_is_told_to_come_back():
    async def six(turns):
        waiting = [asyncio.create_task(listen_to(turns, endless([], n))) for n in range(5)]
        await asyncio.sleep(0.05)
        assert (turns.active, turns.waiting) == (3, 2)
        with pytest.raises(Refusal, match="3 requests are being answered and 2 wait") as caught:
            await listen_to(turns, endless([], 5))
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return caught.value

    refusal = with_turns(six)
    assert (refusal.status, refusal.headers) == (429, {"Retry-After": "1"})


@pytest.mark.parametrize("left", ["at work", "in line"])
def test_who_leaves_frees_a_place_at_once(left):
    async def leave(turns):
        tasks = [asyncio.create_task(listen_to(turns, endless([], n))) for n in range(5)]
        await asyncio.sleep(0.05)
        tasks[4 if left == "in line" else 0].cancel()
        started = time.monotonic()
        await asyncio.sleep(0)
        assert until(lambda: (turns.active, turns.waiting) == (3, 1))
        took = time.monotonic() - started
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert until(lambda: (turns.active, turns.waiting) == (0, 0))
        return took

    assert best_of_three(lambda: with_turns(leave)) < 0.1


def test_an_error_in_a_job_is_its_clients_and_nobody_elses():
    def failing():
        yield 1
        raise ValueError("broken")

    async def both(turns):
        good = asyncio.create_task(listen_to(turns, counted([], "good", 20)))
        with pytest.raises(ValueError, match="broken"):
            await listen_to(turns, failing())
        return await good

    assert with_turns(both) == ["good"]


def test_a_job_that_takes_too_long_ends():
    async def one(turns):
        with pytest.raises(Refusal, match="longer than 0 s") as caught:
            await listen_to(turns, endless([], "long"))
        return caught.value.status

    assert with_turns(one, seconds=0.2) == 408


def test_a_stop_tells_all_who_wait():
    async def five(turns):
        waiting = [asyncio.create_task(listen_to(turns, endless([], n))) for n in range(5)]
        await asyncio.sleep(0.05)
        turns.stop()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(Refusal, match="the server is stopping"):
            await listen_to(turns, endless([], 5))
        return outcomes

    assert [outcome.status for outcome in with_turns(five)] == [503] * 5


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_frees_its_place_within_100_ms(model, stream):
    app = completion_app([model], limits=Limits(tokens=10**9))

    async def leave():
        leaves = asyncio.Event()
        body = long_request(model, stream=stream)
        task = asyncio.create_task(ask(app, body=body, leaves=leaves))
        while not app.state.turns.active:
            await asyncio.sleep(0.001)
        leaves.set()
        started = time.monotonic()
        await task
        while app.state.turns.active:
            await asyncio.sleep(0.001)
        return time.monotonic() - started

    assert best_of_three(lambda: run(app, leave())) < 0.1


def test_a_client_that_does_not_read_frees_its_place_when_it_goes(model):
    app = completion_app([model], limits=Limits(tokens=10**9))

    async def leave():
        leaves, sent = asyncio.Event(), asyncio.Event()

        async def send(message):
            if message["type"] == "http.response.body":
                sent.set()
                await asyncio.Event().wait()

        body = long_request(model, stream=True)
        task = asyncio.create_task(ask(app, body=body, leaves=leaves, send=send))
        await sent.wait()
        assert app.state.turns.active == 1
        leaves.set()
        started = time.monotonic()
        await task
        while app.state.turns.active:
            await asyncio.sleep(0.001)
        return time.monotonic() - started

    assert best_of_three(lambda: run(app, leave())) < 0.1


def test_a_full_server_answers_429_and_then_again(model):
    app = completion_app([model], limits=Limits(active=1, waiting=1, tokens=10**9))

    async def three():
        leaves = asyncio.Event()
        body, turns = long_request(model), app.state.turns
        tasks = [asyncio.create_task(ask(app, body=body, leaves=leaves)) for _ in range(2)]
        while (turns.active, turns.waiting) != (1, 1):
            await asyncio.sleep(0.001)
        refused = await ask(app, body=body)
        leaves.set()
        await asyncio.gather(*tasks)
        return refused, await ask(app, body={"prompt": "The", "max_tokens": 1})

    refused, answered = run(app, three())
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert refused.json["error"]["type"] == "rate_limit_error"
    assert answered.status == 200
