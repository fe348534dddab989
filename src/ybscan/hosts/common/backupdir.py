"""Listing a backup folder within a budget."""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from dataclasses import dataclass

from ybscan.hosts.common.entries import fresh, leads_away
from ybscan.hosts.common.errors import from_error
from ybscan.hosts.groups.volumes import Entry
from ybscan.model.dates import dates_in
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading

#: Names of transfers and edits that are not finished.
_PARTIAL = re.compile(
    r"(\.(tmp|temp|part|partial|filepart|crdownload|swp|swo|swx|incomplete|inprogress|lck|lock)|~)$", re.IGNORECASE
)
#: Companions of a backup, not backups: small, always fresh, and good for nothing alone.
_COMPANION = re.compile(r"\.(md5|sha1|sha256|sha512|sm3|sum|sig|asc|nfo|ok|done|flag)$", re.IGNORECASE)
_MAX_DEPTH = 8


def is_partial(name: str) -> bool:
    """Whether a file name is that of an unfinished transfer or an editor's scratch file."""
    return bool(_PARTIAL.search(name))


def fits(name: str, pattern: str) -> bool:
    """Whether ``name`` is like the wildcard ``pattern``; hidden files and check sums only when it names them."""
    if name.startswith(".") and not pattern.startswith("."):
        return False
    if _COMPANION.search(name) and not _COMPANION.search(pattern):
        return False
    a, b = (unicodedata.normalize("NFC", t).casefold() for t in (name, pattern))
    return fnmatch.fnmatchcase(a, b)


@dataclass(slots=True)
class _Budget:
    left: int
    spent: bool = False

    def take(self) -> bool:
        self.left -= 1
        if self.left < 0:
            self.spent = True
        return not self.spent


def list_candidates(folder: str, pattern: str, limit: int, *, shown: str) -> Reading[tuple[Entry, ...]]:
    """The entries of ``folder`` (a path of this machine) that may be backups; see ``Volumes.listing``.

    Raises:
        OSError: the folder itself cannot be read.
    """
    budget = _Budget(limit)
    found: list[Entry] = []
    gaps: list[Gap] = []
    partial = 0
    with os.scandir(folder) as listed:
        for item in listed:
            if not budget.take():
                break
            entry = _entry(item, pattern, budget, gaps, shown)
            if entry is not None:
                found.append(entry)
            elif is_partial(item.name):
                partial += 1
    if budget.spent:
        gaps.append(Gap(Cause.TOO_LARGE, f"{shown} 中的文件超过 {limit} 个，未全部读取", shown))
    found.sort(key=lambda e: e.name)
    return Known(tuple(found), shown, tuple(dict.fromkeys(gaps)))


def _entry(item: os.DirEntry[str], pattern: str, budget: _Budget, gaps: list[Gap], shown: str) -> Entry | None:
    try:
        if item.is_symlink() or leads_away(item.stat(follow_symlinks=False)):
            return Entry(item.name, "link", 0, 0.0) if fits(item.name, pattern) and not is_partial(item.name) else None
        if item.is_dir(follow_symlinks=False):
            whole = pattern not in ("*", "*.*") and fits(item.name, pattern)
            if not whole and not dates_in(item.name):
                return None
            return _folder(item, "*" if whole else pattern, budget, gaps, shown)
        if not item.is_file(follow_symlinks=False) or is_partial(item.name) or not fits(item.name, pattern):
            return None
        s = fresh(item)
    except PermissionError:
        gaps.append(Gap(Cause.DENIED, f"{shown}/{item.name}", shown))
        return None
    except OSError as e:
        if isinstance(from_error(e, shown), Absent):
            return None  # removed while we looked
        gaps.append(Gap(Cause.UNAVAILABLE, f"{shown}/{item.name}：{e.strerror or type(e).__name__}", shown))
        return None
    return Entry(item.name, "file", s.st_size, s.st_mtime, 1, int(s.st_size == 0), 0, item.name)


def _folder(item: os.DirEntry[str], pattern: str, budget: _Budget, gaps: list[Gap], shown: str) -> Entry | None:
    """A dated folder as one copy: all files below it that fit, to a fixed depth."""
    size, newest, files, empty, partial = 0, 0.0, 0, 0, 0
    largest, largest_size = "", -1
    todo = [(item.path, item.name, 1)]
    while todo:
        path, name, depth = todo.pop()
        with os.scandir(path) as listed:
            for one in sorted(listed, key=lambda e: e.name):
                if not budget.take():
                    break
                if one.is_symlink() or leads_away(one.stat(follow_symlinks=False)):
                    continue
                if one.is_dir(follow_symlinks=False):
                    if depth < _MAX_DEPTH:
                        todo.append((one.path, f"{name}/{one.name}", depth + 1))
                    else:
                        gaps.append(Gap(Cause.TOO_LARGE, f"{shown}/{name} 下的文件夹层次过深", shown))
                    continue
                if not one.is_file(follow_symlinks=False):
                    continue
                if is_partial(one.name):
                    partial += 1
                    continue
                if not fits(one.name, pattern):
                    continue
                s = fresh(one)
                files += 1
                size += s.st_size
                empty += s.st_size == 0
                newest = max(newest, s.st_mtime)
                if s.st_size > largest_size:
                    largest, largest_size = f"{name}/{one.name}", s.st_size
    if budget.spent:
        return None  # a sum over a part of the files would be a lie; the gap says that it stopped
    if not files and not partial and pattern != "*":
        return None
    return Entry(item.name, "folder", size, newest or fresh(item).st_mtime, files, empty, partial, largest)
