"""A TCP connection through one interface of Linux: see :mod:`ybscan.hosts.common.netreach`."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from ybscan.hosts.common.netreach import bind_to_address, tcp_connects
from ybscan.hosts.linux.netlinks import Addresses
from ybscan.model.reading import Cause, Known, Reading, Unknown

_SO_BINDTODEVICE = 25  # asm-generic/socket.h; the socket module lacks the name on some platforms


def tcp_opens(
    *, target: str, port: int, interface: str, seconds: float, addresses: Callable[[], Reading[Addresses]]
) -> Reading[bool]:
    """Whether a TCP handshake with the address ``target`` at ``port`` succeeds through ``interface``.

    Binds to the device; where the system does not permit that, to an address of the device, found by ``addresses``.
    """
    origin = f"TCP {target}:{port}" + (f"（{interface}）" if interface else "")

    def bind(s: socket.socket, version: int) -> Reading[bool] | None:
        return _bind(s, interface, version, addresses, origin)

    return tcp_connects(target=target, port=port, seconds=seconds, origin=origin, bind=bind if interface else None)


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
        return bind_to_address(s, tuple(a.address for a in known.value.get(interface, ())), version, origin)
    except OSError as e:
        if e.errno == errno.ENODEV:
            return Unknown(Cause.UNAVAILABLE, f"接口 {interface} 已不存在", origin)
        raise
    return None
