"""Asking iproute2, in JSON. Its ``-j`` came with 4.16; where that or the command is missing, /proc and /sys serve."""

from __future__ import annotations

import json
from typing import Any

from ybscan.hosts.groups.tools import Tools
from ybscan.model.reading import Cause, Known, Reading, Unknown


def ask_ip(tools: Tools, *args: str) -> Reading[list[dict[str, Any]]]:
    """The list of objects that ``ip`` prints for ``args``.

    Unknown when the command is missing, fails, or prints what is no list of objects. An empty output is Unknown too:
    a kernel that answered prints at least ``[ ]``.
    """
    shown = " ".join(("ip", *args))
    output = tools.run(tool="IP", args=args)
    if not isinstance(output, Known):
        return output
    if output.value.code != 0:
        return Unknown(Cause.TOOL_FAILED, f"{shown}：退出码 {output.value.code}", shown)
    try:
        parsed = json.loads(output.value.stdout)
    except (ValueError, RecursionError):
        return Unknown(Cause.MALFORMED, shown, shown)
    if not isinstance(parsed, list) or not all(isinstance(o, dict) for o in parsed):
        return Unknown(Cause.MALFORMED, shown, shown)
    # Releases before 5.0 leave an empty object for every entry that a filter took out.
    return Known([o for o in parsed if o], shown)
