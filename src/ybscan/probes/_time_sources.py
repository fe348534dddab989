"""The time servers that chrony, ntpd and systemd-timesyncd are configured with.

Sources: chrony.conf(5) (server, pool, peer, refclock, local, include, confdir, sourcedir), ntp.conf(5) (127.127.x.y are
reference clocks, 127.127.1.y the machine's own), timesyncd.conf(5) (FallbackNTP counts only without NTP).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Gap, Known, Unknown
from ybscan.probes._usb.layers import layered, unmasked

_CHRONY = ("/etc/chrony.conf", "/etc/chrony/chrony.conf")
_NTP = ("/etc/ntp.conf", "/etc/ntpsec/ntp.conf", "/etc/ntp/ntp.conf")
_OPENNTPD = ("/etc/ntpd.conf", "/etc/openntpd/ntpd.conf")
_TIMESYNCD = "/etc/systemd/timesyncd.conf"
_TIMESYNCD_FOLDERS = tuple(
    f"{r}/systemd/timesyncd.conf.d" for r in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
)
_MAX_FILES = 200

#: Program → the process names it goes by (the kernel keeps 15 characters).
PROCESSES = {
    "chrony": ("chronyd",),
    "ntpd": ("ntpd", "openntpd"),
    "systemd-timesyncd": ("systemd-timesyn", "systemd-timesyncd"),
}
_BINARIES = {
    "chrony": ("/usr/sbin/chronyd", "/sbin/chronyd"),
    "ntpd": ("/usr/sbin/ntpd", "/sbin/ntpd"),
    "systemd-timesyncd": ("/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """One time source. ``own`` for a clock of this machine, which keeps no time in step with others."""

    server: str
    program: str
    path: str
    own: bool = False


def chrony(host: Host, gaps: list[Gap]) -> Iterator[Source]:
    """chronyd's sources."""
    read: set[str] = set()
    todo = list(_CHRONY)
    while todo and len(read) < _MAX_FILES:
        path = todo.pop(0)
        if path in read:
            continue
        read.add(path)
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        if not isinstance(text, Known):
            continue
        for line in text.value.splitlines():
            words = line.split("#", 1)[0].split("!", 1)[0].split("%", 1)[0].split()
            if len(words) < 1 or line.lstrip().startswith(";"):
                continue
            word = words[0].lower()
            if word in ("server", "pool", "peer") and len(words) > 1:
                yield Source(words[1], "chrony", path)
            elif word == "refclock":
                yield Source(f"硬件时钟源 {' '.join(words[1:2])}", "chrony", path, own=True)
            elif word == "local":
                yield Source("本机时钟（local）", "chrony", path, own=True)
            elif word == "include" and len(words) > 1:
                todo += _matching(host, words[1], gaps)
            elif word in ("confdir", "sourcedir"):
                # /run holds what DHCP handed out; on a disk that lies still it is empty.
                ending = ".conf" if word == "confdir" else ".sources"
                for folder in words[1:]:
                    todo += _files(host, folder, ending, gaps)


def _files(host: Host, folder: str, ending: str, gaps: list[Gap]) -> list[str]:
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown) and not folder.startswith("/run"):
        gaps.append(names.as_gap())
    return [f"{folder.rstrip('/')}/{n}" for n in names.value if n.endswith(ending)] if isinstance(names, Known) else []


def _matching(host: Host, pattern: str, gaps: list[Gap]) -> list[str]:
    folder, _, name = pattern.rpartition("/")
    if "*" not in name:
        return [pattern]
    return _files(host, folder, name.rsplit("*", 1)[1], gaps)


def ntpd(host: Host, gaps: list[Gap]) -> Iterator[Source]:
    """The sources of ntpd, NTPsec's and OpenNTPD's."""
    for path in (*_NTP, *_OPENNTPD):
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        for line in text.value.splitlines() if isinstance(text, Known) else ():
            words = [w for w in line.split("#", 1)[0].split() if w not in ("-4", "-6")]
            if len(words) > 1 and words[0].lower() in ("server", "servers", "pool", "peer"):
                own = words[1].startswith("127.127.")
                yield Source(f"本机时钟源 {words[1]}" if own else words[1], "ntpd", path, own)


def timesyncd(host: Host, gaps: list[Gap]) -> Iterator[Source]:
    """systemd-timesyncd's servers: an empty assignment takes back those before it."""
    texts: list[tuple[str, str]] = []
    layers = layered(host, _TIMESYNCD_FOLDERS, ".conf")
    gaps += layers.gaps
    for path, text in ((_TIMESYNCD, unmasked(host, _TIMESYNCD)), *layers.files):
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        elif isinstance(text, Known):
            texts.append((path, text.value))
    found: dict[str, list[Source]] = {"NTP": [], "FallbackNTP": []}
    for path, content in texts:
        for key, value in re.findall(r"^[ \t]*(NTP|FallbackNTP)[ \t]*=[ \t]*(.*)$", content, re.MULTILINE):
            if not value.strip():
                found[key] = []
            found[key] += [Source(w, "systemd-timesyncd", path) for w in value.split()]
    yield from found["NTP"] or found["FallbackNTP"]


def installed(host: Host, program: str) -> bool | Unknown:
    """Whether a program is on the disk."""
    for path in _BINARIES[program]:
        found = host.files.stat(path=path)
        if not isinstance(found, Absent):
            return found if isinstance(found, Unknown) else True
    return False


def configured(host: Host, program: str, gaps: list[Gap]) -> list[Source]:
    """What a program is configured with."""
    readers = {"chrony": chrony, "ntpd": ntpd, "systemd-timesyncd": timesyncd}
    return list(readers[program](host, gaps))
