"""Questions whose answers stand in the prompt under letters."""

from collections.abc import Sequence


def lettered(question: str, answers: Sequence[str], letters: str) -> str:
    """The question, a line for each answer and the call for a letter.

    Raises ``ValueError`` unless there are as many answers as letters.
    """
    if len(answers) != len(letters):
        raise ValueError(f"{len(answers)} answers, expected {len(letters)}")
    lines = [f"{letter}. {answer}" for letter, answer in zip(letters, answers, strict=True)]
    return "\n".join([question.strip(), *lines, "Answer:"])
