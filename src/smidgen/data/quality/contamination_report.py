"""Which items of which tasks were met in which documents: counted, and listed line by line."""

from typing import Any

from smidgen.data.quality.contamination import ContaminationIndex, Hits

CONTAMINATED = "contaminated"


class ContaminationReport:
    """Adds up hits, document by document; holds the items that were met and no document."""

    def __init__(self, index: ContaminationIndex) -> None:
        self._coverage = index.coverage
        self._items: dict[str, dict[str, None]] = {task: {} for task in self._coverage}
        self._documents = dict.fromkeys(self._coverage, 0)

    def add(self, hits: Hits) -> None:
        """Count the hits of one document."""
        for task, items in hits.items():
            self._items[task] |= dict.fromkeys(items)
            self._documents[task] += 1

    def as_list(self) -> list[dict[str, Any]]:
        """Tasks of which something was met, in their order; ``testable`` items are those long enough to be found."""
        return [
            {
                "task": task,
                "items": len(items),
                "testable": self._coverage[task].testable,
                "of": self._coverage[task].items,
                "documents": self._documents[task],
                "item_ids": sorted(items, key=_natural),
            }
            for task, items in self._items.items()
            if items
        ]


def records_of(source: str, document_id: str, hits: Hits) -> list[dict[str, Any]]:
    """A line for each task: the document, and how many n-grams or expressions it shares with which items."""
    return [
        {"source": source, "document": document_id, "reason": CONTAMINATED, "task": task, "items": items}
        for task, items in hits.items()
    ]


def _natural(item: str) -> tuple[int, str]:
    return (int(item), "") if item.isdecimal() else (-1, item)
