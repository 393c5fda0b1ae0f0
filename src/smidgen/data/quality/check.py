"""Documents looked through for all that may be wrong with them, without building anything."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from smidgen.data.document import Document
from smidgen.data.quality.batches import batches
from smidgen.data.quality.contamination import ContaminationIndex
from smidgen.data.quality.contamination_report import ContaminationReport, records_of
from smidgen.data.quality.exact_duplicates import DUPLICATE, SeenDigests, digests
from smidgen.data.quality.filters import reject_reasons
from smidgen.data.quality.near_duplicates import NEAR_DUPLICATE, Signatures, repeated_documents, signatures
from smidgen.recipes.quality import Limits

# A source and one of its documents.
Named = tuple[str, Document]
OnFinding = Callable[[dict[str, Any]], None]


@dataclass(kw_only=True)
class Findings:
    """What came out: ``rejected`` by reason, ``contaminated`` by task."""

    documents: int = 0
    text_bytes: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    contaminated: list[dict[str, Any]] | None = None


def check_documents(
    documents: Iterable[Named],
    *,
    limits: Limits,
    near_duplicates: float,
    index: ContaminationIndex | None,
    on_finding: OnFinding,
) -> Findings:
    """Look through the documents in their order; each is rejected for the first reason that holds.

    The reasons are those of `filters`, then "duplicate" and "near duplicate" (not with ``near_duplicates`` = 0); a
    document that stays is compared with the evaluation sets of ``index``. ``on_finding`` is called with source,
    document, reason and what belongs to it. Raises ``BadInput`` where near duplicates need a missing package.
    """
    findings = Findings()
    remaining = _Remaining(near_duplicates, on_finding)
    report = ContaminationReport(index) if index else None
    seen = SeenDigests()
    for batch in batches(documents, lambda named: len(named[1].text)):
        findings.documents += len(batch)
        findings.text_bytes += sum(len(document.text.encode()) for _, document in batch)
        kept = _without_rejected(batch, limits, seen, findings.rejected, on_finding)
        texts = [document.text for _, document in kept]
        remaining.add(kept, texts)
        if index and report:
            for (source, document), hits in zip(kept, index.hits(texts), strict=True):
                report.add(hits)
                for record in records_of(source, document.id, hits):
                    on_finding(record)
    findings.rejected += remaining.near_duplicates()
    findings.contaminated = report.as_list() if report else None
    return findings


def _without_rejected(
    batch: list[Named], limits: Limits, seen: SeenDigests, rejected: Counter[str], on_finding: OnFinding
) -> list[Named]:
    reasons = reject_reasons([document.text for _, document in batch], limits)
    passed = [number for number, reason in enumerate(reasons) if reason is None]
    is_new = seen.are_new(digests(batch[number][1].text for number in passed))
    for number in np.array(passed, np.int64)[~is_new]:
        reasons[number] = DUPLICATE
    for (source, document), reason in zip(batch, reasons, strict=True):
        if reason:
            rejected[reason] += 1
            on_finding({"source": source, "document": document.id, "reason": reason})
    return [named for named, reason in zip(batch, reasons, strict=True) if reason is None]


class _Remaining:
    """The documents that are left, as far as they must be known to find near duplicates among them."""

    def __init__(self, threshold: float, on_finding: OnFinding) -> None:
        self._threshold = threshold
        self._on_finding = on_finding
        self._names: list[tuple[str, str]] = []
        self._signatures: list[Signatures] = []

    def add(self, kept: list[Named], texts: list[str]) -> None:
        if self._threshold:
            self._names += [(source, document.id) for source, document in kept]
            self._signatures.append(signatures(texts))

    def near_duplicates(self) -> Counter[str]:
        if not self._names:
            return Counter()
        earlier = repeated_documents(self._signatures, self._threshold)
        repeating = np.flatnonzero(earlier >= 0).tolist()
        for number in repeating:
            source, document_id = self._names[number]
            first_source, first_id = self._names[earlier[number]]
            self._on_finding(
                {
                    "source": source,
                    "document": document_id,
                    "reason": NEAR_DUPLICATE,
                    "of": {"source": first_source, "document": first_id},
                }
            )
        return Counter({NEAR_DUPLICATE: len(repeating)} if repeating else {})
