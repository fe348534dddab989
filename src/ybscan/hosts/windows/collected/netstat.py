"""The table that ``netstat -ano`` prints.

Source: the "netstat" page of the Windows commands reference. Headings are localised, so only the shape of a row counts: protocol,
local address, foreign address, for TCP a word for the state, and last the process id. Whether a TCP socket listens is
told by its foreign address, not by the word.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Literal

from ybscan.hosts.collected.records import Malformed, decoded
from ybscan.hosts.groups.sockets import Socket
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

_ORIGIN = "netstat -ano"
_ROW = re.compile(r"\s*(TCP|UDP)\s+(\S+)\s+(\S+)\s+(?:(\S.*?)\s+)?(\d{1,10})\s*")
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)(?:%\w+)?\]|([0-9.]+)):(\d{1,5})")
#: States of a socket that carries no conversation (any longer).
_ENDING = frozenset({
    "TIME_WAIT", "CLOSE_WAIT", "FIN_WAIT_1", "FIN_WAIT_2", "LAST_ACK", "CLOSING", "CLOSED", "SYN_SENT", "SYN_RECEIVED",
    "SYN_RCVD", "DELETE_TCB", "BOUND",
})  # fmt: skip


def sockets_of(data: bytes, programs: Mapping[int, str]) -> Reading[tuple[Socket, ...]]:
    """The sockets; a row that is not understood leaves a gap, a text without any row is Unknown."""
    try:
        text = decoded(data)
    except Malformed as e:
        return Unknown(Cause.MALFORMED, f"netstat.out {e}", _ORIGIN)
    found: list[Socket] = []
    gaps: list[Gap] = []
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*(?:TCP|UDP)\b", line) is None:
            continue
        socket = _socket(line, programs)
        if socket is None:
            gaps.append(Gap(Cause.MALFORMED, f"netstat.out 第 {number} 行", _ORIGIN))
        else:
            found.append(socket)
    if not found:
        return Unknown(Cause.MALFORMED, "netstat 没有给出任何端口", _ORIGIN)
    if text and not text.endswith("\n"):
        gaps.append(Gap(Cause.INCOMPLETE, "netstat 的输出没有写完", _ORIGIN))
    return Known(tuple(found), _ORIGIN, tuple(gaps[:20]))


def _socket(line: str, programs: Mapping[int, str]) -> Socket | None:
    row = _ROW.fullmatch(line)
    if row is None:
        return None
    proto, local, foreign, word, pid = row.groups()
    here = _endpoint(local)
    if here is None or (proto == "TCP") != (word is not None):
        return None
    there: tuple[str, int] | None = ("", 0) if foreign == "*:*" else _endpoint(foreign)
    if there is None:
        return None
    bare = there[1] == 0 and there[0] in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound
    state: Literal["listen", "established", "other"] = "established"
    if bare:
        state = "listen"
    elif word is not None and word.strip().upper() in _ENDING:
        state = "other"
    number = int(pid)
    return Socket(
        proto="tcp" if proto == "TCP" else "udp",
        family="ipv6" if ":" in here[0] else "ipv4",
        local=here[0],
        local_port=here[1],
        remote="" if bare else there[0],
        remote_port=0 if bare else there[1],
        state=state,
        pid=number,
        program=programs.get(number, ""),
    )


def _endpoint(text: str) -> tuple[str, int] | None:
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[3]) > 65535:
        return None
    try:
        return str(ipaddress.ip_address(found[1] or found[2])), int(found[3])
    except ValueError:
        return None
