"""The rows of a parquet file, or of the row groups that begin in one stretch of its bytes."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from smidgen.data.document import Document, Rejected
from smidgen.data.rows import EMPTY_FILE, NOT_UTF_8, from_row, missing_key
from smidgen.data.stored_file import StoredFile
from smidgen.errors import BadInput

BATCH_ROWS = 256
# A column of a row group may be hundreds of megabytes; it is read in steps, each a request to the hub.
LOCAL_STEP_BYTES, REMOTE_STEP_BYTES = 1_048_576, 4_194_304


def parquet_items(
    file: StoredFile, stream: BinaryIO, *, text_key: str, start: int, end: int
) -> Iterator[Document | Rejected]:
    """Yield what the rows of the row groups are that begin at bytes ``start`` to ``end`` - 1 of the file.

    Of all columns only those with the text and the id are read. Raises ``BadInput`` for a file that is no parquet,
    damaged, or without the column.
    """
    import pyarrow as pa
    import pyarrow.parquet

    number = 0
    try:
        table = pa.parquet.ParquetFile(
            stream,
            page_checksum_verification=True,
            pre_buffer=False,
            buffer_size=REMOTE_STEP_BYTES if file.is_remote else LOCAL_STEP_BYTES,
        )
        columns = _columns(file, table.schema_arrow, text_key)
        if table.metadata.num_rows == 0 and start == 0:
            yield Rejected(file.name, EMPTY_FILE)
        for index in range(table.num_row_groups):
            group = table.metadata.row_group(index)
            if not start <= _beginning(group, file.size_bytes) < end:
                number += group.num_rows
                continue
            for batch in table.iter_batches(batch_size=BATCH_ROWS, row_groups=[index], columns=columns):
                for row in _rows(batch):
                    number += 1
                    if row is None:
                        yield Rejected(f"{file.name}#{number}", NOT_UTF_8)
                    else:
                        yield from_row(row, name=file.name, number=number, text_key=text_key)
    except (pa.ArrowException, OSError) as error:
        # Arrow's messages run over several lines and repeat the path.
        problem = str(error).split("\n")[0].rstrip(". ")
        raise BadInput(
            f"{file.location} is no readable parquet file (after row {number}: {problem}); write or download it again"
        ) from error


def _columns(file: StoredFile, schema: Any, text_key: str) -> list[str]:
    import pyarrow as pa

    if text_key not in schema.names:
        texts = [
            field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        raise missing_key(file.location, text_key, "column", list(schema.names), (texts or [""])[0])
    return [text_key, *(["id"] if "id" in schema.names and text_key != "id" else [])]


def _beginning(group: Any, size_bytes: int) -> int:
    """The position of a row group's first page, inside the file even when a damaged one says otherwise."""
    column = group.column(0)
    # Some writers give 0 where there is no dictionary.
    first_page = min(column.data_page_offset, column.dictionary_page_offset or column.data_page_offset)
    return max(0, min(first_page, size_bytes - 1))


def _rows(batch: Any) -> Iterator[dict[str, Any] | None]:
    """The rows as Python sees them; None for one with a string that is not UTF-8."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for index in range(batch.num_rows):
            try:
                yield batch.slice(index, 1).to_pylist()[0]
            except UnicodeDecodeError:
                yield None
