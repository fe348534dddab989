"""The files the collector looked at, held in memory: names, metadata, links, contents.

``tree.list`` says of each path what was seen there. What it does not speak of was not looked at: Unknown(not_recorded).
Absent is only what the collector found absent, and what a complete listing of its folder does not name.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from ybscan.hosts.collected.records import Malformed
from ybscan.hosts.groups.files import TEXT_LIMIT, FileKind, Files, FileStat
from ybscan.hosts.linux.files import decoded
from ybscan.hosts.linux.redact import holds_hashes, may_hold_hashes, redacted
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_STAT = re.compile(r"S ([0-9a-f]{1,8}) (\d{1,10}) (\d{1,10}) (\d{1,20}) (-?\d{1,20}) ([0-9a-f]{1,16}) (/.*)", re.DOTALL)
_CONTENT = re.compile(r"C (\d{6}) (/.*)", re.DOTALL)
_MISSING = re.compile(r"E (denied|too_large|binary|withheld|failed) (/.*)", re.DOTALL)
_WHY = {
    "denied": (Cause.DENIED, "采集时无权读取"),
    "too_large": (Cause.TOO_LARGE, "采集时超过上限"),
    "binary": (Cause.MALFORMED, "不是文字文件，没有采集"),
    "withheld": (Cause.NOT_PERMITTED, "可能含口令或密钥，没有采集"),
    "failed": (Cause.TOOL_FAILED, "采集时读取失败"),
}
_MAX_LINKS = 40


@dataclass(slots=True)
class Tree:
    """What was seen, by path. ``whole`` are the folders all of whose names are there."""

    stats: dict[str, FileStat] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    contents: dict[str, str] = field(default_factory=dict)
    """Number of the content by path."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why a content was not taken."""

    def add(self, path: str) -> None:
        """Make the path known to the folders above it."""
        while path != "/":
            above, _, name = path.rpartition("/")
            above = above or "/"
            names = self.children.setdefault(above, set())
            if name in names:
                return
            names.add(name)
            path = above


def parse_tree(data: bytes) -> Tree:
    """The tree of ``tree.list``.

    Raises:
        Malformed: a line is not of the format.
    """
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if lines[0] != "ybscan-tree 1" or lines[-1] != "":
        raise Malformed("tree.list 不完整")
    made = Tree()
    number = 1
    while number < len(lines) - 1:
        line = lines[number]
        number += 1
        if line.startswith("L /") and number < len(lines) - 1:
            made.links[_plain(line[2:], number)] = lines[number]
            made.add(line[2:])
            number += 1
        elif line.startswith("D /"):
            made.whole.add(_plain(line[2:], number))
        elif line.startswith("A /"):
            made.absent.add(_plain(line[2:], number))
        elif found := _STAT.fullmatch(line):
            path = _plain(found[7], number)
            made.stats[path] = _stat(found)
            made.add(path)
        elif found := _CONTENT.fullmatch(line):
            made.contents[_plain(found[2], number)] = found[1]
        elif found := _MISSING.fullmatch(line):
            made.missing[_plain(found[2], number)] = found[1]
        else:
            raise Malformed(f"tree.list 第 {number} 行：格式有误")
    return made


def _plain(path: str, number: int) -> str:
    if path != "/" and (path.endswith("/") or any(p in ("", ".", "..") for p in path.split("/")[1:])):
        raise Malformed(f"tree.list 第 {number} 行：路径有误")
    return path


def _stat(found: re.Match[str]) -> FileStat:
    mode, device = int(found[1], 16), int(found[6], 16)
    kind: FileKind = (
        "file" if stat.S_ISREG(mode) else "dir" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"
    )
    # The encoding of dev_t in glibc and musl, see makedev(3).
    major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
    minor = device & 0xFF | (device >> 12) & ~0xFF
    return FileStat(
        kind=kind, size=int(found[4]), mtime=float(found[5]), mode=stat.S_IMODE(mode), uid=int(found[2]), gid=int(found[3]),
        device=(major, minor & 0xFFFFFFFF),
    )  # fmt: skip


class CollectedFiles(Files):
    """Answers from a tree and the members that hold the contents."""

    def __init__(self, tree: Tree, members: Mapping[str, bytes]) -> None:
        super().__init__()
        self._tree = tree
        self._members = members

    def text(self, *, path: str, limit: int = TEXT_LIMIT) -> Reading[str]:
        if holds_hashes(path):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 含口令散列，不读取原文", path)
        found = self._content(path, limit)
        if not isinstance(found, Known):
            return found
        real, data = found.value
        text = decoded(data, path)
        return Known(redacted(real, redacted(path, text.value)), path) if isinstance(text, Known) else text

    def head(self, *, path: str, size: int) -> Reading[bytes]:
        found = self._content(path, TEXT_LIMIT * 16)
        if not isinstance(found, Known):
            return found
        if may_hold_hashes(found.value[0]):
            return Unknown(Cause.NOT_PERMITTED, f"{path} 可能含口令散列，只能按文字读取", path)
        return Known(found.value[1][: min(size, 65536)], path)

    def digest(self, *, path: str, limit: int) -> Reading[str]:
        found = self._content(path, limit)
        if not isinstance(found, Known):
            return found
        real, data = found.value
        size = self._tree.stats[real].size if real in self._tree.stats else -1
        if len(data) != size:
            return Unknown(Cause.INCOMPLETE, f"{path} 的内容在采集时隐去了机密", path)
        return Known(hashlib.sha256(data).hexdigest(), path)

    def entries(self, *, path: str) -> Reading[tuple[str, ...]]:
        real = self._resolved(path)
        if not isinstance(real, Known):
            return real
        here = real.value
        if here in self._tree.whole:
            return Known(tuple(sorted(self._tree.children.get(here, ()))), path)
        seen = self._tree.stats.get(here)
        if seen is not None and seen.kind != "dir":
            return Absent(path)
        if seen is not None and here in self._tree.missing:
            return self._lost(path, here)
        return Unknown(Cause.NOT_RECORDED, f"采集结果没有 {path} 的全部文件名", path)

    def stat(self, *, path: str, follow: bool = True) -> Reading[FileStat]:
        real = self._resolved(path, last=follow)
        if not isinstance(real, Known):
            return real
        seen = self._tree.stats.get(real.value)
        return Known(seen, path) if seen is not None else self._unseen(path)

    def link(self, *, path: str) -> Reading[str]:
        real = self._resolved(path, last=False)
        if not isinstance(real, Known):
            return real
        if real.value in self._tree.links:
            return Known(self._tree.links[real.value], path)
        return Absent(path) if real.value in self._tree.stats else self._unseen(path)

    def real(self, *, path: str) -> Reading[str]:
        real = self._resolved(path)
        if isinstance(real, Known) and real.value not in self._tree.stats and real.value not in self._tree.children:
            return self._unseen(path)
        return real

    # ------------------------------------------------------------------------------------------------------------

    def _unseen(self, path: str) -> Unknown:
        return Unknown(Cause.NOT_RECORDED, f"采集结果没有 {path}", path)

    def _lost(self, path: str, real: str) -> Unknown:
        cause, text = _WHY[self._tree.missing[real]]
        return Unknown(cause, f"{path}：{text}", path)

    def _content(self, path: str, limit: int) -> Reading[tuple[str, bytes]]:
        real = self._resolved(path)
        if not isinstance(real, Known):
            return real
        here = real.value
        number = self._tree.contents.get(here)
        if number is None:
            if here in self._tree.missing:
                return self._lost(path, here)
            seen = self._tree.stats.get(here)
            if seen is not None and seen.kind not in ("file", "link"):
                return Unknown(Cause.MALFORMED, f"{path} 不是普通文件", path)
            return self._unseen(path)
        data = self._members.get(f"data/{number}")
        if data is None:
            return Unknown(Cause.INCOMPLETE, f"采集结果缺少 {path} 的内容", path)
        if len(data) > limit:
            return Unknown(Cause.TOO_LARGE, f"{path}（上限 {limit // 1024} KiB）", path)
        return Known((here, data), path)

    def _resolved(self, path: str, *, last: bool = True) -> Reading[str]:
        """The path with its links followed; Absent or Unknown where the way ends."""
        if not path.startswith("/") or "\0" in path:
            return Unknown(Cause.MALFORMED, f"{path} 不是绝对路径", path)
        todo = [p for p in path.split("/") if p]
        here = "/"
        followed = 0
        while todo:
            name = todo.pop(0)
            if name == ".":
                continue
            if name == "..":
                here = here.rpartition("/")[0] or "/"
                continue
            there = f"{here.rstrip('/')}/{name}"
            if there in self._tree.links and (todo or last):
                followed += 1
                if followed > _MAX_LINKS:
                    return Unknown(Cause.MALFORMED, f"{path} 的链接成环", path)
                target = self._tree.links[there]
                if target.startswith("/"):
                    here = "/"
                todo = [p for p in target.split("/") if p] + todo
                continue
            step = self._step(path, here, name, there)
            if step is not None:
                return step
            here = there
        return Known(here, path)

    def _step(self, path: str, here: str, name: str, there: str) -> Absent | Unknown | None:
        """None when ``there`` exists, or may: the next question says so."""
        if there in self._tree.stats or there in self._tree.children or there in self._tree.contents:
            return None
        if there in self._tree.missing:
            return self._lost(path, there)
        seen = self._tree.stats.get(here)
        if there in self._tree.absent or path in self._tree.absent or (seen is not None and seen.kind != "dir"):
            return Absent(path)
        if here in self._tree.whole and name not in self._tree.children.get(here, ()):
            return Absent(path)
        if any(a.startswith(there + "/") and (path == a or path.startswith(a + "/")) for a in self._tree.absent):
            return Absent(path)
        return self._unseen(path)
