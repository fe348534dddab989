"""The files of a Windows terminal that a case states: what it does not name does not exist."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ybscan.hosts.groups.files import TEXT_LIMIT, Files, FileStat
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

#: Of files without a time of their own: 2026-01-01.
_WHEN = 1767225600.0


class CaseFiles(Files):
    """``C:\\…`` → a text, ``{base64: data}``, ``{dir: true}`` or ``{unknown: cause}`` (it, and all below it, is refused);
    ``{text: …, mtime: ISO time}`` sets the time, ``{rights: {SID: mask}}`` the access rights. Names compare without case.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        super().__init__()
        self._given: dict[str, Any] = {}
        self._names: dict[str, dict[str, str]] = {}
        for path, content in tree.items():
            parts = path.rstrip("\\").split("\\")
            self._given["\\".join(parts).lower()] = content
            for n in range(1, len(parts)):
                folder = "\\".join(parts[:n]).lower()
                self._names.setdefault(folder, {}).setdefault(parts[n].lower(), parts[n])

    def _at(self, path: str) -> Reading[Any]:
        lower = path.rstrip("\\").lower()
        parts = lower.split("\\")
        for n in range(1, len(parts) + 1):
            content = self._given.get("\\".join(parts[:n]))
            if isinstance(content, Mapping) and "unknown" in content:
                return Unknown(Cause(content["unknown"]), "case", path)
        content = self._given.get(lower)
        if lower in self._names or (isinstance(content, Mapping) and "dir" in content):
            return Known({"dir": True, **(content if isinstance(content, Mapping) else {})}, path)
        if lower not in self._given:
            return Absent(path)
        return Known(
            content if isinstance(content, Mapping) else {"text": "" if content is None else str(content)}, path
        )

    def _bytes(self, path: str) -> Reading[bytes]:
        found = self._at(path)
        if not isinstance(found, Known):
            return found
        if "dir" in found.value:
            return Unknown(Cause.MALFORMED, f"{path} 是文件夹", path)
        if "base64" in found.value:
            return Known(base64.b64decode(found.value["base64"]), path)
        return Known(str(found.value.get("text", "")).encode(), path)

    def text(self, *, path: str, limit: int = TEXT_LIMIT) -> Reading[str]:
        found = self._bytes(path)
        if not isinstance(found, Known):
            return found
        if len(found.value) > limit:
            return Unknown(Cause.TOO_LARGE, path, path)
        return Known(found.value.decode("utf-8", "replace"), path)

    def head(self, *, path: str, size: int) -> Reading[bytes]:
        found = self._bytes(path)
        return Known(found.value[:size], path) if isinstance(found, Known) else found

    def entries(self, *, path: str) -> Reading[tuple[str, ...]]:
        found = self._at(path)
        if not isinstance(found, Known):
            return found
        return Known(tuple(sorted(self._names.get(path.rstrip("\\").lower(), {}).values())), path)

    def stat(self, *, path: str, follow: bool = True) -> Reading[FileStat]:
        found = self._at(path)
        if not isinstance(found, Known):
            return found
        when = datetime.fromisoformat(found.value["mtime"]).timestamp() if "mtime" in found.value else _WHEN
        folder = "dir" in found.value
        data = self._bytes(path)
        size = len(data.value) if isinstance(data, Known) else 0
        return Known(FileStat("dir" if folder else "file", size, when, 0o777, 0, 0, (0, 0)), path)

    def rights(self, *, path: str) -> Reading[dict[str, int]]:
        found = self._at(path)
        if not isinstance(found, Known):
            return found
        if "rights" not in found.value:
            return Unknown(Cause.NOT_RECORDED, "检查样例中没有访问权限", path)
        return Known({str(s): int(m) for s, m in found.value["rights"].items()}, path)
