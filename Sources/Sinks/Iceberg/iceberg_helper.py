"""Drives PyIceberg for Sojourn's Iceberg sink: takes requests on a socket, answers each in turn.

It decides nothing about jobs, owners and positions: it loads, makes, appends to and scans tables,
and says what came of it. A message is a 32-bit number of fields, then each field as a 32-bit length
and its bytes, little-endian. A request's first field is a name of `REQUESTS`; an answer's is its kind.

It ends when the other side closes the socket, also in the midst of a request: every commit is atomic,
so that is no worse than a crash.
"""

import os
import queue
import re
import signal
import socket
import struct
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
import pyiceberg
from pyiceberg import exceptions
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import CommitFailedException, Table, Transaction
from pyiceberg.table.snapshots import ancestors_of
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    IcebergType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)
from pyiceberg.utils.config import Config

Message = list[bytes]

# What the sink keeps with each commit, under these names in the snapshot and in the table.
ENTRY_KEYS = ("sojourn.job", "sojourn.fingerprint", "sojourn.owner", "sojourn.position")
# How many snapshots of a table stay; only where the table says so.
KEPT_SNAPSHOTS = "sojourn.keep-snapshots"
# Of tables that are made here; their owners may change them.
TABLE_PROPERTIES = {
    "format-version": "2",
    "write.metadata.delete-after-commit.enabled": "true",
    KEPT_SNAPSHOTS: "20",
}
ROWS_PER_ANSWER = 10_000

# The kinds of columns as the sink names them, with their types in Iceberg and Arrow.
KINDS: dict[str, tuple[IcebergType, pa.DataType]] = {
    "text": (StringType(), pa.string()),
    "boolean": (BooleanType(), pa.bool_()),
    "timestamp": (TimestamptzType(), pa.timestamp("us", tz="UTC")),
    "date": (DateType(), pa.date32()),
    "integer": (LongType(), pa.int64()),
}


class Column:
    """A column that the sink writes: `name kind required|optional`."""

    def __init__(self, text: bytes) -> None:
        self.name, self.kind, nullability = text.decode().split(" ")
        self.required = nullability == "required"
        self.iceberg_type, self.arrow_type = KINDS[self.kind]


def columns_of(field: bytes) -> list[Column]:
    return [Column(line) for line in field.splitlines()]


# --- Tables

catalogs: dict[str, Catalog] = {}


def catalog_of(name: bytes) -> Catalog:
    text = name.decode()
    if text not in catalogs:
        # Also of one that cannot be loaded: its answer may repeat them.
        note_secrets(text, Config().get_catalog_config(text) or {})
        catalogs[text] = load_catalog(text)
    return catalogs[text]


def table_of(catalog: bytes, identifier: bytes) -> Table:
    table = catalog_of(catalog).load_table(identifier.decode())
    # Those that the catalog gave for this table, too.
    note_secrets(identifier.decode(), table.io.properties)
    return table


def head_of(table: Table) -> bytes:
    """The newest snapshot of the main branch: it changes with every commit of rows or of a claim."""
    snapshot = table.metadata.current_snapshot()
    return str(snapshot.snapshot_id).encode() if snapshot else b""


def entry_of(table: Table) -> list[str] | None:
    """What the last commit of a sink kept, as `ENTRY_KEYS`.

    Snapshots go before the table's properties: a table that was rolled back keeps the properties of
    the commits that it lost. The properties serve once the snapshot has expired.
    """
    for snapshot in ancestors_of(table.metadata.current_snapshot(), table.metadata):
        summary = snapshot.summary
        if summary is not None and summary.get(ENTRY_KEYS[0]) is not None:
            return [summary.get(key) or "" for key in ENTRY_KEYS]
    if ENTRY_KEYS[0] in table.properties:
        return [table.properties.get(key, "") for key in ENTRY_KEYS]
    return None


def holds_rows(table: Table) -> bool:
    snapshot = table.metadata.current_snapshot()
    if snapshot is None:
        return False
    total = snapshot.summary.get("total-records") if snapshot.summary else None
    return total != "0"


def require_transforms(table: Table) -> None:
    """Raises NotInstalledError where rows could not be partitioned as the table asks for."""
    for field in table.spec().fields:
        field.transform.pyarrow_transform(table.schema().find_type(field.source_id))


def load(catalog: bytes, identifier: bytes) -> Iterator[Message]:
    """`missing`; or `table`, head, whether it holds rows, entry, and a line for each column."""
    try:
        table = table_of(catalog, identifier)
    except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError):
        yield [b"missing"]
        return
    require_transforms(table)
    entry = entry_of(table)
    lines = (
        f"{'required' if field.required else 'optional'} {field.field_type} {field.name}"
        for field in table.schema().fields
    )
    yield [
        b"table",
        head_of(table),
        b"yes" if holds_rows(table) else b"no",
        b"" if entry is None else b"yes",
        *(part.encode() for part in entry or [""] * len(ENTRY_KEYS)),
        "\n".join(lines).encode(),
    ]


def require_namespace(catalog: Catalog, name: tuple[str, ...]) -> None:
    """Makes a namespace unless it is there, or another process makes it at the same time."""
    try:
        catalog.create_namespace_if_not_exists(name)
    except Exception:
        if not catalog.namespace_exists(name):
            raise


def create(catalog: bytes, identifier: bytes, columns: bytes, partition: bytes) -> Iterator[Message]:
    """Makes a table, and its namespace, unless it is there; partitioned by the values of a column."""
    fields = [
        NestedField(number, column.name, column.iceberg_type, required=column.required)
        for number, column in enumerate(columns_of(columns), start=1)
    ]
    source = next(field.field_id for field in fields if field.name == partition.decode())
    spec = PartitionSpec(PartitionField(source, 1000, IdentityTransform(), partition.decode()))
    target = catalog_of(catalog)
    name = tuple(identifier.decode().split("."))

    def make() -> None:
        target.create_table(name, Schema(*fields), partition_spec=spec, properties=TABLE_PROPERTIES)

    try:
        try:
            make()
        except exceptions.NoSuchNamespaceError:
            for level in range(1, len(name)):
                require_namespace(target, name[:level])
            make()
    except exceptions.TableAlreadyExistsError:
        pass
    yield [b"done"]


# --- Writing


def batch_of(columns: list[Column], count: int, buffers: tuple[bytes, ...]) -> pa.Table:
    """Rows from three buffers a column, in Arrow's layout: validity, values or offsets, text."""
    arrays = []
    for number, column in enumerate(columns):
        parts = [pa.py_buffer(part) if part else None for part in buffers[3 * number :][:3]]
        # An empty text is a buffer all the same.
        parts = parts[:2] + [parts[2] or pa.py_buffer(b"")] if column.kind == "text" else parts[:2]
        array = pa.Array.from_buffers(column.arrow_type, count, parts)
        array.validate(full=True)
        arrays.append(array)
    schema = pa.schema(
        pa.field(column.name, column.arrow_type, nullable=not column.required) for column in columns
    )
    return pa.Table.from_arrays(arrays, schema=schema)


def expire(transaction: Transaction, table: Table) -> None:
    """Forgets old snapshots, now and then; no file is deleted."""
    kept = int(table.properties.get(KEPT_SNAPSHOTS, "0"))
    snapshots = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0)
    if kept < 1 or len(snapshots) < 2 * kept:
        return
    with ExpireSnapshots(transaction) as expiry:
        named = expiry._get_protected_snapshot_ids()
        old = [snapshot.snapshot_id for snapshot in snapshots[:-kept]]
        expiry.by_ids([identifier for identifier in old if identifier not in named])


def append(
    catalog: bytes, identifier: bytes, head: bytes, *rest: bytes
) -> Iterator[Message]:
    """Commits rows with the entry that belongs to them, if the table's head is still `head`.

    The rest of the request: the entry, the columns, the number of rows, and their buffers. No rows
    make a snapshot, too, so that whoever believes in the old head can commit nothing more.
    Answers `committed` with the new head, or `conflict`.
    """
    keys = len(ENTRY_KEYS)
    entry = dict(zip(ENTRY_KEYS, (part.decode() for part in rest[:keys]), strict=True))
    columns = columns_of(rest[keys])
    table = table_of(catalog, identifier)
    if head_of(table) != head:
        yield [b"conflict"]
        return
    rows = batch_of(columns, int(rest[keys + 1]), rest[keys + 2 :])
    # PyIceberg's own retry would build on a head that the sink has not seen. This changes the loaded
    # copy alone.
    local = {**table.properties, "commit.retry.num-retries": "0"}
    table.metadata = table.metadata.model_copy(update={"properties": local})
    transaction = table.transaction()
    transaction.set_properties(entry)
    transaction.append(rows, snapshot_properties=entry)
    expire(transaction, table)
    try:
        transaction.commit_transaction()
    except CommitFailedException:
        yield [b"conflict"]
        return
    yield [b"committed", head_of(table)]


# --- Reading


def arrivals(table: Table) -> Iterator[list]:
    """The files to scan, by the commits that brought them, oldest first."""
    snapshot = table.metadata.current_snapshot()
    if snapshot is None:
        return
    numbers: dict[str, int] = {}
    for manifest in snapshot.manifests(table.io):
        for entry in manifest.fetch_manifest_entry(table.io):
            numbers[entry.data_file.file_path] = entry.sequence_number or 0
    groups: dict[int, list] = defaultdict(list)
    for task in table.scan().plan_files():
        groups[numbers.get(task.file.file_path, 0)].append(task)
    for number in sorted(groups):
        yield groups[number]


def scan(catalog: bytes, identifier: bytes, columns: bytes, *order: bytes) -> Iterator[Message]:
    """Answers of `rows`, a number and three buffers a column; then `end`.

    Rows come commit by commit, within each sorted by the columns of `order`.
    """
    table = table_of(catalog, identifier)
    wanted = columns_of(columns)
    schema = pa.schema(pa.field(column.name, column.arrow_type) for column in wanted)
    projected = table.schema().select(*schema.names)
    reader = ArrowScan(table.metadata, table.io, projected, AlwaysTrue())
    keys = [(name.decode(), "ascending") for name in order]
    for tasks in arrivals(table):
        rows = reader.to_table(tasks).select(schema.names).cast(schema).sort_by(keys)
        for start in range(0, rows.num_rows, ROWS_PER_ANSWER):
            count = min(ROWS_PER_ANSWER, rows.num_rows - start)
            # Taking makes new arrays, which begin at their buffers' first byte.
            part = rows.take(pa.array(range(start, start + count))).combine_chunks()
            buffers = [buffer for array in part.columns for buffer in buffers_of(array.chunk(0))]
            yield [b"rows", str(count).encode(), *buffers]
    yield [b"end"]


def buffers_of(array: pa.Array) -> list[bytes]:
    parts = [buffer.to_pybytes() if buffer else b"" for buffer in array.buffers()]
    return parts + [b""] * (3 - len(parts))


# --- Tables of drills


def rename(catalog: bytes, old: bytes, new: bytes) -> Iterator[Message]:
    catalog_of(catalog).rename_table(old.decode(), new.decode())
    yield [b"done"]


def purge(catalog: bytes, identifier: bytes) -> Iterator[Message]:
    try:
        catalog_of(catalog).purge_table(identifier.decode())
    except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError):
        pass
    yield [b"done"]


def hello() -> Iterator[Message]:
    yield [b"hello", pyiceberg.__version__.encode(), pa.__version__.encode()]


REQUESTS = {
    "hello": hello,
    "load": load,
    "create": create,
    "append": append,
    "scan": scan,
    "rename": rename,
    "purge": purge,
}


# --- Failures

REFUSED = (
    exceptions.UnauthorizedError,
    exceptions.ForbiddenError,
    exceptions.OAuthError,
    exceptions.AuthorizationExpiredError,
    PermissionError,
)
REFUSED_NAMES = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}
REFUSED_WORDS = re.compile(
    r"ACCESS_DENIED|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken"
    r"|password authentication failed"
)
UNSUITABLE = (
    ValueError,
    TypeError,
    NotImplementedError,
    ImportError,
    exceptions.NotInstalledError,
    exceptions.BadRequestError,
    exceptions.NoSuchPropertyException,
    exceptions.ValidationError,
    exceptions.NoSuchIcebergTableError,
)
UNSUITABLE_NAMES = {"ArgumentError", "NoSuchModuleError"}


def kind_of(error: Exception) -> str:
    """What the sink makes of it; what is not known may pass."""
    name, text = type(error).__name__, str(error)
    if isinstance(error, REFUSED) or name in REFUSED_NAMES or REFUSED_WORDS.search(text):
        return "authentication"
    # Errors of requests are errors of I/O before they are anything else.
    if isinstance(error, OSError):
        return "unavailable"
    if isinstance(error, UNSUITABLE) or name in UNSUITABLE_NAMES:
        return "unsuitable"
    return "unavailable"


SECRET_NAME = re.compile(r"secret|password|token|credential|account-key|sas|access-key", re.I)
SECRET_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*(?=@)")
MESSAGE_LIMIT = 500
# By catalog and table.
secrets: dict[str, set[str]] = {}


def note_secrets(source: str, properties: Mapping[str, object]) -> None:
    secrets[source] = {
        str(value) for name, value in properties.items() if SECRET_NAME.search(name) and value
    }


def without_secrets(text: str) -> str:
    """A message for logs: without the secrets of catalogs and tables, on one line."""
    for secret in sorted(set().union(*secrets.values()), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = SECRET_IN_ADDRESS.sub("***", text)
    return " ".join(text.split())[:MESSAGE_LIMIT]


def failure(error: Exception) -> Message:
    text = without_secrets(f"{type(error).__name__}: {error}")
    return [b"error", kind_of(error).encode(), text.encode()]


# --- Messages


def receive(stream: "socket.SocketIO") -> Message | None:
    """The next request; None once the other side has closed."""

    def exactly(count: int) -> bytes:
        data = stream.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def number() -> int:
        return struct.unpack("<I", exactly(4))[0]

    try:
        return [exactly(number()) for _ in range(number())]
    except (EOFError, ConnectionError):
        return None


def send(channel: socket.socket, message: Iterable[bytes]) -> None:
    fields = list(message)
    head = struct.pack("<I", len(fields))
    channel.sendall(head + b"".join(struct.pack("<I", len(part)) + part for part in fields))


def listen(channel: socket.socket, requests: "queue.SimpleQueue[Message]") -> None:
    """Takes requests, on a thread of its own, so that the end is noticed at any time."""
    with channel.makefile("rb") as stream:
        while (message := receive(stream)) is not None:
            requests.put(message)
    os._exit(0)


def serve(channel: socket.socket) -> None:
    # Signals to the whole process group are meant for the sink, which ends this by closing.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(channel, requests), daemon=True).start()
    while True:
        name, *arguments = requests.get()
        try:
            for answer in REQUESTS[name.decode()](*arguments):
                send(channel, answer)
        except ConnectionError:
            os._exit(0)
        except Exception as error:
            send(channel, failure(error))
            # Connections that failed are made anew.
            catalogs.clear()


if __name__ == "__main__":
    sys.stdout = sys.stderr
    serve(socket.socket(fileno=3))
