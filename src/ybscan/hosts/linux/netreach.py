"""The active probe: one TCP connection that is opened and closed again, nothing sent through it."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

from ybscan.hosts.linux.netlinks import Addresses
from ybscan.model.reading import Cause, Known, Reading, Unknown

#: What says that nothing was there: no way, no answer. Everything else leaves open who spoke.
_NOTHING = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)
_SO_BINDTODEVICE = 25  # asm-generic/socket.h; the socket module lacks the name on some platforms


def tcp_opens(
    *, target: str, port: int, interface: str, seconds: float, addresses: Callable[[], Reading[Addresses]]
) -> Reading[bool]:
    """Whether a TCP handshake with the address ``target`` at ``port`` succeeds through ``interface``.

    Binds to the device; where the system does not permit that, to an address of the device, found by ``addresses``.
    """
    origin = f"TCP {target}:{port}" + (f"（{interface}）" if interface else "")
    try:
        version = ipaddress.ip_address(target).version
    except ValueError:
        return Unknown(Cause.MALFORMED, f"“{target[:60]}”不是 IP 地址", origin)
    try:
        with socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.settimeout(seconds)
            if interface:
                blocked = _bind(s, interface, version, addresses, origin)
                if blocked is not None:
                    return blocked
            s.connect((target, port))
            return Known(True, origin)
    except TimeoutError:
        return Known(False, origin)
    except OSError as e:
        if e.errno in _NOTHING:
            return Known(False, origin)
        if e.errno == errno.ECONNREFUSED:
            return Unknown(Cause.UNCONFIRMED, "连接被拒绝，不能区分是对方还是本机或途中的防火墙拒绝", origin)
        if e.errno in (errno.EPERM, errno.EACCES):
            return Unknown(Cause.DENIED, "本机的安全策略阻止了探测", origin)
        return Unknown(Cause.UNAVAILABLE, f"连接出错：{errno.errorcode.get(e.errno or 0, type(e).__name__)}", origin)


def _bind(
    s: socket.socket, interface: str, version: int, addresses: Callable[[], Reading[Addresses]], origin: str
) -> Reading[bool] | None:
    """Tie the socket to the interface; else the answer that follows from not being able to."""
    try:
        s.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode() + b"\0")
    except PermissionError:
        known = addresses()
        if not isinstance(known, Known):
            return Unknown(Cause.DENIED, f"不能指定经由接口 {interface}", origin)
        mine = [
            a.address for a in known.value.get(interface, ())
            if (ip := ipaddress.ip_address(a.address)).version == version and not ip.is_link_local
        ]  # fmt: skip
        if not mine:
            return Known(False, origin)  # no address of this family: no way through this interface
        s.bind((mine[0], 0))
    except OSError as e:
        if e.errno == errno.ENODEV:
            return Unknown(Cause.UNAVAILABLE, f"接口 {interface} 已不存在", origin)
        raise
    return None
