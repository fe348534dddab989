"""Evidence of the Windows collector made by hand: the same parts and lines that ``ybscan-collect.vbs`` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BOM = b"\xff\xfe"


def utf16(text: str) -> bytes:
    """Text as the scripting runtime writes it."""
    return BOM + text.replace("\n", "\r\n").encode("utf-16-le")


def escaped(text: object) -> str:
    return str(text).replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def part(name: str, *records: tuple[str, Mapping[str, Any]]) -> str:
    """A part: records as (kind, values); a list is written item by item, None as what the source did not have."""
    lines = [f"ybscan-records 1 {name}"]
    for kind, values in records:
        lines.append(f"[{kind}]")
        for key, value in values.items():
            if value is None:
                lines.append(f"{key}:null")
            elif isinstance(value, (list, tuple)):
                lines += [f"{key}:list", *(f"{key}+={escaped(v)}" for v in value)]
            else:
                lines.append(f"{key}={escaped(value)}")
    return "\n".join([*lines, f"[end] {len(records)}", ""])


def reg(asked: str, body: str, *, verified: bool = True, end: bool = True) -> str:
    """A registry file of the collector. ``body`` is as ``reg export`` writes it."""
    head = f"Windows Registry Editor Version 5.00\n\n;ybscan key [{asked}]\n"
    return head + body + (";ybscan verified\n" if verified else "") + (";ybscan end\n" if end else "")


SYSTEM = (
    ("os", {"Caption": "Microsoft Windows 7 专业版 ", "BuildNumber": "7601", "OSArchitecture": "64 位",
            "LocalDateTime": "20261120100000.000000+480", "LastBootUpTime": "20261120080000.500000+480", "ProductType": "1",
            "SystemDrive": "C:"}),
    ("computer", {"PartOfDomain": "0", "Domain": "WORKGROUP", "Workgroup": "WORKGROUP", "SystemType": "x64-based PC"}),
)  # fmt: skip
VERSION = """;ybscan named
[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]
"CurrentBuild"="7601"
"CurrentBuildNumber"="7601"
"EditionID"="Professional"
"InstallationType"="Client"
"CSDVersion"="Service Pack 1"
;ybscan no "UBR"
;ybscan no "DisplayVersion"
"""


def write(
    folder: Path,
    parts: Mapping[str, str | bytes],
    *,
    registry: Sequence[str | bytes] = (),
    finished: bool = True,
    failed: Mapping[str, str] | None = None,
    elevated: str = "yes",
    files: Mapping[str, bytes] | None = None,
    users: Sequence[str] | None = None,
    kind: str = "windows",
) -> Path:
    """Write the evidence below ``folder``. Parts given as bytes are tools' output (``netstat``, ``secedit``)."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["ybscan-records 1 manifest", "[collector]", f"kind={kind}", "version=1", "host=SF-01",
             "started=2026-11-20T01:59:00Z", f"elevated={elevated}", "process_bits=64", "codepage=936"]  # fmt: skip

    def listed(name: str, file: str, data: bytes) -> None:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(data)
        lines.extend(["[part]", f"name={name}", f"file={file}", "status=done", f"bytes={len(data)}"])

    for name, content in parts.items():
        if isinstance(content, bytes):
            listed(name, f"{name}.{'inf' if name == 'secedit' else 'out'}", content)
        else:
            listed(name, f"{name}.txt", utf16(content))
    for number, item in enumerate(registry, 1):
        listed("registry", f"registry/{number:03}.reg", item if isinstance(item, bytes) else utf16(item))
    for name, code in (failed or {}).items():
        lines += ["[part]", f"name={name}", "status=failed", f"code={code}"]
    if users is not None:
        lines += ["[users]", *(f"sid+={s}" for s in users)]
        for sid in users:
            lines += ["[hive]", f"sid={sid}", "key+=Control Panel", "key+=Software"]
    for name, data in (files or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    if finished:
        lines += ["[finished]", "at=2026-11-20T02:00:00Z", "bias=+480", "[end] complete", ""]
    (folder / ("manifest.txt" if finished else "manifest.partial")).write_bytes(utf16("\n".join([*lines, ""])))
    return folder
