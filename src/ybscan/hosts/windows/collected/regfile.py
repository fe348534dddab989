r"""Registry files: what ``reg export`` and the collector write, as keys.

Sources: the format of "Windows Registry Editor Version 5.00" and REGEDIT4 files. The collector adds comment lines that
begin with ``;ybscan``: what was asked (``key``), that there is no such key (``absent``), which keys could not be read
(``error N``), that keys were left out because they hold secrets (``closed``), that each key was asked for once more
(``verified``), that only named values were asked (``named``, ``no``, ``unread``), and the end.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from ybscan.hosts.collected.records import Malformed, cause_of, decoded
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.hosts.windows.keys import parts
from ybscan.model.reading import Cause, Unknown

_HEADERS = {"Windows Registry Editor Version 5.00": "utf-16-le", "REGEDIT4": "gb18030"}
_HEX = re.compile(r"hex(?:\(([0-9a-f]{1,8})\))?:((?:[0-9a-f]{2}(?:,[0-9a-f]{2})*)?)", re.IGNORECASE)
_DWORD = re.compile(r"dword:([0-9a-f]{1,8})", re.IGNORECASE)
_KEY_LINE = re.compile(r"\[([^\[].*)\]")
_NOTE = re.compile(r";ybscan (\w+)(?: ([0-9A-Fa-f-]+)(?= [\[\"]))?(?: \[(.*)\]| \"(.*)\")?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class RegKey:
    """A key of the file with its values; ``bad`` says why not all of them are there."""

    path: str
    values: dict[str, RegistryValue] = field(default_factory=dict)
    bad: Unknown | None = None


@dataclass(slots=True)
class RegFile:
    """A registry file."""

    keys: list[RegKey] = field(default_factory=list)
    asked: str = ""
    """The key the collector asked for; empty for a plain export."""
    absent: bool = False
    verified: bool = False
    """Whether every key was asked for once more, so that what is not here does not exist."""
    errors: dict[str, Unknown] = field(default_factory=dict)
    """Keys that could not be read, and why."""
    named: bool = False
    """Only the values below, and those of ``without``, were asked for."""
    without: set[str] = field(default_factory=set)
    """Names that were asked for and do not exist, in lower case."""
    unread: dict[str, Unknown] = field(default_factory=dict)
    ended: bool = False


def parse_reg(data: bytes) -> RegFile:
    """The keys of a file.

    A value that makes no sense spoils its key alone.

    Raises:
        Malformed: the file as a whole is none, is cut off, or holds something an export never does.
    """
    text = _decoded(data)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ansi = _HEADERS.get(lines[0].strip())
    if ansi is None:
        raise Malformed("第 1 行：不是注册表导出文件")
    made = RegFile()
    number = 1
    while number < len(lines):
        number = _line(made, lines, number, ansi)
    if made.asked and not made.ended:
        raise Malformed("缺少结尾标记，文件不完整")
    return made


def _decoded(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF16_LE) and len(data) % 2:
        raise Malformed("UTF-16 不完整，文件被截断")
    return decoded(data)


def _line(made: RegFile, lines: list[str], number: int, ansi: str) -> int:
    """Take the line (and those that belong to it); the number of the next."""
    line = lines[number]
    if not line.strip():
        return number + 1
    if made.ended:
        raise Malformed(f"第 {number + 1} 行：结尾标记之后还有内容")
    if line.startswith(";"):
        if line.startswith(";ybscan"):
            _note(made, line, number)
        return number + 1
    if line.startswith("["):
        found = _KEY_LINE.fullmatch(line.strip())
        if found is None:
            raise Malformed(f"第 {number + 1} 行：注册表项的写法有误")
        if found[1].startswith("-"):
            raise Malformed(f"第 {number + 1} 行：导出文件中不会有删除项的写法")
        made.keys.append(RegKey(short(found[1], number)))
        return number + 1
    if not made.keys:
        raise Malformed(f"第 {number + 1} 行：值不属于任何项")
    key = made.keys[-1]
    line, after = _whole(lines, number)
    try:
        name, value = _value(line, ansi)
        if name.lower() in (n.lower() for n in key.values):
            raise ValueError("twice")
        key.values[name] = value
    except (ValueError, UnicodeDecodeError):
        key.bad = Unknown(Cause.MALFORMED, f"{key.path} 的值无法识别（第 {number + 1} 行）", key.path)
    return after


def _whole(lines: list[str], number: int) -> tuple[str, int]:
    """The line with those that continue it, and the number of the next."""
    line = lines[number]
    after = number + 1
    if re.match(r'(?:"(?:[^"\\]|\\.)*"|@)=hex', line):
        while line.rstrip().endswith("\\") and after < len(lines):
            line = line.rstrip()[:-1] + lines[after].strip()
            after += 1
    elif re.match(r'(?:"(?:[^"\\]|\\.)*"|@)="', line):
        # Text may hold line breaks; an export writes them as they are.
        while not re.fullmatch(r'(?:"(?:[^"\\]|\\.)*"|@)="(?:[^"\\]|\\.)*"\s*', line, re.DOTALL):
            if after >= len(lines) or after - number > 2000:
                return lines[number], number + 1
            line += "\n" + lines[after]
            after += 1
    return line, after


def _value(line: str, ansi: str) -> tuple[str, RegistryValue]:
    found = re.match(r'(?:"((?:[^"\\]|\\.)*)"|@)=', line, re.DOTALL)
    if found is None:
        raise ValueError(line)
    name = _plain(found[1]) if found[1] is not None else ""
    raw = line[found.end() :].strip()
    if raw.startswith('"') and raw.endswith('"') and len(raw) > 1:
        return name, _plain(raw[1:-1])
    if number := _DWORD.fullmatch(raw):
        return name, int(number[1], 16)
    if octets := _HEX.fullmatch(raw):
        return name, _typed(int(octets[1] or "3", 16), bytes.fromhex(octets[2].replace(",", "")), ansi)
    raise ValueError(raw)


def _typed(kind: int, data: bytes, ansi: str) -> RegistryValue:
    """REG_SZ 1, REG_EXPAND_SZ 2, REG_DWORD 4, REG_MULTI_SZ 7; else bytes, REG_QWORD too."""
    if kind in (1, 2):
        return _text(data, ansi).partition("\0")[0]
    if kind == 7:
        return tuple(t for t in _text(data, ansi).split("\0") if t)
    if kind == 4 and len(data) == 4:
        return int.from_bytes(data, "little")
    return data


def _text(data: bytes, ansi: str) -> str:
    """As Windows' own programs read it: a single byte at the end is no character."""
    if ansi == "utf-16-le":
        return data[: len(data) // 2 * 2].decode(ansi, "surrogatepass")
    return data.decode(ansi)


def _plain(raw: str) -> str:
    return _ESCAPE.sub(r"\1", raw)


def short(path: str, number: int = -1) -> str:
    """``HKEY_LOCAL_MACHINE\\…`` as ``HKLM\\…``.

    Raises:
        Malformed: another root.
    """
    try:
        return "\\".join(parts(path))
    except ValueError:
        raise Malformed(f"第 {number + 1} 行：不认识的根项 {path[:40]}") from None


def _note(made: RegFile, line: str, number: int) -> None:
    found = _NOTE.fullmatch(line.strip())
    if found is None:
        raise Malformed(f"第 {number + 1} 行：采集脚本的标记有误")
    word, code, key, name = found.groups()
    match word:
        case "key" if key:
            made.asked = short(key, number)
        case "absent":
            made.absent = True
        case "verified":
            made.verified = True
        case "named":
            made.named = True
        case "end":
            made.ended = True
        case "closed" if key:
            path = short(key, number)
            made.errors[path] = Unknown(Cause.NOT_PERMITTED, f"{path} 含口令等机密，不采集", path)
        case "error" if key == "*":
            raise Malformed(f"采集时导出中断（代码 {code}）")
        case "error" if key:
            path = short(key, number)
            detail = f"采集时无法读取 {path}（代码 {code or '无'}）"
            made.errors[path] = Unknown(cause_of(code or ""), detail, path)
        case "no" if name:
            made.without.add(name.lower())
        case "unread" if name:
            made.unread[name.lower()] = Unknown(cause_of(code or ""), f"采集时无法读取 {name}（代码 {code}）", name)
        case _:
            raise Malformed(f"第 {number + 1} 行：采集脚本的标记有误")
