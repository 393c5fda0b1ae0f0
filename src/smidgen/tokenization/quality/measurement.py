"""A tokenizer measured on texts, by domain and document."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from smidgen.tokenization.quality.case_twins import case_twins
from smidgen.tokenization.quality.entropy import entropy_bits, renyi_efficiency
from smidgen.tokenization.quality.round_trips import comes_back, encoded
from smidgen.tokenization.quality.subject import Subject
from smidgen.tokenization.quality.token_kind import TokenKind, token_kinds
from smidgen.tokenization.tokenizer import Tokenizer

# An embedding row seen fewer times than this has hardly been trained (assumed).
RARE_BELOW = 10
_LONGEST_SHOWN, _COMMONEST_SHOWN = 20, 20


@dataclass
class Domain:
    """Texts of one kind: how often each token occurs, and bytes and tokens of each document."""

    counts: Counter[int] = field(default_factory=Counter)
    document_bytes: array = field(default_factory=lambda: array("q"))
    document_tokens: array = field(default_factory=lambda: array("q"))
    roundtrip_failures: int = 0

    @property
    def text_bytes(self) -> int:
        return sum(self.document_bytes)

    @property
    def tokens(self) -> int:
        return sum(self.document_tokens)

    @property
    def bytes_per_token(self) -> float:
        """0.0 where there is no text."""
        return self.text_bytes / self.tokens if self.tokens else 0.0


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What ``subject`` did to the texts of each domain."""

    subject: Subject
    domains: dict[str, Domain]

    @cached_property
    def counts(self) -> Counter[int]:
        return sum((domain.counts for domain in self.domains.values()), Counter())

    @cached_property
    def kinds(self) -> list[TokenKind]:
        """Of every id."""
        return list(token_kinds(self.subject))

    @property
    def text_bytes(self) -> int:
        return sum(domain.text_bytes for domain in self.domains.values())

    @property
    def tokens(self) -> int:
        return sum(domain.tokens for domain in self.domains.values())

    @property
    def bytes_per_token(self) -> float:
        """Over all text; 0.0 where there is none."""
        return self.text_bytes / self.tokens if self.tokens else 0.0

    def as_dict(self) -> dict[str, Any]:
        """What ``inspect`` returns."""
        named = self.domains.items()
        return {
            "vocab_size": self.subject.tokenizer.vocab_size,
            "bytes_per_token": {name: domain.bytes_per_token for name, domain in named},
            "tokens": {name: domain.tokens for name, domain in named},
            "text_bytes": {name: domain.text_bytes for name, domain in named},
            "documents": {name: len(domain.document_bytes) for name, domain in named},
            **self._use(),
            "spent": self._spent(self.counts, self.text_bytes),
            "spent_by_domain": {name: self._spent(domain.counts, domain.text_bytes) for name, domain in named},
            **self._entropy(),
            "same_but_for_case": self._twins(),
            "longest_tokens": self._longest(),
            "commonest_tokens": self._pieces(token_id for token_id, _ in self.counts.most_common(_COMMONEST_SHOWN)),
            "roundtrip_failures": sum(domain.roundtrip_failures for domain in self.domains.values()),
            "notes": list(self.subject.notes),
        }

    def _content(self, token_id: int) -> bytes:
        return self.subject.tokenizer.content(token_id)[0]

    def _pieces(self, token_ids: Iterable[int]) -> list[str]:
        return self.subject.tokenizer.pieces(token_ids)

    @cached_property
    def _ordinary(self) -> list[int]:
        return [token_id for token_id, kind in enumerate(self.kinds) if kind != TokenKind.CONTROL]

    def _use(self) -> dict[str, Any]:
        unused = [token_id for token_id in self._ordinary if not self.counts[token_id]]
        rare = [token_id for token_id in self._ordinary if self.counts[token_id] < RARE_BELOW]
        unused_bytes, rare_bytes = (sum(len(self._content(one)) == 1 for one in ids) for ids in (unused, rare))
        control = self.subject.tokenizer.vocab_size - len(self._ordinary)
        return {
            "unused": len(unused),
            "unused_bytes": unused_bytes,
            "unused_by_kind": {"control": control, "bytes": unused_bytes, "merges": len(unused) - unused_bytes},
            "rare": len(rare),
            "rare_by_kind": {"control": control, "bytes": rare_bytes, "merges": len(rare) - rare_bytes},
        }

    def _spent(self, counts: Mapping[int, int], text_bytes: int) -> dict[str, dict[str, float]]:
        """By kind, those that occur: shares of all tokens, and of the bytes of the text."""
        tokens, covered = Counter[TokenKind](), Counter[TokenKind]()
        for token_id, count in counts.items():
            kind = self.kinds[token_id]
            tokens[kind] += count
            covered[kind] += count * self._covered(token_id)
        total = sum(tokens.values())
        return {
            str(kind): {"tokens": tokens[kind] / total, "bytes": covered[kind] / text_bytes if text_bytes else 0.0}
            for kind in TokenKind
            if tokens[kind]
        }

    def _covered(self, token_id: int) -> int:
        """Bytes of the text that a token stands for: a marker for none, as it is no part of the text."""
        content = self._content(token_id)
        return len(content) - sum(content.count(marker.encode()) for marker in self.subject.markers)

    def _entropy(self) -> dict[str, float]:
        bits = entropy_bits(self.counts.values())
        return {
            "entropy_bits": bits,
            "effective_vocab_size": 2**bits if self.tokens else 0.0,
            "unigram_bits_per_byte": bits / self.bytes_per_token if self.tokens else 0.0,
            "renyi_efficiency": renyi_efficiency(self.counts.values(), self.subject.tokenizer.vocab_size),
        }

    def _twins(self) -> dict[str, Any]:
        twins = case_twins(self.subject)
        return {
            "words": len(twins.words),
            "by_case": twins.by_case,
            "by_blank": twins.by_blank,
            "examples": [self._pieces(token_id for token_id, _ in family) for family in twins.examples],
        }

    def _longest(self) -> list[str]:
        longest = sorted(self._ordinary, key=lambda token_id: (-len(self._content(token_id)), token_id))
        return self._pieces(longest[:_LONGEST_SHOWN])


def inspect(tokenizer: Tokenizer | Subject, texts_by_domain: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """Bytes per token by domain (0.0 where a domain has no text), and how the vocabulary is used over all of them.

    ``unused`` counts the tokens, control tokens aside, that occur in no text, ``unused_bytes`` those of them that are
    single bytes: 13 of these never occur in UTF-8, and case mapping spares 26 capitals. ``rare`` counts tokens that
    occur fewer than 10 times, the unused included; only the counts by kind name control tokens. ``spent`` tells by
    ``TokenKind`` the share of all tokens, and of the text's bytes, that such tokens take. ``effective_vocab_size`` is
    that of a vocabulary used evenly with the same entropy; ``unigram_bits_per_byte`` is what a model would need that
    knows nothing but how common each token is. ``same_but_for_case`` counts words in the vocabulary and the entries
    beyond one for each: those that differ by capitals, and by the blank in front. Tokens are shown as by
    ``Tokenizer.pieces``.
    """
    return measure(tokenizer, texts_by_domain).as_dict()


def measure(
    tokenizer: Tokenizer | Subject,
    texts_by_domain: Mapping[str, Iterable[str]],
    *,
    progress: Callable[[str, int], None] = lambda domain, text_bytes: None,
) -> Measurement:
    """``progress`` is called with a domain and the bytes of a text that was measured."""
    subject = tokenizer if isinstance(tokenizer, Subject) else Subject.of(tokenizer)
    domains = {}
    for name, texts in texts_by_domain.items():
        domain = domains[name] = Domain()
        for text, ids in encoded(subject.tokenizer, texts):
            domain.counts.update(ids)
            domain.document_bytes.append(len(text.encode()))
            domain.document_tokens.append(len(ids))
            domain.roundtrip_failures += not comes_back(subject.tokenizer, text, ids)
            progress(name, domain.document_bytes[-1])
    return Measurement(subject=subject, domains=domains)
