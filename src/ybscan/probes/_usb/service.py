"""Whether a system service runs; on a disk that lies still, whether it is set to start."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Known, Reading, Unknown

_STATES = frozenset({"active", "inactive", "failed", "activating", "deactivating", "reloading"})
_UNITS = "/etc/systemd/system"
#: The kernel cuts process names at this length.
_COMM = 15


def running(host: Host, unit: str, process: str) -> Reading[bool]:
    """Whether ``unit`` is active. Without systemd's word the process list decides."""
    state = host.tools.run(tool="SYSTEMCTL", args=("is-active", unit))
    if isinstance(state, Unknown) and state.cause is Cause.UNSUPPORTED:
        return enabled(host, unit)
    if isinstance(state, Known) and state.value.stdout.strip() in _STATES:
        return Known(state.value.stdout.strip() not in ("inactive", "failed"), state.origin)
    listed = host.processes.running()
    if not isinstance(listed, Known):
        return listed if isinstance(listed, Unknown) else Unknown(Cause.UNAVAILABLE, "没有进程列表")
    if any(p.name == process[:_COMM] or (p.exe or "").rpartition("/")[2] == process for p in listed.value):
        return Known(True, listed.origin)
    # An image that could not be read is no gap here: names are complete unless part of the list is hidden.
    hidden = next((g for g in listed.gaps if g.origin == "/proc"), None)
    return Known(False, listed.origin) if hidden is None else Unknown(hidden.cause, "进程列表不完整")


def enabled(host: Host, unit: str) -> Reading[bool]:
    """Whether ``unit`` is set to start with the system."""
    name = f"{unit}.service"
    folders = host.files.entries(path=_UNITS)
    if not isinstance(folders, Known):
        return folders if isinstance(folders, Unknown) else Known(False, _UNITS)
    if name in folders.value:
        masked = host.files.link(path=f"{_UNITS}/{name}")
        if isinstance(masked, Unknown):
            return masked
        if isinstance(masked, Known) and masked.value == "/dev/null":
            return Known(False, f"{_UNITS}/{name}")
    for folder in folders.value:
        if not folder.endswith((".wants", ".requires")):
            continue
        names = host.files.entries(path=f"{_UNITS}/{folder}")
        if isinstance(names, Unknown):
            return names
        if isinstance(names, Known) and name in names.value:
            return Known(True, f"{_UNITS}/{folder}/{name}")
    return Known(False, _UNITS)
