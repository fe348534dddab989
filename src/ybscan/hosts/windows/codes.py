"""Error numbers of Windows as reasons: system error codes (winerror.h) and HRESULTs. Numbers, never localised text."""

from __future__ import annotations

from ybscan.model.reading import Cause, Unknown


class NotReadError(Exception):
    """A call failed; ``reading`` says why, ``code`` is the number it came from. Caught where a question is answered."""

    def __init__(self, reading: Unknown, code: int = 0) -> None:
        super().__init__(reading.text)
        self.reading = reading
        self.code = code


_SYSTEM: dict[int, tuple[Cause, str]] = {
    0: (Cause.UNAVAILABLE, "系统没有给出结果，也没有说明原因"),
    5: (Cause.DENIED, ""),
    8: (Cause.UNAVAILABLE, "内存不足"),
    21: (Cause.UNAVAILABLE, "设备未就绪"),
    31: (Cause.UNAVAILABLE, "设备没有反应"),
    32: (Cause.UNAVAILABLE, "正被其他程序独占使用"),
    50: (Cause.UNSUPPORTED, "系统不支持这一操作"),
    120: (Cause.UNSUPPORTED, "系统没有实现这一功能"),
    121: (Cause.TIMEOUT, ""),
    1058: (Cause.UNAVAILABLE, "所需的服务已禁用"),
    1060: (Cause.UNAVAILABLE, "系统没有所需的服务"),
    1062: (Cause.UNAVAILABLE, "所需的服务没有启动"),
    1314: (Cause.DENIED, "没有所需的特权"),
    1460: (Cause.TIMEOUT, ""),
    1717: (Cause.UNAVAILABLE, "系统没有所需的接口"),
    1722: (Cause.UNAVAILABLE, "所需的服务没有响应"),
    1753: (Cause.UNAVAILABLE, "所需的服务没有响应"),
}

_RESULTS: dict[int, tuple[Cause, str]] = {
    0x80004001: (Cause.UNSUPPORTED, "系统没有实现这一接口"),
    0x80004002: (Cause.UNSUPPORTED, "系统没有这一接口"),
    0x80020003: (Cause.UNSUPPORTED, "系统的接口没有这一成员"),
    0x80020006: (Cause.UNSUPPORTED, "系统的接口没有这一成员"),
    0x80040154: (Cause.UNAVAILABLE, "系统没有登记这一组件"),
    0x800401F3: (Cause.UNAVAILABLE, "系统没有登记这一组件"),
    0x80080005: (Cause.UNAVAILABLE, "系统组件没有启动"),
    0x80010108: (Cause.UNAVAILABLE, "系统组件中途退出"),
    0x80041001: (Cause.UNAVAILABLE, "WMI 出错"),
    0x80041002: (Cause.UNAVAILABLE, "WMI 中没有这一项"),
    0x80041003: (Cause.DENIED, ""),
    0x8004100C: (Cause.UNSUPPORTED, "WMI 不支持这一查询"),
    0x8004100E: (Cause.UNAVAILABLE, "WMI 中没有这一命名空间"),
    0x80041010: (Cause.UNAVAILABLE, "WMI 中没有这一类"),
    0x80041013: (Cause.UNAVAILABLE, "WMI 提供程序加载失败"),
    0x80041014: (Cause.UNAVAILABLE, "WMI 提供程序初始化失败"),
}


def failed(code: int, origin: str) -> NotReadError:
    """A system error code as something to raise."""
    return NotReadError(from_system(code, origin), code)


def refused(result: int, origin: str) -> NotReadError:
    """An HRESULT as something to raise."""
    return NotReadError(from_result(result, origin), result & 0xFFFFFFFF)


def from_system(code: int, origin: str) -> Unknown:
    """A system error code as a reason."""
    cause, text = _SYSTEM.get(code, (Cause.UNAVAILABLE, "系统调用失败"))
    return Unknown(cause, f"{origin}：{text}（错误 {code}）" if text else f"{origin}（错误 {code}）", origin)


def from_result(code: int, origin: str) -> Unknown:
    """An HRESULT, signed or unsigned, as a reason."""
    code &= 0xFFFFFFFF
    found = _RESULTS.get(code)
    if found is None and code >> 16 == 0x8007:  # FACILITY_WIN32: a system error code in an HRESULT
        found = _SYSTEM.get(code & 0xFFFF)
    cause, text = found or (Cause.UNAVAILABLE, "系统组件出错")
    return Unknown(cause, f"{origin}：{text}（0x{code:08X}）" if text else f"{origin}（0x{code:08X}）", origin)
