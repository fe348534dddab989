"""The active probe: one TCP connection that is opened and closed again, nothing sent through it."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

from ybscan.model.reading import Cause, Known, Reading, Unknown

#: What says that nothing was there: no way, no answer. Everything else leaves open who spoke.
_NOTHING = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)

#: Ties a socket of an IP version to an interface; else the answer that follows from not being able to.
Bind = Callable[[socket.socket, int], Reading[bool] | None]


def tcp_connects(*, target: str, port: int, seconds: float, origin: str, bind: Bind | None) -> Reading[bool]:
    """Whether a TCP handshake with the address ``target`` at ``port`` succeeds, from a socket that ``bind`` tied."""
    try:
        version = ipaddress.ip_address(target).version
    except ValueError:
        return Unknown(Cause.MALFORMED, f"“{target[:60]}”不是 IP 地址", origin)
    try:
        with socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.settimeout(seconds)
            if bind is not None:
                blocked = bind(s, version)
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


def bind_to_address(s: socket.socket, addresses: tuple[str, ...], version: int, origin: str) -> Reading[bool] | None:
    """Tie the socket to an address of the interface; without one of that family there is no way through it."""
    for address in addresses:
        ip = ipaddress.ip_address(address)
        if ip.version == version and not ip.is_link_local:
            s.bind((address, 0))
            return None
    return Known(False, origin)
