"""Evidence with its manifest: which parts there are, and what came of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal, TypeVar

from ybscan.hosts.collected.container import LIMITS, MANIFEST, PARTIAL, Limits, Refused, members_of
from ybscan.hosts.collected.records import Malformed, Record, cause_of, decoded, gap_of, parse
from ybscan.model.problem import InputProblems, Problem
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

T = TypeVar("T")
VERSIONS = frozenset({"1"})


@dataclass(frozen=True, slots=True)
class PartEntry:
    """A ``[part]`` of the manifest."""

    file: str
    status: str
    code: str


@dataclass(slots=True)
class Evidence:
    """What a collector brought, its manifest checked."""

    name: str
    kind: Literal["windows", "linux"]
    members: dict[str, bytes]
    collector: Record
    finished: bool
    """Whether the run came to its end."""
    at: datetime | None
    """When it did, else when it began; None where the terminal could not tell."""
    parts: dict[str, list[PartEntry]]
    extra: tuple[Record, ...] = ()
    """Other records of the manifest."""
    _read: dict[str, Reading[tuple[Record, ...]]] = field(default_factory=dict)

    def content(self, part: str) -> Reading[bytes]:
        """The file of a part that is not in the line format; Unknown with the reason where there is none."""
        entries = self.parts.get(part)
        if not entries:
            return Unknown(*self._missing(part), part)
        entry = entries[0]
        if entry.status not in ("done", "partial"):
            return Unknown(cause_of(entry.code), f"采集时未能取得 {part}（代码 {entry.code or '无'}）", part)
        data = self.members.get(entry.file)
        if data is None:
            return Unknown(Cause.NOT_RECORDED, f"证据中缺少 {entry.file}", part)
        return Known(data, entry.file)

    def records(self, part: str) -> Reading[tuple[Record, ...]]:
        """The records of a part, ``[error]`` ones included."""
        if part not in self._read:
            data = self.content(part)
            if isinstance(data, Known):
                try:
                    self._read[part] = Known(parse(decoded(data.value), part), data.origin)
                except Malformed as e:
                    self._read[part] = Unknown(Cause.MALFORMED, f"{data.origin} {e}", part)
            else:
                self._read[part] = data
        return self._read[part]

    def rows(self, part: str, kind: str, source: str = "") -> Reading[tuple[Record, ...]]:
        """The records of one kind. What ``source`` (a class, a namespace) did not give is a gap, or Unknown without rows.

        Known and empty only if the source answered that there is nothing.
        """
        read = self.records(part)
        if not isinstance(read, Known):
            return read
        found = tuple(r for r in read.value if r.kind == kind)
        gaps = tuple(
            gap_of(r, part)
            for r in read.value
            if r.kind == "error" and (not source or r.text("what").startswith(source))
        )
        if gaps and not found:
            return Unknown(gaps[0].cause, gaps[0].detail, part)
        return Known(found, read.origin, gaps)

    def _missing(self, part: str) -> tuple[Cause, str]:
        if not self.finished:
            return Cause.INCOMPLETE, f"采集中断，没有取得 {part}"
        return Cause.NOT_RECORDED, f"证据中没有 {part}"


def mapped_rows(
    read: Reading[tuple[Record, ...]], make: Callable[[Record], T | Gap], *, never_empty: str = ""
) -> Reading[tuple[T, ...]]:
    """Each record turned into an item, or into a gap; with ``never_empty`` (what there always is) none is Unknown."""
    if not isinstance(read, Known):
        return read
    found: list[T] = []
    gaps = list(read.gaps)
    for record in read.value:
        made = make(record)
        if isinstance(made, Gap):
            gaps.append(made)
        else:
            found.append(made)
    if not found and (never_empty or gaps):
        first = gaps[0] if gaps else Gap(Cause.MALFORMED, f"证据中没有任何{never_empty}")
        return Unknown(first.cause, first.detail, read.origin)
    return Known(tuple(found), read.origin, tuple(gaps))


def read_evidence(path: Path, limits: Limits = LIMITS) -> Evidence:
    """The evidence at ``path``, a folder, zip or tar.gz.

    Raises:
        InputProblems: with what is wrong, in Chinese; never anything else, whatever lies there.
    """
    name = str(path)
    try:
        members = members_of(path, limits)
    except Refused as e:
        shown = f"{name}:{e.member}" if e.member else name
        raise InputProblems([Problem(shown, 0, str(e), "请重新采集或复制整个结果")]) from None
    manifest = MANIFEST if MANIFEST in members else PARTIAL
    try:
        return _evidence(name, members, manifest)
    except Malformed as e:
        raise InputProblems([Problem(f"{name}:{manifest}", 0, str(e), "请重新采集")]) from None


def _evidence(name: str, members: dict[str, bytes], manifest: str) -> Evidence:
    text = decoded(members[manifest])
    whole = manifest == MANIFEST
    # An interrupted run leaves no end; what it had written by then stands.
    lines = text.replace("\r\n", "\n")
    if not whole and "[end] complete" not in lines:
        lines = lines[: lines.rfind("\n") + 1] + "[end] complete\n"
    records = parse(lines, "manifest")
    if not records or records[0].kind != "collector":
        raise Malformed("清单没有 [collector]")
    about = records[0]
    kind: Literal["windows", "linux"]
    if about.text("kind") == "windows":
        kind = "windows"
    elif about.text("kind") == "linux":
        kind = "linux"
    else:
        raise Malformed("不认识的采集脚本")
    if about.text("version") not in VERSIONS:
        raise Malformed(f"采集脚本版本为 {about.text('version')[:20]}，本程序不支持，请使用同一版本的采集脚本")
    parts: dict[str, list[PartEntry]] = {}
    problems: list[Problem] = []
    for record in records:
        if record.kind != "part":
            continue
        entry = PartEntry(record.text("file"), record.text("status"), record.text("code"))
        if entry.status in ("done", "partial"):
            data = members.get(entry.file)
            if data is None:
                if whole:
                    problems.append(
                        Problem(f"{name}:{entry.file}", 0, "清单中有，证据中没有", "可能没有复制完整，请重新复制")
                    )
                continue
            if str(len(data)) != record.text("bytes"):
                problems.append(
                    Problem(
                        f"{name}:{entry.file}",
                        0,
                        f"长度应为 {record.text('bytes')} 字节，实际 {len(data)}",
                        "可能没有复制完整，请重新复制",
                    )
                )
                continue
        parts.setdefault(record.text("name"), []).append(entry)
    if problems:
        raise InputProblems(problems)
    finish = next((r for r in records if r.kind == "finished"), None)
    bias = finish.text("bias") if finish else about.text("bias")
    at = moment(finish.text("at") if finish else "", bias) or moment(about.text("started"), bias)
    extra = tuple(r for r in records[1:] if r.kind not in ("part", "finished"))
    return Evidence(name, kind, members, about, whole and finish is not None, at, parts, extra)


def moment(text: str, bias: str) -> datetime | None:
    """A UTC time of the collector in the terminal's own zone; ``bias`` in minutes east of Greenwich."""
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) is None:
        return None
    try:
        utc = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        minutes = int(bias) if re.fullmatch(r"[+-]?\d{1,3}", bias) else 0
        return utc.astimezone(timezone(timedelta(minutes=minutes)))
    except (ValueError, OverflowError):
        return None
