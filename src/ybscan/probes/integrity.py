"""The files of the medical-insurance programs against the unit's approved baseline.

Only digests leave the file system; what a program stores is not looked at. On Windows the signature state
(WinVerifyTrust with WTD_REVOKE_NONE and WTD_CACHE_ONLY_URL_RETRIEVAL) is to be added to the same items.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath

from ybscan.hosts.base import Host
from ybscan.hosts.groups.volumes import TreeEntry
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.programs import is_program
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._software.baseline import Baseline, BaselineFile, read_baseline
from ybscan.probes._software.text import shown
from ybscan.probes.base import Context, Probe

#: Budget for all program folders together.
ENTRIES = 50_000
HASH_BYTES = 4 * 1024**3
SECONDS = 80
_PROGRAMS = Unknown(Cause.NOT_CONFIGURED, "site.yml 的 data.programs", "site.yml")
_NO_FILES = Unknown(Cause.NOT_CONFIGURED, "基线文件中没有 files，请用 ybscan baseline 生成", "data.baseline")
_WINDOWS = "FindFirstFile 与 CryptoAPI 的 SHA-256，WinVerifyTrust 只查本机缓存的签名状态"


class IntegrityProbe(Probe):
    """Added, changed and deleted program files."""

    name = "integrity"
    title = "医保程序文件完整性"
    facts = (
        FactSpec(
            "changes", Kind.ITEMS, "与基线不一致的程序文件",
            help="data.programs 各文件夹中的可执行文件、脚本、程序库和配置文件与基线（data.baseline 的 files）比对："
            "新增、改动、缺失。日志、缓存文件夹中的配置文件和基线 exclude 列出的文件不比对；改动和缺失可以确证，新增需要核实。",
            linux="data.programs 的文件夹与基线文件，SHA-256", windows=_WINDOWS,
            fields=(
                Field("path", Kind.TEXT, "文件"),
                Field("change", Kind.TEXT, "变化"),
                Field("size", Kind.INTEGER, "大小", "字节"),
                Field("modified", Kind.TIME, "修改时间"),
                Field("before", Kind.TEXT, "基线中的 SHA-256"),
                Field("now", Kind.TEXT, "现在的 SHA-256"),
                Field("proven", Kind.BOOLEAN, "是否可以确证"),
            ),
            summary="{path}（{change}，修改时间 {modified}）",
        ),
        FactSpec(
            "compared", Kind.INTEGER, "比对内容的程序文件数", "个",
            help="逐个计算 SHA-256 并与基线比对过的文件数。", linux="同上", windows=_WINDOWS,
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        programs = context.site.data.programs
        baseline = read_baseline(host, context.site)
        why = _PROGRAMS if not programs else baseline if isinstance(baseline, Unknown) else None
        if why is not None or not isinstance(baseline, Baseline) or baseline.files is None:
            return {"changes": why or _NO_FILES, "compared": why or _NO_FILES}
        comparison = _Comparison(host, context, baseline, baseline.files)
        for folder in sorted({clean(p) for p in (*(programs or ()), *baseline.folders)}):
            comparison.folder(folder)
        comparison.outside()
        items = tuple(comparison.items[k] for k in sorted(comparison.items))
        return {
            "changes": Known(items, "程序文件夹与基线文件", tuple(dict.fromkeys(comparison.gaps))),
            "compared": comparison.count(),
        }


def clean(path: str) -> str:
    """A folder's path as one spelling: no double, closing or dot components; relative ones stay as they are."""
    return str(PurePosixPath(path)) if path.startswith("/") else path


def excluded(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether the baseline exempts the file from comparison."""
    return any(fnmatch.fnmatchcase(path, p) for p in patterns)


def real_path(folder: str, entry: TreeEntry) -> str:
    """The path of an entry of the folder's tree, as the file system has it."""
    return f"{folder.rstrip('/')}/{entry.name}" if entry.name else folder


def full_path(folder: str, entry: TreeEntry) -> str:
    """The same as the baseline writes it: bytes that are no UTF-8 as ``\\xNN``."""
    return real_path(folder, entry).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def watched(folder: str, entry: TreeEntry, baseline_exclude: tuple[str, ...]) -> bool:
    """Whether the entry is part of the program and not exempt."""
    if entry.kind not in ("file", "link"):
        return False
    if entry.kind == "file" and not is_program(entry.name or PurePosixPath(folder).name, entry.mode):
        return False
    return not excluded(full_path(folder, entry), baseline_exclude)


class _Comparison:
    def __init__(self, host: Host, context: Context, baseline: Baseline, files: Mapping[str, BaselineFile]) -> None:
        self._host, self._context, self._baseline, self._files = host, context, baseline, files
        self.items: dict[str, Item] = {}
        self.gaps: list[Gap] = []
        self.compared = 0
        self._accounted: set[str] = set()
        self._left = HASH_BYTES

    def folder(self, folder: str) -> None:
        """Compare one program folder."""
        mine = {p: f for p, f in self._files.items() if p == folder or p.startswith(f"{folder}/")}
        self._accounted.update(mine)
        if not folder.startswith("/"):
            self.gaps.append(Gap(Cause.UNSUPPORTED, f"{folder} 不是 Linux 的绝对路径", "site.yml"))
            return
        if not mine and folder not in map(clean, self._baseline.folders):
            self.gaps.append(Gap(Cause.NOT_CONFIGURED, f"基线中没有 {folder} 的文件", "data.baseline"))
            return
        tree = self._host.volumes.tree(path=folder, count=ENTRIES, hash_bytes=self._left, seconds=SECONDS)
        if isinstance(tree, Unknown):
            self.gaps.append(tree.as_gap())
            return
        mount = self._host.volumes.mount(path=folder)
        if isinstance(mount, Unknown) and mount.cause is not Cause.UNSUPPORTED:
            self.gaps.append(mount.as_gap())
            return
        if isinstance(mount, Known) and mount.value.expected:
            self.gaps.append(Gap(Cause.UNAVAILABLE, f"{mount.value.expected} 未挂载", "/etc/fstab"))
            return
        entries = () if isinstance(tree, Absent) else tree.value
        gaps = () if isinstance(tree, Absent) else tree.gaps
        self.gaps.extend(gaps)
        seen: set[str] = set()
        for entry in entries:
            path = full_path(folder, entry)
            seen.add(path)
            # A file that lost its execute bit is still the one that was approved.
            if path in mine or watched(folder, entry, self._baseline.exclude):
                self._left = max(self._left - entry.size * bool(entry.sha256), 0)
                if self._open(path, entry, mine.get(path)) and not gaps:
                    self._not_hashed(path, real_path(folder, entry), entry, mine[path])
        for path in mine.keys() - seen:
            if not excluded(path, self._baseline.exclude):
                # Of a folder read in part the file may lie in what was not read.
                self._add(path, "缺失", None, mine[path], _doubt(gaps) if gaps else True)

    def _open(self, path: str, entry: TreeEntry, before: BaselineFile | None) -> bool:
        """Compare one entry with what was approved; whether its content is still to be looked at."""
        if excluded(path, self._baseline.exclude):
            return False
        if before is None:
            why = Unknown(Cause.UNCONFIRMED, f"{shown(path)} 是新增文件，需核实来源", path)
            self._add(path, "新增", entry, None, why)
        elif entry.kind not in ("file", "link"):
            self._add(path, "已不是文件", entry, before, True)
        elif entry.sha256:
            self.compared += 1
            if entry.sha256 != before.sha256:
                self._add(path, "内容改动", entry, before, True)
        elif entry.kind == "file" and entry.size != before.size:
            self._add(path, "内容改动", entry, before, True)
        else:
            return True
        return False

    def _not_hashed(self, path: str, real: str, entry: TreeEntry, before: BaselineFile) -> None:
        """Same size, not hashed in the walk: by its name and bits no program any more."""
        digest = self._host.volumes.digest(path=real, limit=self._left, seconds=20)
        if isinstance(digest, Known):
            self._left = max(self._left - entry.size, 0)
            self.compared += 1
            if digest.value != before.sha256:
                self._add(path, "内容改动", entry, before, True)
        else:
            lost = Gap(Cause.UNAVAILABLE, f"{shown(path)} 在读取时消失", path)
            self.gaps.append(digest.as_gap() if isinstance(digest, Unknown) else lost)

    def count(self) -> Fact:
        """How many files were compared. None at all is no result: every list of differences would then be empty."""
        if self.compared:
            return Known(self.compared, "程序文件夹与基线文件")
        if self.gaps:
            return Unknown(self.gaps[0].cause, self.gaps[0].detail, self.gaps[0].origin)
        return Unknown(Cause.UNAVAILABLE, "没有一个程序文件可以与基线比对", "data.baseline")

    def outside(self) -> None:
        """Files of the baseline in no folder that was looked at."""
        missed = sorted(p for p in self._files if p not in self._accounted)
        if missed:
            detail = f"基线中的 {shown(missed[0])} 等 {len(missed)} 个文件不在 data.programs 的文件夹中"
            self.gaps.append(Gap(Cause.NOT_CONFIGURED, detail, "site.yml"))

    def _add(
        self, path: str, change: str, entry: TreeEntry | None, before: BaselineFile | None, proven: FieldValue
    ) -> None:
        modified = datetime.fromtimestamp(entry.mtime, self._context.now.tzinfo) if entry is not None else None
        self.items[path] = {
            "path": shown(path, 400), "change": change, "size": entry.size if entry else None, "modified": modified,
            "before": before.sha256 if before else None, "now": (entry.sha256 or None) if entry else None,
            "proven": proven,
        }  # fmt: skip


def _doubt(gaps: tuple[Gap, ...]) -> Unknown:
    return Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)


PROBES = (IntegrityProbe(),)
