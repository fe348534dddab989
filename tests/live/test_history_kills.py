"""The history under real trouble: writers killed at any moment, several at once, and a disk that is full."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ybscan.model.problem import InputProblems
from ybscan.store.history import opened

START = datetime.fromisoformat("2026-01-02T09:00:00+08:00")
KILLS = 1000
WRITERS = 3


def _write_for_ever(folder: Path, told: int, number: int) -> None:
    """Append records without end; the number of each goes to ``told`` once it counts as stored."""
    n = 0
    while True:
        with opened(folder, create=True) as history:
            for _ in range(5):
                n += 1
                now = START + timedelta(seconds=n)
                body = {"writer": number, "n": n, "filling": "医保" * random.randrange(2000)}  # noqa: S311 - sizes only
                header = history.append("ledger", lambda _, b=body: b, at=now, now=now)  # type: ignore[misc]
                os.write(told, b"%d\n" % header.seq)


def test_nothing_that_was_reported_as_stored_is_lost_to_kills(tmp_path: Path) -> None:
    chance = random.Random(20261120)  # noqa: S311 - when to kill
    reported: set[int] = set()
    killed = 0
    while killed < KILLS:
        reader, writer = os.pipe()
        children = []
        for number in range(WRITERS):
            pid = os.fork()
            if pid == 0:
                try:
                    os.close(reader)
                    _write_for_ever(tmp_path, writer, number)
                finally:
                    os._exit(1)
            children.append(pid)
        os.close(writer)
        for pid in children:
            time.sleep(chance.random() * 0.02)
            os.kill(pid, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
            killed += 1
        with os.fdopen(reader, "rb") as f:
            lines = f.read().split(b"\n")
        # What stands after the last end of line was cut off by the kill.
        reported.update(int(line) for line in lines[:-1])
    with opened(tmp_path) as history:
        stored = {h.seq for h in history.headers()}
        assert history.verify() == []
    assert len(reported) > KILLS // 10, "the writers must have got to writing"
    assert reported <= stored
    assert stored == set(range(1, len(stored) + 1))


_FILL = """
import sys
from datetime import datetime
from pathlib import Path
from ybscan.model.problem import InputProblems
from ybscan.store.history import opened
now = datetime.fromisoformat("2026-01-02T09:00:00+08:00")
with opened(Path(sys.argv[1]), create=True) as history:
    for n in range(10_000):
        try:
            print(history.append("ledger", lambda _: {"n": n, "filling": [i * 7919 % 10007 for i in range(3000)]}, at=now, now=now).seq, flush=True)
        except InputProblems as e:
            print(e.problems[0], file=sys.stderr)
            sys.exit(7)
"""


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    script = (
        f"mount -t tmpfs -o size=600k none {tmp_path} && mkdir {tmp_path}/s && {sys.executable} - {tmp_path}/s; code=$?; "
        f"cp {tmp_path}/s/* $OUT/; exit $code"
    )
    command = ["unshare", "--mount", "sh", "-c", script]
    out = tmp_path.parent / f"{tmp_path.name}-kept"
    out.mkdir()
    run = subprocess.run(
        command,
        input=_FILL.encode(),
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "OUT": str(out)},
    )
    if b"unshare" in run.stderr or b"mount:" in run.stderr:
        pytest.skip(f"this sandbox does not allow mounting: {run.stderr.decode().strip()[:80]}")
    assert run.returncode == 7, run.stderr.decode()
    assert "磁盘已满" in run.stderr.decode()
    reported = [int(x) for x in run.stdout.split()]
    with opened(out) as history:
        assert [h.seq for h in history.headers()] == reported
        assert history.verify() == []


def test_two_writers_never_share_a_number(tmp_path: Path) -> None:
    with opened(tmp_path, create=True) as one, opened(tmp_path) as other:
        numbers = [h.append("ledger", lambda _: {}, at=START, now=START).seq for h in (one, other, one, other)]
        assert numbers == [1, 2, 3, 4]
        assert one.verify() == []


def test_a_locked_file_is_said_to_be_in_use(tmp_path: Path) -> None:
    with opened(tmp_path, create=True, busy_seconds=0.2) as history, opened(tmp_path) as other:
        other._db.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputProblems, match="正被另一个程序使用"):
            history.append("ledger", lambda _: {}, at=START, now=START)
        other._db.execute("ROLLBACK")
        assert history.append("ledger", lambda _: {}, at=START, now=START).seq == 1
