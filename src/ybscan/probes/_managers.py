"""Questions to NetworkManager that several probes share. Nothing is started: it is only asked while it runs."""

from __future__ import annotations

import re

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown


def network_manager_runs(host: Host) -> bool | Unknown:
    """Whether the process is there. Asking D-Bus instead could start it."""
    running = host.processes.running()
    if isinstance(running, Absent):
        return Unknown(Cause.UNAVAILABLE, "进程列表", running.origin)
    if isinstance(running, Unknown):
        return running
    if any(p.name == "NetworkManager" for p in running.value):
        return True
    # Images that could not be read are no matter, hidden processes are.
    hidden = next((g for g in running.gaps if g.origin == "/proc"), None)
    return Unknown(hidden.cause, hidden.detail, hidden.origin) if hidden else False


def active_connections(host: Host) -> Reading[tuple[tuple[str, str], ...]]:
    """Name and type of the connections that are active in NetworkManager; Absent when it does not run."""
    runs = network_manager_runs(host)
    if isinstance(runs, Unknown):
        return runs
    if not runs:
        return Absent("NetworkManager")
    output = host.tools.run(tool="NMCLI", args=("-t", "-f", "TYPE,NAME", "connection", "show", "--active"))
    if not isinstance(output, Known):
        return output
    if output.value.code != 0:
        return Unknown(Cause.TOOL_FAILED, f"nmcli：退出码 {output.value.code}", "nmcli")
    if not output.value.stdout.strip():
        # With exit code 0 this may be a machine without any connection or a tool that failed silently.
        return Unknown(Cause.UNAVAILABLE, "nmcli 没有列出任何连接", "nmcli")
    found = []
    for line in output.value.stdout.splitlines():
        kind, colon, name = line.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", kind):
            return Unknown(Cause.MALFORMED, "nmcli 的连接列表", "nmcli")
        found.append((re.sub(r"\\(.)", r"\1", name), kind))
    return Known(tuple(sorted(found)), "nmcli")
