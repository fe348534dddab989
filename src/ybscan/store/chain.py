"""The chain: every record's digests cover its own content and the digests of the record before it. Pure.

What is hashed is the canonical JSON of the record's *header*: number, kind, terminal, times, and the digests of its body
and of its predecessor. Since the body enters only through its digests, bodies can be given up (pruned) and the chain
still proves the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from ybscan.model.result import canonical_json
from ybscan.store.digests import NONE, Digests, digests

RecordKind = Literal["result", "correction", "ledger", "waiver", "pruned"]
"""``result``: a check; ``correction``: a new record for an old one; ``ledger`` and ``waiver``: one event each;
``pruned``: the summary of records whose bodies were given up."""

Clock = Literal["system", "recorded", "given"]
"""Where the time of a check comes from: this machine's clock, an evidence bundle, or a person (``--now``)."""

KINDS: tuple[RecordKind, ...] = ("result", "correction", "ledger", "waiver", "pruned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A record without its body. Times are ISO 8601 with an offset."""

    seq: int
    """1, 2, 3 … without a hole."""
    kind: RecordKind
    terminal: str
    """The terminal it is about; empty for what concerns all."""
    at: str
    """The time the record speaks of (when a check began)."""
    stored_at: str
    """When it was stored, by this machine's clock; never given by anybody."""
    clock: Clock
    refers: int
    """The record that a correction replaces; 0 otherwise."""
    body: Digests
    previous: Digests
    own: Digests = NONE
    """Digests of all of the above."""

    def sealed(self) -> Header:
        """The header with its own digests worked out."""
        return replace(self, own=self.computed())

    def computed(self) -> Digests:
        """What ``own`` has to be."""
        document = asdict(self)
        del document["own"]
        return digests(canonical_json(document))


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a stored record. ``seq`` is 0 for the chain as a whole."""

    seq: int
    message: str
    """A Chinese sentence."""


def flaws(headers: Iterable[Header], head: tuple[int, Digests] | None) -> list[Flaw]:
    """Everything that does not fit in a chain of headers, in the order they lie in the store.

    Args:
        headers: all of them.
        head: number and digests of the last record as sealed apart from the records; None where there is no seal.
    """
    found: list[Flaw] = []
    previous, expected = NONE, 1
    last = 0
    for header in headers:
        if header.seq > expected:
            names = f"{expected}" if header.seq == expected + 1 else f"{expected} 至 {header.seq - 1}"
            found.append(Flaw(header.seq, f"第 {names} 号记录不见了"))
        elif header.seq < expected:
            found.append(Flaw(header.seq, f"第 {header.seq} 号记录的次序不对或重复"))
        elif header.previous != previous:
            found.append(
                Flaw(header.seq, f"第 {header.seq} 号记录与前一号不衔接，其中一条被改动、替换，或有记录插入其间")
            )
        if header.computed() != header.own:
            found.append(Flaw(header.seq, f"第 {header.seq} 号记录的内容与其摘要值不符，被改动过"))
        previous, expected, last = header.own, header.seq + 1, header.seq
    if head is None:
        if last:
            found.append(Flaw(0, "封存的末号不见了，不能确认末尾的记录是否齐全"))
    elif head[0] > last:
        found.append(Flaw(0, f"应有 {head[0]} 条记录，只有 {last} 条：末尾的记录被删除"))
    elif head[0] < last:
        found.append(Flaw(0, f"封存的末号是 {head[0]}，却有 {last} 条记录：末尾有未经封存的记录"))
    elif last and head[1] != previous:
        found.append(Flaw(last, f"末号记录（第 {last} 号）与封存的摘要值不符"))
    return found


def body_flaw(header: Header, body: bytes) -> Flaw | None:
    """Whether a body is not the one its header speaks of."""
    if digests(body) == header.body:
        return None
    return Flaw(header.seq, f"第 {header.seq} 号记录的正文与其摘要值不符，被改动过")


def pruned_to(summary: bytes) -> int:
    """The last record whose body a ``pruned`` summary says was given up; 0 where it says none."""
    try:
        return int(json.loads(summary)["to"])
    except (ValueError, KeyError, TypeError):
        return 0


def may_lack_body(header: Header, to: int) -> bool:
    """Whether a record may be there without its body: only checks are given up, and only those a summary speaks of."""
    return header.seq <= to and header.kind in ("result", "correction")


def time_of(text: str) -> datetime | None:
    """A time of a header; None where it is none with an offset: it was changed, as the digests of the header then tell."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def clock_back(headers: Iterable[Header]) -> list[tuple[Header, Header]]:
    """Neighbours of which the later one was stored at an earlier time: the terminal's clock was set back between them."""
    found: list[tuple[Header, Header]] = []
    latest: tuple[datetime, Header] | None = None
    for header in headers:
        now = time_of(header.stored_at)
        if now is None:
            continue
        if latest is not None and now < latest[0]:
            found.append((latest[1], header))
        else:
            latest = now, header
    return found
