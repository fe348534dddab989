"""Real Windows disks broken in several places at once: structures, files, logs, and parts of two machines in one.

What a value says cannot be told from what it said before a bit of it flipped: a hive has no checksum over its values. So
bytes flip only where the structure lies (headers of bins, cells, keys and lists), whole pages and files are spoiled, and
files are exchanged. Whatever comes of it, no rule passes that passed on none of the machines the files are from.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.hives.roots import CONFIG, windows_7, windows_10
from tests.hives.test_verdicts import FILES_7, FILES_10, NOW_7, NOW_10, Judge, judge, statuses
from ybscan.hosts.offline import offline_root
from ybscan.model.problem import InputProblems

__all__ = ["judge"]

#: More storms than the usual few, for a long run by hand.
STORMS = int(os.environ.get("YBSCAN_STORMS", "3"))
_MACHINES: tuple[tuple[Callable[[Path], Path], tuple[str, ...], datetime], ...] = (
    (windows_7, FILES_7, NOW_7),
    (windows_10, FILES_10, NOW_10),
)
_PAGE = 4096
_CELL = re.compile(rb"nk|vk|lh|lf|ri|li|hbin")
#: Bytes of a cell that hold its structure. Of a value the eight behind its length may be the value itself.
_STRUCTURE = {
    b"nk": (*range(-4, 0), 0, 1, *range(20, 32), *range(36, 44), *range(72, 76)),
    b"vk": (*range(-4, 0), 0, 1, 2, 3, *range(4, 8)),
    b"hbin": tuple(range(4, 12)),
}
_LIST = (*range(-4, 0), 0, 1, 2, 3, *range(4, 8))


def spoiled(data: bytes, draw: random.Random) -> bytes:
    """The hive or log with pages overwritten, its tail lost, or bytes of its structure changed."""
    made = bytearray(data)
    kind = draw.choice(("pages", "zeros", "tail", "structure", "structure"))
    if kind == "tail":
        return bytes(made[: draw.randrange(0, len(made))])
    if kind in ("pages", "zeros"):
        for _ in range(draw.randrange(1, 12)):
            at = draw.randrange(0, max(len(made) // _PAGE, 1)) * _PAGE
            made[at : at + _PAGE] = b"\0" * _PAGE if kind == "zeros" else draw.randbytes(_PAGE)
        return bytes(made)
    cells = list(_CELL.finditer(data))
    for found in draw.sample(cells, min(len(cells), draw.choice((1, 20, 400)))):
        at = found.start() + draw.choice(_STRUCTURE.get(found[0], _LIST))
        if 0 <= at < len(made):
            made[at] ^= draw.randrange(1, 256)
    return bytes(made)


def storm(root: Path, other: Path, files: tuple[str, ...], draw: random.Random) -> list[str]:
    """Break up to three files of the machine below ``root``; what was done, for the message."""
    done = []
    for name in draw.sample(files, draw.randrange(1, 4)):
        path = root / name
        kind = draw.choice(("gone", "empty", "spoiled", "spoiled", "spoiled", "exchanged", "repeated"))
        donor = other / draw.choice([f for f in (*FILES_7, *FILES_10) if (other / f).exists()])
        if kind == "gone":
            path.unlink(missing_ok=True)
        elif kind == "exchanged" and (other / name).exists():
            path.write_bytes((other / name).read_bytes())
        elif kind == "repeated":
            # A file of quite another sort under this name.
            path.write_bytes(donor.read_bytes())
        else:
            path.write_bytes(b"" if kind == "empty" else spoiled(path.read_bytes(), draw))
        done.append(f"{name} {kind}")
    return done


def passing(status: dict[str, str]) -> set[str]:
    return {rule for rule, verdict in status.items() if verdict == "pass"}


@pytest.mark.parametrize("which", [0, 1])
def test_no_storm_makes_a_rule_pass(which: int, tmp_path: Path, judge: Judge) -> None:
    lay_out, files, now = _MACHINES[which]
    lay_out_other = _MACHINES[1 - which][0]
    roots = []
    for name, make in (("one", lay_out), ("other", lay_out_other)):
        (tmp_path / name).mkdir()
        roots.append(make(tmp_path / name))
    root, other = roots
    allowed = set().union(*(passing(statuses(judge(offline_root(r), now))) for r in roots))
    good = {f: (root / f).read_bytes() for f in files}
    first = int(os.environ.get("YBSCAN_STORM", "0"))
    for seed in range(first, first + STORMS):
        done = storm(root, other, files, random.Random(seed))  # noqa: S311 - not about secrets
        try:
            after = passing(statuses(judge(offline_root(root), now)))
        except InputProblems:
            after = set()  # nothing of a Windows was left to look at
        assert after <= allowed, (seed, done, sorted(after - allowed))
        for name, data in good.items():
            (root / name).write_bytes(data)


def test_the_storms_do_spoil(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    data = (windows_7(tmp_path / "one") / CONFIG / "SAM").read_bytes()
    assert len({spoiled(data, random.Random(n)) for n in range(20)} - {data}) >= 15  # noqa: S311
