"""How much one client may ask of a server that shares a machine with other work."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits are assumed: far above what a person or lm-evaluation-harness asks for, far below harm."""

    body_bytes: int = 256 * 1024
    body_seconds: float = 10.0  # to receive a body
    choices: int = 256  # prompts x n
    tokens: int = 8192  # new ones of one choice
    # More than the 4 of OpenAI: tasks of lm-evaluation-harness bring up to five and the end of a text.
    stops: int = 16
    stop_characters: int = 256
    logprobs: int = 20
    biases: int = 1024
    active: int = 16  # requests that take turns, each with keys and values in memory
    waiting: int = 64  # requests behind them; the next one is told to come back later
    seconds: float = 600.0  # for one answer
    # Between two events of a stream. Nobody reads faster, and each costs the thread that computes its lock: with one
    # for each token a stream took 1.22 times the processor time of a whole answer (November 2026, 1M parameters).
    telling_seconds: float = 0.02
