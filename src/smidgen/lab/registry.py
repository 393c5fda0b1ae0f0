"""The local registry: every score record of this machine in one SQLite file, to be compared later."""

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput, OutOfResources
from smidgen.records.fingerprint import sha256_of_json

SCHEMA_VERSION = 1
# How long one process waits for another's write, which takes milliseconds.
WAIT_SECONDS = 30
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    added TEXT NOT NULL,
    model TEXT NOT NULL,
    parameters INTEGER,
    weights_sha256 TEXT NOT NULL,
    scores TEXT NOT NULL,
    content BLOB NOT NULL
)
"""


@dataclass(frozen=True)
class Registry:
    """Score records in the file ``path``, which the first ``add`` makes.

    Several processes may write at once (write-ahead log, waiting up to 30 s). Every method raises ``BadInput`` for a
    file that is damaged, of a newer version or no registry, ``OutOfResources`` on a full disk.
    """

    path: Path

    def add(self, record: dict[str, Any]) -> int:
        """Store a record, items included, and return its number; one that is there already keeps its number."""
        digest = sha256_of_json(record)
        row = (
            digest,
            datetime.now(UTC).isoformat(timespec="seconds"),
            record["model"],
            record.get("parameters"),
            record.get("weights_sha256") or "",
            json.dumps(record["scores"], ensure_ascii=False, allow_nan=False),
            zlib.compress(json.dumps(record, ensure_ascii=False, allow_nan=False).encode()),
        )
        with self._errors_named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO records (sha256, added, model, parameters, weights_sha256, scores, content) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
                row,
            )
            return connection.execute("SELECT id FROM records WHERE sha256 = ?", (digest,)).fetchone()[0]

    def rows(self) -> list[dict[str, Any]]:
        """Every record without its items, newest first; empty where there is no registry yet."""
        if not self.path.exists():
            return []
        columns = ("id", "sha256", "added", "model", "parameters", "weights_sha256", "scores")
        with self._connection() as connection:
            found = connection.execute(f"SELECT {', '.join(columns)} FROM records ORDER BY id DESC").fetchall()
            rows = [dict(zip(columns, row, strict=True)) for row in found]
            return [{**row, "scores": json.loads(row["scores"])} for row in rows]

    def record(self, number: int) -> dict[str, Any]:
        """The whole record as it was added, checked against its hash. Raises ``BadInput`` for an unknown number."""
        row = None
        if self.path.exists():
            with self._connection() as connection:
                row = connection.execute("SELECT sha256, content FROM records WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise BadInput(f"{self.path} holds no record {number}; `smidgen compare --all` lists what it holds")
        with self._errors_named():
            content = json.loads(zlib.decompress(row[1]))
            if sha256_of_json(content) != row[0]:
                raise ValueError(f"record {number} does not have its hash")
        return content

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection on which every statement is a transaction of its own."""
        with self._errors_named():
            connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
            try:
                self._prepare(connection)
                yield connection
            finally:
                connection.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise BadInput(
                f"{self.path} was written by a newer smidgen (schema {version}, this one knows {SCHEMA_VERSION}); "
                "update smidgen, or give another --registry"
            )
        if version < SCHEMA_VERSION:
            connection.execute("PRAGMA journal_mode = WAL")
            # Of several processes that begin at once the first makes the table, the others find it.
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT")

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise OutOfResources(f"no space left on the disk for {self.path}; free some and repeat") from error
            raise BadInput(f"the registry {self.path} cannot be used ({error}); give another --registry") from error
        except (sqlite3.DatabaseError, ValueError, zlib.error) as error:
            raise BadInput(
                f"the registry {self.path} is damaged or no registry ({error}); move it away, "
                "and `smidgen evaluate` begins a new one"
            ) from error
        except OSError as error:
            reason = error.strerror
            raise BadInput(f"the registry {self.path} cannot be used ({reason}); give another --registry") from error
