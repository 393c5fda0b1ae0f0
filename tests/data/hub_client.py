"""A process of its own that reads hub datasets as it is told, one JSON object a line.

The hub's client takes the address of the hub once, at import, so it cannot be tested in the process of the tests.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from smidgen.data.document import Document
from smidgen.data.hub import asking
from smidgen.data.listing import Listing, list_source
from smidgen.data.parts import part_from_json, part_to_json, parts_of, read_part, whole_parts_of
from smidgen.errors import SmidgenError
from smidgen.recipes.mixture import Source


def listing(source: dict[str, Any]) -> dict[str, Any]:
    found = list_source("web", Source(**source), seed=1, cache=None)
    return {"listing": found.to_json(), "record": found.record()}


def parts(listing: dict[str, Any], part_bytes: int) -> list[dict[str, Any]]:
    return [part_to_json(part) for part in parts_of(Listing.from_json(listing), part_bytes=part_bytes)]


def read(part: dict[str, Any]) -> list[list[str]]:
    return [
        [item.id, item.text] if isinstance(item, Document) else [item.place, item.reason, "rejected"]
        for item in read_part(part_from_json(part))
    ]


def read_whole(source: dict[str, Any]) -> list[list[str]]:
    found = list_source("web", Source(**source), seed=1, cache=None)
    return [row for part in whole_parts_of(found) for row in read(part_to_json(part))]


def login(token: str) -> None:
    os.environ["HF_TOKEN"] = token


def stand_in(folder: str) -> None:
    os.chdir(Path(folder))


def main() -> None:
    asking.WAITS_SECONDS = (0.01, 0.01, 0.02)
    asking.TIMEOUT_SECONDS = 1.0
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"answer": globals()[order.pop("do")](**order)}
        except SmidgenError as error:
            answer = {"error": str(error), "exit_code": error.exit_code}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
