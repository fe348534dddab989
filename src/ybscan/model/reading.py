"""What came of a look at the terminal: known, absent or unknown, and never one for another.

A compliance tool that turns "could not read" into "nothing there" reports 符合 for a terminal it never saw. Every
value in ybscan therefore travels inside one of three types, and a list that was read only in part carries its gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Cause(StrEnum):
    """Why something is not known. The value is what documents carry, :attr:`text` what a person reads."""

    DENIED = "denied"
    UNSUPPORTED = "unsupported"
    NOT_RECORDED = "not_recorded"
    NOT_CONFIGURED = "not_configured"
    NOT_PERMITTED = "not_permitted"
    TIMEOUT = "timeout"
    TOOL_MISSING = "tool_missing"
    TOOL_FAILED = "tool_failed"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    INCOMPLETE = "incomplete"
    UNCONFIRMED = "unconfirmed"
    UNAVAILABLE = "unavailable"
    PROBE_ERROR = "probe_error"

    @property
    def text(self) -> str:
        """The cause in the administrator's words."""
        return _CAUSE_TEXT[self]


_CAUSE_TEXT = {
    Cause.DENIED: "权限不足",
    Cause.UNSUPPORTED: "当前方式不支持读取",
    Cause.NOT_RECORDED: "证据中没有记录",
    Cause.NOT_CONFIGURED: "未配置",
    Cause.NOT_PERMITTED: "未获准执行",
    Cause.TIMEOUT: "读取超时",
    Cause.TOOL_MISSING: "系统缺少所需命令",
    Cause.TOOL_FAILED: "系统命令执行失败",
    Cause.MALFORMED: "内容无法识别",
    Cause.TOO_LARGE: "内容超过读取上限",
    Cause.INCOMPLETE: "只读取到一部分",
    Cause.UNCONFIRMED: "线索不足，待核实",
    Cause.UNAVAILABLE: "系统未提供该信息",
    Cause.PROBE_ERROR: "检查程序出错",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a list that could not be read."""

    cause: Cause
    detail: str = ""
    origin: str = ""

    @property
    def text(self) -> str:
        """The gap in one Chinese phrase."""
        return f"{self.cause.text}（{self.detail}）" if self.detail else self.cause.text


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A value that was read. ``gaps`` is for lists only: what the list may lack."""

    value: T
    origin: str = ""
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked, and it is not there. What that means is the rule's to say (``when_absent``)."""

    origin: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Could not look, or could not make sense of what was seen."""

    cause: Cause
    detail: str = ""
    origin: str = ""

    @property
    def text(self) -> str:
        """The reason in one Chinese phrase."""
        return f"{self.cause.text}（{self.detail}）" if self.detail else self.cause.text

    def as_gap(self) -> Gap:
        """This unknown as the missing part of a longer list."""
        return Gap(self.cause, self.detail, self.origin)


Reading = Known[T] | Absent | Unknown


def mapped(reading: Reading[T], change: Callable[[T], U]) -> Reading[U]:
    """Apply ``change`` to a known value; leave absent and unknown as they are."""
    if isinstance(reading, Known):
        return Known(change(reading.value), reading.origin, reading.gaps)
    return reading
