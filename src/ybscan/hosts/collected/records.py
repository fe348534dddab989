r"""The collectors' line format: ``ybscan-records 1 <part>``, then records, then an end mark.

A record begins with ``[kind]`` and holds ``name=text``, ``name:null`` (the source had nothing), and for lists
``name:list`` and ``name+=text``. In texts ``\\``, ``\r``, ``\n`` stand for backslash, carriage return and line feed.
``[end] N`` closes a part and tells the number of records; without it the part was cut off. ``[error]`` records
(``what``, ``code`` in hex) say which source did not answer. UTF-16 with byte order mark, UTF-8, or GB 18030.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ybscan.hosts.common.text import decoded as text_decoded
from ybscan.model.reading import Cause, Gap

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)(\+=|=|:null$|:list$)(.*)", re.DOTALL)
_UNESCAPED = {"\\": "\\", "r": "\r", "n": "\n"}
_MAX_RECORDS = 400_000

#: E_ACCESSDENIED, ERROR_ACCESS_DENIED, WBEM_E_ACCESS_DENIED, WBEM_E_PRIVILEGE_NOT_HELD; errno EACCES and EPERM by name.
_DENIED = frozenset({"80070005", "5", "80041003", "80041062", "46", "denied"})
#: WBEM_E_INVALID_CLASS, _INVALID_NAMESPACE, _NOT_FOUND; class not registered; "cannot create object" of VBScript.
_MISSING = frozenset({"80041010", "8004100E", "80041002", "80040154", "1AD", "missing"})


class Malformed(Exception):
    """The part is not in the format; the message says where."""


@dataclass(slots=True)
class Record:
    """One record: its kind, texts by name (None where the source had nothing), and lists by name."""

    kind: str
    values: dict[str, str | None] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The text, empty where there is none."""
        return self.values.get(name) or ""

    def number(self, name: str) -> int | None:
        """The decimal number, None where there is none."""
        raw = self.values.get(name)
        return int(raw) if raw is not None and re.fullmatch(r"-?\d{1,20}", raw) else None


def decoded(data: bytes) -> str:
    """Text in the encodings that systems and their tools write.

    Raises:
        Malformed: it is in none of them, or is cut within a character.
    """
    text = text_decoded(data)
    if text is None:
        raise Malformed("编码无法识别，或文件不完整")
    return text


def parse(text: str, part: str) -> tuple[Record, ...]:
    """The records of a part, ``[end]`` checked.

    Raises:
        Malformed: a line is not of the format, or the end is missing.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0] != f"ybscan-records 1 {part}":
        raise Malformed("第 1 行：不是采集脚本的格式")
    found: list[Record] = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        if line.startswith("[end] "):
            count = line[6:]
            if any(lines[number:]):
                raise Malformed(f"第 {number} 行之后还有内容")
            if count != "complete" and count != str(len(found)):
                raise Malformed(f"第 {number} 行：记录数不符")
            return tuple(found)
        if line.startswith("[") and line.endswith("]"):
            found.append(Record(line[1:-1]))
            if len(found) > _MAX_RECORDS:
                raise Malformed("记录过多")
            continue
        _value(found, line, number)
    raise Malformed("缺少结尾标记，文件不完整")


def _value(found: list[Record], line: str, number: int) -> None:
    match = _LINE.fullmatch(line)
    if match is None or not found:
        raise Malformed(f"第 {number} 行：格式有误")
    name, sign, raw = match.groups()
    record = found[-1]
    if sign == "+=":
        record.lists.setdefault(name, []).append(_text(raw, number))
    elif sign == ":list":
        record.lists.setdefault(name, [])
    elif name in record.values:
        raise Malformed(f"第 {number} 行：{name} 重复")
    else:
        record.values[name] = None if sign == ":null" else _text(raw, number)


def _text(raw: str, number: int) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] not in _UNESCAPED:
            raise Malformed(f"第 {number} 行：转义有误")
        return _UNESCAPED[found[1]]

    if len(raw) - len(raw.rstrip("\\")) & 1:
        raise Malformed(f"第 {number} 行：转义有误")
    return _ESCAPE.sub(one, raw)


def cause_of(code: str) -> Cause:
    """What an error number of the collector means."""
    if code.upper() in _DENIED or code.lower() in _DENIED:
        return Cause.DENIED
    if code.upper() in _MISSING or code.lower() in _MISSING:
        return Cause.UNAVAILABLE
    return Cause.TOOL_FAILED


def gap_of(error: Record, part: str) -> Gap:
    """An ``[error]`` record as the missing part of a list."""
    what, code = error.text("what"), error.text("code")
    return Gap(cause_of(code), f"采集时 {what or part} 未能读取（代码 {code or '无'}）", part)
