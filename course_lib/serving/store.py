"""Events on disk: what people clicked and rated, new items, and who asked to be forgotten.

SQLite with a write-ahead log and a full sync at each commit: once `append` returns, the events survive a killed process
and a power cut. Several processes may share one database. Taught in 07_deployment.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.serving.bundle import Item

SCHEMA_VERSION = 1
LIKED_FROM = 3.0  # a rating below says: seen, not liked
EVENTS_READ = 2_000  # the latest events of a user that count
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('click', 'rating')),
    rating REAL,
    time REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_user ON events (user_id, id);
CREATE TABLE IF NOT EXISTS items (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    year INTEGER,
    genres TEXT NOT NULL,
    description TEXT NOT NULL,
    encoder TEXT NOT NULL,
    vectors BLOB NOT NULL,
    time REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS forgotten (user_hash TEXT PRIMARY KEY, time REAL NOT NULL);
"""


class StoreError(RuntimeError):
    """The database did not do what was asked; nothing of it was written."""


class StoreFull(StoreError):
    """No room on the disk."""


class StoreReadOnly(StoreError):
    """The database may be read but not written."""


class StoreBusy(StoreError):
    """Another process held the database for too long, or too many writes wait: try again."""


class StoreBroken(StoreError):
    """The database is damaged or out of reach."""


@dataclass(frozen=True)
class Event:
    """Someone clicked an item, or rated it. `key` makes a repeated request harmless."""

    key: str
    user_id: str
    item_id: str
    kind: str = "click"
    rating: float | None = None


@dataclass(frozen=True)
class Receipt:
    """What became of an event: its number; whether it was new; whether the key had been used for another event."""

    event_id: int
    created: bool
    conflict: bool = False


@dataclass(frozen=True, eq=False)
class NewItem:
    """An item known by its words.

    Attributes
    ----------
    item : Item
    vectors : ndarray of float32, [2, text_dim]
        Title and description as the encoder gives them, not centred; zero where there is no text.
    encoder : str
        Key of the encoder.
    """

    item: Item
    vectors: np.ndarray
    encoder: str


class EventStore:
    """One database, one connection to read and one to write.

    Parameters
    ----------
    path : path
        Made where it is missing.
    busy_seconds : float
        How long to wait for another process's write.

    Raises
    ------
    StoreError
        Where the database cannot be opened or belongs to another version.
    """

    def __init__(self, path: str | Path, busy_seconds: float = 5.0) -> None:
        self.path = Path(path)
        with _typed_errors(self.path):
            self._write = self._connect(busy_seconds)
            version = self._write.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA_VERSION):
                raise StoreBroken(
                    f"{self.path} has version {version} of the tables; this library uses {SCHEMA_VERSION}"
                )
            if version == 0:
                self._write.execute("PRAGMA journal_mode = WAL")
                self._write.executescript(f"{SCHEMA} PRAGMA user_version = {SCHEMA_VERSION};")
            self._read = self._connect(busy_seconds)

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        return connection

    def close(self) -> None:
        """Close both connections."""
        self._read.close()
        self._write.close()

    def history(self, user_id: str) -> dict[str, bool]:
        """Items of a user's events in order of first mention, each with whether the user likes it.

        A click says yes. A rating says yes from 3 on, and overrules clicks and earlier ratings.
        """
        with _typed_errors(self.path):
            rows = self._read.execute(
                "SELECT item_id, rating FROM events WHERE user_id = ? ORDER BY id DESC LIMIT ?", (user_id, EVENTS_READ)
            ).fetchall()
        liked: dict[str, bool] = {}
        for item_id, rating in reversed(rows):
            liked[item_id] = liked.get(item_id, True) if rating is None else rating >= LIKED_FROM
        return liked

    def is_forgotten(self, user_id: str) -> bool:
        """Whether this user asked to be forgotten: what a bundle knows about them must not be used."""
        with _typed_errors(self.path):
            found = self._read.execute("SELECT 1 FROM forgotten WHERE user_hash = ?", (user_hash(user_id),))
            return found.fetchone() is not None

    def forgotten(self) -> set[str]:
        """Hashes of all users who asked to be forgotten, see `user_hash`."""
        with _typed_errors(self.path):
            return {row[0] for row in self._read.execute("SELECT user_hash FROM forgotten")}

    def events(self) -> list[tuple[str, str, float | None, float]]:
        """All events in order: user_id, item_id, rating or None, seconds since 1970."""
        with _typed_errors(self.path):
            return self._read.execute("SELECT user_id, item_id, rating, time FROM events ORDER BY id").fetchall()

    def count(self) -> int:
        """Number of events."""
        with _typed_errors(self.path):
            return self._read.execute("SELECT count(*) FROM events").fetchone()[0]

    def last_item(self) -> int:
        """Position of the newest item, 0 where there is none; grows by at least one with each."""
        with _typed_errors(self.path):
            return self._read.execute("SELECT coalesce(max(position), 0) FROM items").fetchone()[0]

    def new_items(self) -> list[NewItem]:
        """Items added since, in order."""
        columns = "item_id, title, year, genres, description, vectors, encoder"
        with _typed_errors(self.path):
            rows = self._read.execute(f"SELECT {columns} FROM items ORDER BY position").fetchall()
        return [
            NewItem(
                Item(item_id, title, year, tuple(json.loads(genres)), description),
                np.frombuffer(vectors, dtype="<f4").reshape(2, -1),
                encoder,
            )
            for item_id, title, year, genres, description, vectors, encoder in rows
        ]

    def append(self, events: Sequence[Event]) -> list[Receipt]:
        """Write events in one transaction: all of them are on the disk when this returns, or none.

        An event whose key is known is not written again.

        Raises
        ------
        StoreError
        """
        with self._transaction():
            return [self._append_one(event) for event in events]

    def _append_one(self, event: Event) -> Receipt:
        values = (event.user_id, event.item_id, event.kind, event.rating)
        row = self._write.execute(
            "INSERT INTO events (key, user_id, item_id, kind, rating, time) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO NOTHING RETURNING id",
            (event.key, *values, time.time()),
        ).fetchone()
        if row is not None:
            return Receipt(row[0], created=True)
        columns = "id, user_id, item_id, kind, rating"
        event_id, *known = self._write.execute(f"SELECT {columns} FROM events WHERE key = ?", (event.key,)).fetchone()
        return Receipt(event_id, created=False, conflict=tuple(known) != values)

    def add_item(self, new: NewItem) -> bool:
        """Keep a new item; False where its id is known already.

        Raises
        ------
        StoreError
        """
        item = new.item
        values = (item.item_id, item.title, item.year, json.dumps(item.genres), item.description, new.encoder)
        vectors = np.ascontiguousarray(new.vectors, dtype="<f4").tobytes()
        with self._transaction():
            added = self._write.execute(
                "INSERT INTO items (item_id, title, year, genres, description, encoder, vectors, time) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (item_id) DO NOTHING",
                (*values, vectors, time.time()),
            )
            return added.rowcount == 1

    def forget(self, user_id: str) -> int:
        """Delete a user's events, overwrite them on the disk, and remember that they asked; return how many there were.

        Raises
        ------
        StoreError
        """
        with self._transaction():
            deleted = self._write.execute("DELETE FROM events WHERE user_id = ?", (user_id,)).rowcount
            values = (user_hash(user_id), time.time())
            self._write.execute("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", values)
        with _typed_errors(self.path):
            busy = self._write.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:  # the log holds the deleted rows, too
            raise StoreBusy(f"{self.path.name}: the events are deleted but not overwritten yet: send it again")
        return deleted

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _typed_errors(self.path):
            self._write.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._write.execute("COMMIT")
            except BaseException:
                if self._write.in_transaction:
                    self._write.execute("ROLLBACK")
                raise


def user_hash(user_id: str) -> str:
    """SHA-256 of a user's id: enough to recognise who asked to be forgotten, without keeping the id."""
    return hashlib.sha256(user_id.encode()).hexdigest()


@contextmanager
def _typed_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
        kinds = {
            sqlite3.SQLITE_FULL: (StoreFull, "the disk is full: make room, then send it again"),
            sqlite3.SQLITE_READONLY: (StoreReadOnly, "the database may not be written"),
            sqlite3.SQLITE_BUSY: (StoreBusy, "another process holds the database: send it again"),
            sqlite3.SQLITE_LOCKED: (StoreBusy, "another process holds the database: send it again"),
        }
        kind, advice = kinds.get(code, (StoreBroken, "the database cannot be used"))
        raise kind(f"{path.name}: {advice} ({error})") from error
