"""Training documents: stories, descriptions and conversations that show every construction in use."""

from collections.abc import Iterator
from typing import Literal

from smidgen.data.dice import Dice
from smidgen.data.document import Document
from smidgen.data.grammar import plot
from smidgen.data.grammar.cast import fields
from smidgen.data.grammar.construction import Voice
from smidgen.data.grammar.hold_out import HoldOut
from smidgen.data.grammar.pair import CONSTRUCTIONS, PHENOMENA
from smidgen.data.grammar.plot import Beat, Plot
from smidgen.data.grammar.word import capital
from smidgen.data.grammar.world import World, small_world

# A beat is followed by a sentence that shows a construction this often. Assumed: the phenomena need
# repetition, a story needs its thread.
ASIDE_CHANCE = 0.6
MOST_ASIDES = 4
FEWEST_SENTENCES = 5
TRIES = 8
LINKS = ("Then", "Meanwhile,", "Later,", "After that,", "Soon,", "That day,", "Of course,")
LINK_CHANCE = 0.3
SAYING = ("said", "answered", "whispered", "called")
Kind = Literal["story", "description", "conversation"]
KINDS: tuple[Kind, ...] = ("story",) * 6 + ("description",) * 2 + ("conversation",) * 2


def grammar_documents(*, seed: int, documents: int, first: int = 0) -> Iterator[Document]:
    """Short paragraphs in simple English, without any sentence that ``minimal_pairs`` may ask for.

    These are ``documents`` of them from number ``first`` on; paragraph i depends on ``seed`` and i only.
    """
    writer = Writer()
    for index in range(first, first + documents):
        id = f"grammar-{seed}-{index}"
        yield Document(id, writer.paragraph(Dice(id)))


class Writer:
    """Writes one paragraph after another; what it remembers is a table of words, not what it wrote."""

    def __init__(self) -> None:
        self._hold_out = HoldOut()
        # Every phenomenon is shown as often as every other, however many constructions it has.
        self._by_phenomenon = [
            [each for each in CONSTRUCTIONS if each.phenomenon == phenomenon] for phenomenon in PHENOMENA
        ]

    def paragraph(self, dice: Dice) -> str:
        return " ".join(self._sentences(small_world(dice), dice))

    def _sentences(self, world: World, dice: Dice) -> list[str]:
        kind = dice.pick(KINDS)
        words = fields(world, dice)
        first, *rest = _beats(kind, dice)
        sentences, asides = self._told(first, words, dice), 0
        for beat in rest:
            strayed = asides < MOST_ASIDES and dice.chance(ASIDE_CHANCE)
            if strayed:
                sentences += self._aside(kind, world, dice)
                asides += 1
            # After an aside, "He" might be taken for somebody else.
            sentences += self._told(beat, words | {"He": words["hero"]} if strayed else words, dice)
        while len(sentences) < FEWEST_SENTENCES:
            sentences += self._aside(kind, world, dice)
        return sentences

    def _told(self, beat: Beat, words: dict[str, str], dice: Dice) -> list[str]:
        """The beat in one of its ways that may be shown, or nothing if there is none."""
        for way in dice.several(beat, min(len(beat), 4)):
            sentence = way.format_map(words)
            if not self._hold_out.is_shown_by(sentence):
                return [sentence]
        return []

    def _aside(self, kind: Kind, world: World, dice: Dice) -> list[str]:
        """A sentence that shows a construction with the cast of the document."""
        for _ in range(TRIES):
            construction = dice.pick(dice.pick(self._by_phenomenon))
            sentence, _ = construction.build(world, dice)
            # The bare sentence too: "Meanwhile, the dog slept." must not show the held-out "The dog slept."
            if self._hold_out.holds(sentence):
                continue
            shown = _shown(sentence, construction.voice, kind, world, dice)
            if not self._hold_out.is_shown_by(shown):
                return [shown]
        return []


def _shown(sentence: str, voice: Voice, kind: Kind, world: World, dice: Dice) -> str:
    """Plain where its tense is the tense of the document, else in somebody's mouth."""
    if kind == "story" and voice == "told":
        return _linked(sentence, dice)
    if kind == "description" and voice == "said":
        return sentence
    return _spoken(sentence, world, dice)


def _beats(kind: Kind, dice: Dice) -> Plot:
    if kind == "story":
        return (plot.OPENINGS, *dice.pick(plot.PLOTS), plot.ENDINGS)
    return plot.DESCRIPTION if kind == "description" else plot.CONVERSATION


def _linked(sentence: str, dice: Dice) -> str:
    """Sometimes "Meanwhile, the dog slept." Only a leading article loses its capital; names keep theirs."""
    if sentence.startswith("The ") and dice.chance(LINK_CHANCE):
        return f"{dice.pick(LINKS)} t{sentence[1:]}"
    return sentence


def _spoken(sentence: str, world: World, dice: Dice) -> str:
    speaker = _speaker(sentence, world, dice)
    verb = "asked" if sentence.endswith("?") else dice.pick(SAYING)
    if dice.coin():
        return f'{capital(speaker)} {verb}, "{sentence}"'
    quote = sentence if sentence.endswith("?") else sentence[:-1] + ","
    return f'"{quote}" {verb} {speaker}.'


def _speaker(sentence: str, world: World, dice: Dice) -> str:
    """Somebody whom the sentence does not name: people seldom speak of themselves by name."""
    others = [person.text for person in world.names[:2] if person.text not in sentence]
    return dice.pick(others) if others else f"the {world.workers[0].singular}"
