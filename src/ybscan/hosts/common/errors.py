"""From operating-system errors to readings."""

from __future__ import annotations

import errno

from ybscan.model.reading import Absent, Cause, Unknown

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_DENIED = frozenset({errno.EACCES, errno.EPERM})

#: Codes of winerror.h that Python files under ENOENT or EACCES although they say neither: no device, no server, in use.
_WINDOWS: dict[int, tuple[Cause, str]] = {
    15: (Cause.UNAVAILABLE, "没有这个盘符"),
    21: (Cause.UNAVAILABLE, "设备未就绪"),
    32: (Cause.UNAVAILABLE, "文件正被其他程序独占使用"),
    33: (Cause.UNAVAILABLE, "文件的一部分被其他程序锁定"),
    51: (Cause.UNAVAILABLE, "网络上的计算机没有响应"),
    53: (Cause.UNAVAILABLE, "找不到网络路径"),
    54: (Cause.UNAVAILABLE, "网络忙"),
    55: (Cause.UNAVAILABLE, "网络资源不再可用"),
    59: (Cause.UNAVAILABLE, "网络出错"),
    64: (Cause.UNAVAILABLE, "网络连接已断开"),
    67: (Cause.UNAVAILABLE, "找不到网络共享"),
    121: (Cause.TIMEOUT, "设备没有响应"),
    161: (Cause.MALFORMED, "路径写法无效"),
    206: (Cause.UNAVAILABLE, "路径过长"),
    1231: (Cause.UNAVAILABLE, "网络不可达"),
}


def from_error(error: OSError, origin: str) -> Absent | Unknown:
    """Absent for what does not exist, Unknown with its cause for everything else."""
    number = getattr(error, "winerror", None)
    if number in _WINDOWS:
        cause, text = _WINDOWS[number]
        return Unknown(cause, f"{origin}：{text}", origin)
    if error.errno in _ABSENT:
        return Absent(origin)
    if error.errno in _DENIED:
        return Unknown(Cause.DENIED, origin, origin)
    if error.errno == errno.ETIMEDOUT:
        return Unknown(Cause.TIMEOUT, origin, origin)
    return Unknown(
        Cause.UNAVAILABLE, f"{origin}：{errno.errorcode.get(error.errno or 0, type(error).__name__)}", origin
    )
