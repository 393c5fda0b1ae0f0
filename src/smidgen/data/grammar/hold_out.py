"""The split between training sentences and test sentences, decided by the content words of a sentence."""

from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from smidgen.data.grammar import lexicon

# One combination of content words in four is kept for the tests. Assumed: three quarters are plenty to
# train on, and a pair is found after four draws on average.
ONE_IN = 4
# "Tom." in '... said Tom.' is no sentence; every sentence of a pair is at least this long.
SHORTEST_SENTENCE = 4
MARKS = '.,?!"'


@dataclass(frozen=True, slots=True)
class Token:
    weight: int  # one number per content word; their sum stands for the combination
    opens: bool  # a sentence may begin here
    closes: bool  # a sentence may end here
    opens_quote: bool  # no sentence goes on to the left of it


class HoldOut:
    """Knows which sentences only tests may show.

    A sentence is known by its content words, whatever their order, number or tense: "The dog slept here." and
    "Do the dogs sleep here?" are on the same side, so nothing is learnt in training about a held-out
    combination, and the ungrammatical twin of a test sentence cannot turn up in training either.
    """

    def __init__(self) -> None:
        self._lemmas = _lemmas()
        self._tokens: dict[str, Token] = {}

    def holds(self, sentence: str) -> bool:
        """Whether this one sentence belongs to the tests."""
        return _is_held_out(sum(self._read(token).weight for token in sentence.split()))

    def is_shown_by(self, text: str) -> bool:
        """Whether any sentence inside the text belongs to the tests.

        Every stretch from a capital letter to a full stop or closing quote counts, because training text
        wraps sentences in others: 'Then Mia slept there.' must not show the held-out "Mia slept there."
        """
        total, length, inside = 0, 0, False
        for text_token in reversed(text.split()):
            token = self._tokens.get(text_token) or self._read(text_token)
            if token.closes:
                total, length, inside = 0, 0, True
            total += token.weight
            length += 1
            if token.opens and inside and length >= SHORTEST_SENTENCE and _is_held_out(total):
                return True
            inside = inside and not token.opens_quote
        return False

    def _read(self, text: str) -> Token:
        if text not in self._tokens:
            word = text.strip(MARKS)
            self._tokens[text] = Token(
                weight=self._weight(word.lower()),
                opens=word[:1].isupper(),
                closes=text[-1] in '.?!"',
                opens_quote=text[0] == '"',
            )
        return self._tokens[text]

    def _weight(self, word: str) -> int:
        lemma = self._lemmas.get(word, word)
        if lemma in lexicon.FUNCTION_WORDS:
            return 0
        return int.from_bytes(blake2b(lemma.encode(), digest_size=6).digest(), "little")


def _is_held_out(total: int) -> bool:
    return crc32(b"%d" % total) % ONE_IN == 0


def _lemmas() -> dict[str, str]:
    """The dictionary form of every inflected word of the lexicon."""
    forms: dict[str, str] = {}
    for verb in lexicon.VERBS.values():
        forms |= dict.fromkeys((verb.third, verb.past, verb.participle, verb.ing), verb.base)
    for adjective in lexicon.COMPARED:
        forms[adjective.comparative] = adjective.base
    for noun in lexicon.ALL_NOUNS:
        forms[noun.plural] = noun.singular
    return forms
