"""Arrow IPC, streams and files: read whole, or cut into small streams of one record batch each."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from core.format import bytes_, count
from portfolio.ingest.faults import refused
from portfolio.ingest.raw import Raw, TooLarge

ARROW_FILE = b"ARROW1\0\0"
ARROW_FILE_END = b"ARROW1"
STREAM_END = b"\xff\xff\xff\xff\0\0\0\0"
MOST_MESSAGE_BYTES = 67_108_864
"""Of one record batch of a file that is read part by part, and of all its dictionaries together."""
NO_ARROW = "the body is no Arrow"
WHOLE = "send an Arrow IPC stream or file"
_CONTINUES = 0xFFFFFFFF
_MOST_METADATA_BYTES = 1_048_576
_DICTIONARIES, _RECORDS = 2, 3
"""Types of a message's header (Message.fbs)."""


def streams(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield each record batch of a stream or file as a stream of its own: its schema, its dictionaries and it alone.

    (Arrow columnar format, encapsulated messages: 0xFFFFFFFF, int32 length of the metadata, metadata, body;
    DictionaryBatch {id, data, isDelta}.) Raises RowsRefused for what is none, TooLarge past MOST_MESSAGE_BYTES.
    """
    source = _Source(pieces)
    if source.peek(len(ARROW_FILE)) == ARROW_FILE:
        source.take(len(ARROW_FILE))
    schema, dictionaries = b"", dict[int, list[bytes]]()
    try:
        while message := _message(source):
            kind, content, (id, is_delta) = message
            if kind == _DICTIONARIES:
                dictionaries[id] = [*(dictionaries.pop(id, []) if is_delta else []), content]
                if sum(len(each) for some in dictionaries.values() for each in some) > MOST_MESSAGE_BYTES:
                    raise TooLarge(f"Dictionaries have {bytes_(MOST_MESSAGE_BYTES)} at most: write the texts plainly.")
            elif kind == _RECORDS:
                told = b"".join(each for some in dictionaries.values() for each in some)
                yield b"".join((schema, told, content, STREAM_END))
            elif schema:
                raise refused(f"{NO_ARROW}: it has a second schema", WHOLE)
            else:
                schema = content
    except (struct.error, IndexError) as error:
        raise refused(f"{NO_ARROW}: it is damaged, or has no end", WHOLE) from error
    if not schema:
        raise refused(f"{NO_ARROW}: it has no schema", WHOLE)


class _Source:
    """Bytes that come in pieces, taken as many at a time as are wanted."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._held = pieces, bytearray()

    def peek(self, size: int) -> bytes:
        """Return the next bytes, fewer where the end comes before."""
        while len(self._held) < size and (piece := next(self._pieces, None)) is not None:
            self._held += piece
        return bytes(self._held[:size])

    def take(self, size: int) -> bytes:
        """Return the next bytes and go past them. Raises struct.error where the end comes before."""
        found = self.peek(size)
        if len(found) < size:
            raise struct.error("the end comes before")
        del self._held[:size]
        return found


def _message(source: _Source) -> tuple[int, bytes, tuple[int, bool]] | None:
    """Return the next message: type of its header, its bytes, and of a dictionary its id and whether it adds to one.

    None: there is no further one. Raises RowsRefused, TooLarge, struct.error, IndexError.
    """
    begin = source.peek(4)
    if not begin:
        return None
    (size,) = struct.unpack("<I", source.take(4))
    if size == _CONTINUES:
        (size,) = struct.unpack("<I", source.take(4))
    if not size:
        return None
    if size > _MOST_METADATA_BYTES:
        raise refused(f"{NO_ARROW}: what it says of its columns is too long", WHOLE)
    metadata = source.take(size)
    (root,) = struct.unpack_from("<I", metadata, 0)
    kind_at, header_at, length_at = (_field(metadata, root, slot) for slot in (1, 2, 3))
    length = 0 if length_at is None else struct.unpack_from("<q", metadata, length_at)[0]
    if not 0 <= length <= MOST_MESSAGE_BYTES:
        most = bytes_(MOST_MESSAGE_BYTES)
        raise TooLarge(f"A record batch has {most} at most: write smaller ones (max_chunksize of pyarrow).")
    kind = 0 if kind_at is None else metadata[kind_at]
    id, is_delta = 0, False
    if kind == _DICTIONARIES and header_at is not None:
        header = header_at + struct.unpack_from("<I", metadata, header_at)[0]
        id_at, delta_at = _field(metadata, header, 0), _field(metadata, header, 2)
        id = 0 if id_at is None else struct.unpack_from("<q", metadata, id_at)[0]
        is_delta = delta_at is not None and bool(metadata[delta_at])
    content = struct.pack("<II", _CONTINUES, size) + metadata + source.take(length)
    return kind, content, (id, is_delta)


def of_arrow(content: bytes, most_rows: int) -> Raw:
    """Return the rows of an Arrow IPC stream or file. Raises RowsRefused, TooLarge past `most_rows`."""
    import pyarrow as pa

    try:
        reader: Any
        if content.startswith(ARROW_FILE):
            # A file is read as the stream that it holds: its footer may say anything.
            reader = pa.ipc.open_stream(pa.py_buffer(content[len(ARROW_FILE) :]))
        else:
            reader = pa.ipc.open_stream(pa.py_buffer(content))
        _check_messages(content.removeprefix(ARROW_FILE))
        batches, rows = [], 0
        for batch in reader:
            rows += batch.num_rows
            if rows > most_rows:
                raise TooLarge(f"A batch has {count(most_rows, 'row')} at most: send several.")
            if batch.num_rows:
                batches.append(batch)
        table = pa.Table.from_batches(batches, reader.schema)
        table.validate(full=True)
        names = table.schema.names
        if len(set(names)) < len(names):
            raise refused("a column is there twice", "name each column once", value=", ".join(names))
        return Raw(table.num_rows, {name: table.column(name).combine_chunks() for name in names})
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, struct.error, IndexError) as error:
        said = next(iter(str(error).splitlines()), "")[:200]
        raise refused(f"{NO_ARROW}: {said}", WHOLE) from error


def _check_messages(content: bytes) -> None:
    """Raise RowsRefused when a record batch is compressed by itself: how large it gets nobody could bound.

    (Arrow columnar format, Message.fbs: Message {version, header_type, header, bodyLength}, RecordBatch {length, nodes,
    buffers, compression}, DictionaryBatch {id, data}.)
    """
    import pyarrow as pa

    reader = pa.ipc.MessageReader.open_stream(pa.py_buffer(content))
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        data = message.metadata.to_pybytes()
        (root,) = struct.unpack_from("<I", data, 0)
        header = _field(data, root, 2)
        if header is None or message.type not in ("record batch", "dictionary"):
            continue
        batch = header + struct.unpack_from("<I", data, header)[0]
        if message.type == "dictionary":
            inner = _field(data, batch, 1)
            if inner is None:
                continue
            batch = inner + struct.unpack_from("<I", data, inner)[0]
        if _field(data, batch, 3) is not None:
            fix = "write it without compression, and pack the whole body with Content-Encoding: zstd"
            raise refused("the Arrow record batches are compressed", fix)


def _field(data: bytes, table: int, slot: int) -> int | None:
    """Return where a field of a flatbuffer's table stands; None: it has none."""
    (back,) = struct.unpack_from("<i", data, table)
    vtable = table - back
    (size,) = struct.unpack_from("<H", data, vtable)
    if 4 + 2 * slot >= size:
        return None
    (offset,) = struct.unpack_from("<H", data, vtable + 4 + 2 * slot)
    return table + offset if offset else None
