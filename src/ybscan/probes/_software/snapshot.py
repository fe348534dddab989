"""Making a baseline: what is there now, how it differs from what was approved, and the document that says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import yaml

from ybscan.hosts.base import Host
from ybscan.hosts.groups.volumes import TreeEntry
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.rule import Document, Short
from ybscan.probes._software.baseline import Baseline, BaselineFile
from ybscan.probes._software.packages import read_packages
from ybscan.probes._software.records import Inventory
from ybscan.probes.autostart import AutostartProbe
from ybscan.probes.base import Context
from ybscan.probes.integrity import clean, full_path, real_path, watched

#: A baseline is made with a person waiting, and must be whole: larger than the budget of a scan.
ENTRIES = 200_000
SECONDS = 1800
FILE_BYTES = 64 * 1024**3
_OWN_KEYS = ("schema", "date", "approver", "document", "folders", "exclude", "packages", "autostart", "files")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is there now. With ``gaps`` it must not become a baseline: what was not seen would never be compared."""

    folders: tuple[str, ...]
    files: Mapping[str, BaselineFile]
    packages: tuple[str, ...]
    autostart: tuple[str, ...]
    suspicious: tuple[str, ...]
    """Autostart items that the check itself takes for suspicious."""
    gaps: tuple[Gap, ...]
    hashed: int
    """How many files were read; the others had the size and time of the earlier baseline."""


def take(
    host: Host, context: Context, exclude: tuple[str, ...], before: Baseline | None, progress: Callable[[str], None]
) -> Snapshot:
    """Look at the program folders, packages and autostart items.

    Args:
        host: the terminal.
        context: its settings and the clock.
        exclude: full paths with ``*`` that are not watched.
        before: the baseline that is to be updated; digests of files of the same size and time are taken from it.
        progress: told what is being read.
    """
    gaps: list[Gap] = []
    files: dict[str, BaselineFile] = {}
    hashed = 0
    folders = tuple(sorted({clean(p) for p in context.site.data.programs or ()}))
    for folder in folders:
        progress(folder)
        tree = host.volumes.tree(path=folder, count=ENTRIES, hash_bytes=0, seconds=SECONDS)
        if not isinstance(tree, Known):
            missing = Gap(Cause.UNAVAILABLE, f"没有文件夹 {folder}", folder)
            gaps.append(tree.as_gap() if isinstance(tree, Unknown) else missing)
            continue
        gaps.extend(tree.gaps)
        for entry in tree.value:
            if not watched(folder, entry, exclude):
                continue
            path = full_path(folder, entry)
            old = (before.files or {}).get(path) if before is not None else None
            stamp = f"{entry.mtime:.6f}"
            if old is not None and entry.kind == "file" and (old.size, old.mtime) == (entry.size, stamp):
                files[path] = old
                continue
            digest = _digest(host, real_path(folder, entry), entry)
            if isinstance(digest, Gap):
                gaps.append(digest)
                continue
            hashed += 1
            files[path] = BaselineFile(entry.size, digest, stamp)
    progress("软件包和自启动项")
    packages, unread = _packages(host)
    gaps.extend(unread)
    # Without a baseline: what it accepted before must not hide what is there now.
    plain = context.site.model_copy(update={"data": context.site.data.model_copy(update={"baseline": None})})
    own = Context(site=plain, now=context.now, window=context.window, dictionary=context.dictionary)
    items = AutostartProbe().read(host, own)["items"]
    autostart: list[str] = []
    suspicious: list[str] = []
    if isinstance(items, Known) and isinstance(items.value, tuple):
        gaps.extend(items.gaps)
        for item in items.value:
            assert not isinstance(item, str)  # noqa: S101 - a list fact holds items
            autostart.append(str(item["id"]))
            if item["suspicious"] is not False:
                suspicious.append(str(item["id"]))
    elif isinstance(items, Unknown):
        gaps.append(items.as_gap())
    return Snapshot(
        folders, dict(sorted(files.items())), packages,
        tuple(sorted(set(autostart))), tuple(sorted(set(suspicious))), tuple(dict.fromkeys(gaps)), hashed,
    )  # fmt: skip


def _packages(host: Host) -> tuple[tuple[str, ...], list[Gap]]:
    """The names of what is installed, and what of the records could not be read."""
    if host.os == "windows":
        from ybscan.probes._windows.inventory import records

        inventory = records(host)
    else:
        inventory = Inventory()
        read_packages(host, inventory)
    return tuple(sorted({p.name for p in inventory.packages})), inventory.gaps


def _digest(host: Host, path: str, entry: TreeEntry) -> str | Gap:
    if entry.kind == "link":
        target = host.files.link(path=path)
        if isinstance(target, Known):
            return hashlib.sha256(f"link:{target.value}".encode("utf-8", "surrogateescape")).hexdigest()
        return target.as_gap() if isinstance(target, Unknown) else Gap(Cause.UNAVAILABLE, f"{path} 在读取时消失", path)
    digest = host.volumes.digest(path=path, limit=FILE_BYTES, seconds=SECONDS)
    if isinstance(digest, Absent):
        return Gap(Cause.UNAVAILABLE, f"{path} 在读取时消失", path)
    return digest.value if isinstance(digest, Known) else digest.as_gap()


def differences(before: Baseline, now: Snapshot) -> dict[str, tuple[str, ...]]:
    """What changed, by Chinese heading; headings without changes are left out."""
    old = before.files or {}
    found = {
        "新增的程序文件": [p for p in now.files if p not in old],
        "内容改动的程序文件": [p for p, f in now.files.items() if p in old and old[p].sha256 != f.sha256],
        "缺失的程序文件": [p for p in old if p not in now.files],
        "新增的程序文件夹": [p for p in now.folders if p not in before.folders],
        "不再比对的程序文件夹": [p for p in before.folders if p not in now.folders],
        "新增的软件包": sorted(set(now.packages) - (before.packages or frozenset())),
        "已卸载的软件包": sorted((before.packages or frozenset()) - set(now.packages)),
        "新增的自启动项": sorted(set(now.autostart) - (before.autostart or frozenset())),
        "已消失的自启动项": sorted((before.autostart or frozenset()) - set(now.autostart)),
    }
    return {heading: tuple(what) for heading, what in found.items() if what}


class Approval(Document):
    """Who approved the baseline, when, and by which document."""

    approver: Short
    document: Short
    date: date


def document_text(now: Snapshot, approval: Approval, exclude: tuple[str, ...], rest: Mapping[str, object]) -> str:
    """The document ``ybscan.baseline/v1``; ``rest`` are keys of other subjects, kept as they were."""
    lines = [
        "# 基线：经批准的程序文件、软件包和自启动项。由 ybscan baseline 生成，修改后须重新批准。",
        "schema: ybscan.baseline/v1", f"date: {approval.date.isoformat()}", f"approver: {_quoted(approval.approver)}",
        f"document: {_quoted(approval.document)}", *_list("folders", now.folders), *_list("exclude", exclude),
        *_list("packages", now.packages), *_list("autostart", now.autostart),
    ]  # fmt: skip
    lines.append("files:" if now.files else "files: []")
    lines += [
        f'  - {{path: {_quoted(path)}, size: {f.size}, sha256: {f.sha256}, mtime: "{f.mtime}"}}'
        for path, f in now.files.items()
    ]
    text = "\n".join(lines) + "\n"
    return text + (yaml.safe_dump(dict(rest), allow_unicode=True, sort_keys=True) if rest else "")


def other_keys(text: str) -> dict[str, object]:
    """The keys of a baseline document that are not about programs, packages or autostart items."""
    document = yaml.safe_load(text)
    return {k: v for k, v in document.items() if k not in _OWN_KEYS} if isinstance(document, dict) else {}


def _list(key: str, values: tuple[str, ...]) -> list[str]:
    return [f"{key}:", *(f"  - {_quoted(v)}" for v in values)] if values else [f"{key}: []"]


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar, which JSON strings are, without what YAML does not allow in a file."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain)
