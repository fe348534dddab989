"""The tables of the history file, and the steps from each older version to the present one."""

from __future__ import annotations

import sqlite3

#: "ybsc": tells the file from other SQLite databases.
APPLICATION_ID = 0x79627363

_FIRST = """
CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    terminal TEXT NOT NULL,
    at TEXT NOT NULL,
    stored_at TEXT NOT NULL,
    clock TEXT NOT NULL,
    refers INTEGER NOT NULL,
    body_sha256 TEXT NOT NULL,
    body_sm3 TEXT NOT NULL,
    prev_sha256 TEXT NOT NULL,
    prev_sm3 TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    sm3 TEXT NOT NULL,
    body BLOB
) STRICT;
CREATE INDEX record_terminal ON record (terminal, kind, seq);
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, sha256 TEXT NOT NULL, sm3 TEXT NOT NULL
) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER record_stays BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END;
CREATE TRIGGER record_is_final BEFORE UPDATE ON record
    WHEN NEW.body IS NOT NULL
        OR OLD.seq > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'pruned_to'), 0)
        OR NEW.seq IS NOT OLD.seq OR NEW.kind IS NOT OLD.kind OR NEW.terminal IS NOT OLD.terminal OR NEW.at IS NOT OLD.at
        OR NEW.stored_at IS NOT OLD.stored_at OR NEW.clock IS NOT OLD.clock OR NEW.refers IS NOT OLD.refers
        OR NEW.body_sha256 IS NOT OLD.body_sha256 OR NEW.body_sm3 IS NOT OLD.body_sm3
        OR NEW.prev_sha256 IS NOT OLD.prev_sha256 OR NEW.prev_sm3 IS NOT OLD.prev_sm3
        OR NEW.sha256 IS NOT OLD.sha256 OR NEW.sm3 IS NOT OLD.sm3
    BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
"""

_SIGNATURES = """
CREATE TABLE signature (
    seq INTEGER NOT NULL,
    algorithm TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (seq, key)
) STRICT;
"""

#: Step n brings a file of version n to version n + 1.
STEPS: tuple[str, ...] = (_FIRST, _SIGNATURES)
VERSION = len(STEPS)


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the file to :data:`VERSION`, each step in a transaction of its own; returns the version it then has.

    A file of a newer version is left as it is, and its version returned.

    Raises:
        sqlite3.Error: the file is no database, or another program's.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version >= VERSION and _ours(connection):
        return version
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it while we waited for the lock.
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        if tables and not _ours(connection):
            raise sqlite3.DatabaseError("not a ybscan history")
        for step in STEPS[version:]:
            for statement in _statements(step):
                connection.execute(statement)
            version += 1
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return version


def _ours(connection: sqlite3.Connection) -> bool:
    return int(connection.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID


def _statements(script: str) -> list[str]:
    """The statements of a script (``executescript`` would commit the transaction it runs in)."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    return found
