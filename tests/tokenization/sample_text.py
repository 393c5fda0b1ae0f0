"""Text to train tokenizers on: made-up words, the common ones often, among all that is awkward."""

import random

_AWKWARD = (
    "İstanbul, ß and ſ, 300 \u212a",
    "naïve café — «déjà vu»",
    "日本語のテキスト",
    "😀👩‍👩‍👧 emoji",
    "def iPhone(x):\n    return x_1 + 2\n",
    "McDonald's isn't NASA's",
    "\ttabs\r\nand returns\r",
    "3.14 in 2024, 1,000,000 times",
    "------------------------------------------------",
)


def sample_texts(count: int = 400, seed: int = 7) -> list[str]:
    """``count`` paragraphs of about 300 characters."""
    draw = random.Random(seed)
    words = _words(draw)
    # Zipf: the n-th word comes with a weight of 1/n.
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return [_paragraph(draw, words, weights) for _ in range(count)]


def _words(draw: random.Random) -> list[str]:
    syllables = [a + b for a in "bdfghklmnprst" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "on")]
    return ["".join(draw.choices(syllables, k=draw.choice((1, 2, 2, 3)))) for _ in range(600)]


def _paragraph(draw: random.Random, words: list[str], weights: list[float]) -> str:
    sentences = [_sentence(draw, draw.choices(words, weights, k=draw.randint(4, 14))) for _ in range(4)]
    sentences.append(draw.choice(_AWKWARD))
    first, second = draw.randint(0, 999), draw.randint(0, 99)
    sentences.append(f"\n{first} + {second} = {first + second}\n({second} - 7) * 3 / 2\n")
    return " ".join(sentences)


def _sentence(draw: random.Random, words: list[str]) -> str:
    words[0] = words[0].capitalize()
    place = draw.randrange(len(words))
    words[place] = draw.choice((words[place], words[place], words[place].upper(), words[place].capitalize()))
    return " ".join(words) + draw.choice(".?!")
