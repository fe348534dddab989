"""The history: one SQLite file of chained records, append-only, safe against kills and against two writers at once.

A record counts as stored when :meth:`History.append` returns: the transaction is then on the disk (rollback journal,
``synchronous=FULL``; WAL is not used, as the file may lie on a share). Triggers refuse changes and deletions by mistake;
against intent the chain of :mod:`ybscan.store.chain` serves, and the seal beside the file.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ybscan.model.problem import InputProblems, Problem
from ybscan.model.result import canonical_json
from ybscan.store.chain import Clock, Flaw, Header, RecordKind, body_flaw, flaws, may_lack_body
from ybscan.store.chain import pruned_to as told_pruned_to
from ybscan.store.digests import NONE, Digests, digests
from ybscan.store.schema import VERSION, migrate
from ybscan.store.signing import Signature

FILE = "history.sqlite3"
SEAL = "history.seal.json"
#: How long a writer waits for another one, seconds.
BUSY_SECONDS = 60
#: Largest body that is read back, bytes when unpacked.
MAX_BODY = 64 * 1024 * 1024

_COLUMNS = (
    "seq, kind, terminal, at, stored_at, clock, refers, body_sha256, body_sm3, prev_sha256, prev_sm3, sha256, sm3"
)


@dataclass(frozen=True, slots=True)
class Record:
    """A stored record; ``body`` is None when it was pruned."""

    header: Header
    body: bytes | None

    def document(self) -> Any:
        """The body as the JSON value it is."""
        return None if self.body is None else json.loads(self.body)


class History:
    """An open history. Use :func:`opened`."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._db = connection
        self._folder = folder

    # Writing ----------------------------------------------------------------------------------------------------

    def append(
        self,
        kind: RecordKind,
        document: Callable[[Header | None], Any],
        *,
        terminal: str = "",
        at: datetime,
        now: datetime,
        clock: Clock = "system",
        refers: int = 0,
    ) -> Header:
        """Store one record and return its header.

        Args:
            kind: what it is.
            document: given the header of the terminal's newest record of that kind (None for the first; a correction of
                a check is a check), what to store; called inside the transaction, so that nothing can come between.
            terminal: which terminal it is about.
            at: the time the record speaks of.
            now: this machine's clock.
            clock: where ``at`` comes from.
            refers: the record that is corrected.

        Raises:
            InputProblems: the disk is full, or another program keeps the file locked; nothing was stored then.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                last = self._last()
                mine = self._last_of(kind, terminal)
                body = canonical_json(document(mine))
                header = Header(
                    seq=(last.seq if last else 0) + 1, kind=kind, terminal=terminal, at=at.isoformat(timespec="seconds"),
                    stored_at=now.isoformat(timespec="seconds"), clock=clock, refers=refers, body=digests(body),
                    previous=last.own if last else NONE,
                ).sealed()  # fmt: skip
                self._insert(header, body)
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as e:
            raise _refused(self._folder / FILE, e) from None
        self._seal(header)
        return header

    def copy_to(self, path: Path, *, now: datetime) -> None:
        """A consistent copy of the file, whoever else is writing; when it was made is noted in the original.

        Raises:
            InputProblems: it cannot be made.
        """
        try:
            with closing(sqlite3.connect(path)) as target:
                self._db.backup(target)
                # The seal stays with the original.
                target.execute("DELETE FROM meta WHERE name = 'sealed'")
                target.commit()
            self._db.execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('copied_at', ?)",
                (now.isoformat(timespec="seconds"),),
            )
        except sqlite3.Error as e:
            raise _refused(path, e) from None

    def copied_at(self) -> datetime | None:
        """When :meth:`copy_to` last made a copy; None for never."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'copied_at'").fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def add_signature(self, signature: Signature) -> None:
        """Keep a signature; one by the same key over the same record is replaced.

        Raises:
            InputProblems: the file cannot be written.
        """
        try:
            self._db.execute(
                "INSERT OR REPLACE INTO signature (seq, algorithm, key, value) VALUES (?, ?, ?, ?)",
                (signature.seq, signature.algorithm, signature.key, signature.value),
            )
        except sqlite3.Error as e:
            raise _refused(self._folder / FILE, e) from None

    def signatures(self) -> list[Signature]:
        """All signatures, by number."""
        return [
            Signature(*row) for row in self._db.execute("SELECT seq, algorithm, key, value FROM signature ORDER BY seq")
        ]

    def drop_bodies(self, to: int) -> None:
        """Give up the bodies of the records up to ``to``; only :mod:`ybscan.store.prune` does, after its summary is stored.

        What a summary or an event says stays: only bodies of checks are large, and only they are given up.

        Raises:
            InputProblems: the file cannot be written.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('pruned_to', ?)", (str(to),))
            self._db.execute("UPDATE record SET body = NULL WHERE seq <= ? AND kind IN ('result', 'correction')", (to,))
            self._db.execute("COMMIT")
            self._db.execute("VACUUM")
        except sqlite3.Error as e:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise _refused(self._folder / FILE, e) from None

    def _insert(self, header: Header, body: bytes) -> None:
        self._db.execute(
            f"INSERT INTO record ({_COLUMNS}, body) VALUES ({', '.join('?' * 14)})",  # noqa: S608 - constant columns
            (
                header.seq, header.kind, header.terminal, header.at, header.stored_at, header.clock, header.refers,
                header.body.sha256, header.body.sm3, header.previous.sha256, header.previous.sm3, header.own.sha256,
                header.own.sm3, zlib.compress(body, 6),
            ),
        )  # fmt: skip
        self._db.execute(
            "INSERT OR REPLACE INTO head (one, seq, sha256, sm3) VALUES (1, ?, ?, ?)",
            (header.seq, header.own.sha256, header.own.sm3),
        )

    def _seal(self, header: Header) -> None:
        """Note the newest record beside the file as well, so that an older copy of the file shows.

        Written after the commit: a kill in between leaves a seal that is behind, which is no flaw.
        """
        seal = {"schema": "ybscan.seal/v1", "seq": header.seq, "sha256": header.own.sha256, "sm3": header.own.sm3}
        with suppress(OSError):
            current = self.seal()
            if current is not None and current[0] >= header.seq:
                return
            if current is None and (self._was_sealed() or (self._folder / SEAL).exists()):
                return  # one that was taken away or spoiled is for verify to find, not to be made good
            fd, name = tempfile.mkstemp(prefix=".seal-", dir=self._folder)
            with os.fdopen(fd, "w", encoding="ascii") as f:
                json.dump(seal, f)
                f.flush()
                os.fsync(f.fileno())
            Path(name).replace(self._folder / SEAL)
            if not self._was_sealed():
                # From now on a seal that is missing has been taken away.
                with suppress(sqlite3.Error):
                    self._db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('sealed', '1')")

    # Reading ----------------------------------------------------------------------------------------------------

    def headers(self) -> list[Header]:
        """All headers, by number."""
        return [_header(row) for row in self._db.execute(f"SELECT {_COLUMNS} FROM record ORDER BY seq")]  # noqa: S608

    def record(self, seq: int) -> Record | None:
        """One record with its body."""
        row = self._db.execute(f"SELECT {_COLUMNS}, body FROM record WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
        return _record(row) if row is not None else None

    def records(self, kind: RecordKind | None = None, *, terminal: str | None = None) -> Iterator[Record]:
        """Records by number, with their bodies."""
        where = ["1 = 1"]
        values: list[str] = []
        if kind is not None:
            where.append("kind = ?")
            values.append(kind)
        if terminal is not None:
            where.append("terminal = ?")
            values.append(terminal)
        query = f"SELECT {_COLUMNS}, body FROM record WHERE {' AND '.join(where)} ORDER BY seq"  # noqa: S608 - fixed parts
        for row in self._db.execute(query, values):
            yield _record(row)

    def seal(self) -> tuple[int, Digests] | None:
        """What the seal beside the file says; None when there is none or it cannot be read."""
        try:
            document = json.loads((self._folder / SEAL).read_text(encoding="ascii"))
            return int(document["seq"]), Digests(str(document["sha256"]), str(document["sm3"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def verify(self) -> list[Flaw]:
        """Everything in the file that is not as it was stored; empty when nothing is.

        Raises:
            InputProblems: the file is damaged so that SQLite cannot read it.
        """
        try:
            return self._verify()
        except sqlite3.Error as e:
            raise _refused(self._folder / FILE, e) from None

    def _verify(self) -> list[Flaw]:
        row = self._db.execute("SELECT seq, sha256, sm3 FROM head").fetchone()
        headers = self.headers()
        found = flaws(headers, (row[0], Digests(row[1], row[2])) if row else None)
        seal = self.seal()
        by_number = {h.seq: h for h in headers}
        if seal is not None:
            sealed = by_number.get(seal[0])
            if sealed is None:
                found.append(
                    Flaw(
                        0,
                        f"封存文件记有 {seal[0]} 条记录，历史中只有 {len(headers)} 条：末尾的记录被删除，或换成了旧文件",
                    )
                )
            elif sealed.own != seal[1]:
                found.append(Flaw(sealed.seq, f"第 {sealed.seq} 号记录与封存文件的摘要值不符"))
        elif headers and (self._was_sealed() or (self._folder / SEAL).exists()):
            found.append(Flaw(0, "封存文件不见了或无法读取，不能确认末尾的记录是否齐全"))
        pruned_to = self._pruned_to(headers)
        for header in headers:
            record = self.record(header.seq)
            if record is None or record.body is None:
                if not may_lack_body(header, pruned_to):
                    found.append(Flaw(header.seq, f"第 {header.seq} 号记录没有正文，或正文已损坏"))
            elif (flaw := body_flaw(header, record.body)) is not None:
                found.append(flaw)
        return found

    def _pruned_to(self, headers: list[Header]) -> int:
        """The last number that a summary of pruned records speaks of: the chain covers it, a note beside it would not do."""
        for header in reversed(headers):
            if header.kind == "pruned":
                record = self.record(header.seq)
                if record is not None and record.body is not None and body_flaw(header, record.body) is None:
                    return told_pruned_to(record.body)
        return 0

    def _was_sealed(self) -> bool:
        return self._db.execute("SELECT 1 FROM meta WHERE name = 'sealed'").fetchone() is not None

    def _last_of(self, kind: RecordKind, terminal: str) -> Header | None:
        kinds = ("result", "correction") if kind in ("result", "correction") else (kind, kind)
        return self._last("AND kind IN (?, ?) AND terminal = ?", (*kinds, terminal))

    def _last(self, more: str = "", values: tuple[str, ...] = ()) -> Header | None:
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM record WHERE 1 = 1 {more} ORDER BY seq DESC LIMIT 1",  # noqa: S608 - fixed parts
            values,
        ).fetchone()
        return _header(row) if row is not None else None


def _header(row: tuple[Any, ...]) -> Header:
    seq, kind, terminal, at, stored_at, clock, refers, *rest = row[:13]
    return Header(
        seq=seq, kind=kind, terminal=terminal, at=at, stored_at=stored_at, clock=clock, refers=refers,
        body=Digests(rest[0], rest[1]), previous=Digests(rest[2], rest[3]), own=Digests(rest[4], rest[5]),
    )  # fmt: skip


def _record(row: tuple[Any, ...]) -> Record:
    return Record(_header(row), None if row[13] is None else _unpacked(row[13]))


def _unpacked(packed: bytes) -> bytes | None:
    """The body; None when it cannot be unpacked, or is larger than anything ybscan stores."""
    try:
        machine = zlib.decompressobj()
        body = machine.decompress(packed, MAX_BODY)
    except (zlib.error, TypeError):
        return None
    return body if machine.eof and not machine.unconsumed_tail else None


def _refused(path: Path, error: sqlite3.Error) -> InputProblems:
    text = str(error)
    if "locked" in text:
        return InputProblems([Problem(str(path), 0, "历史文件正被另一个程序使用，没有写入", "请稍后重试")])
    if "full" in text:
        return InputProblems([Problem(str(path), 0, "磁盘已满，历史没有写入", "请清理磁盘后重试")])
    if "readonly" in text or "unable to open" in text:
        return InputProblems(
            [Problem(str(path), 0, "历史文件不能写入", "请用 --state 指定可写的文件夹，或加 --no-store")]
        )
    return InputProblems(
        [Problem(str(path), 0, f"历史文件已损坏或不是 ybscan 的历史文件（{text}）", "请从备份恢复，并保留此文件备查")]
    )


@contextmanager
def opened(folder: Path, *, create: bool = False, busy_seconds: float = BUSY_SECONDS) -> Iterator[History]:
    """The history in ``folder``. Files of older versions are brought up to date; a writer waits ``busy_seconds`` for another.

    Raises:
        InputProblems: there is none (and ``create`` is false), it was made by a newer version, or it cannot be opened.
    """
    path = folder / FILE
    if create:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Findings tell an attacker where to begin: for the owner alone. SQLite gives its journal the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as e:
            message = f"状态文件夹无法写入（{e.strerror or type(e).__name__}）"
            raise InputProblems([Problem(str(folder), 0, message, "请用 --state 指定可写的文件夹")]) from None
    elif not path.is_file():
        raise InputProblems(
            [Problem(str(path), 0, "没有历史文件", "请先运行 ybscan scan，或用 --state 指定所在文件夹")]
        )
    try:
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    except sqlite3.Error as e:
        raise _refused(path, e) from None
    try:
        try:
            connection.execute("PRAGMA synchronous=FULL")
            version = migrate(connection)
        except sqlite3.Error as e:
            raise _refused(path, e) from None
        if version > VERSION:
            raise InputProblems([Problem(str(path), 0, "历史文件由更新版本的 ybscan 写成", "请使用同样新或更新的版本")])
        try:
            yield History(connection, folder)
        except sqlite3.Error as e:  # a file that is damaged inside is found out only when it is read
            raise _refused(path, e) from None
    finally:
        connection.close()
