"""Asking journalctl for single kinds of messages, with only the fields that are needed.

Source: journalctl(1) (``-g`` is not in every build and ``-k`` implies the current boot, so neither is used),
systemd.journal-fields(7); systemd before 236 does not know ``--output-fields``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Unknown

SECONDS = 60

Record = tuple[datetime, dict[str, Any]]
"""When, and the fields asked for."""


def query(
    host: Host, match: str, fields: tuple[str, ...], *times: str, lines: int = 0
) -> tuple[list[Record], int] | Unknown:
    """The messages that ``match`` (``FIELD=value``) in order of time, and how many lines made no sense.

    Args:
        times: ``--since=@…`` and perhaps ``--until=@…``, in seconds since the epoch.
        lines: only that many of the last; 0 for all.
    """
    last = (f"--lines={lines}",) if lines else ()
    only = f"--output-fields={','.join(fields)}"
    args = ("--no-pager", "--quiet", "--output=json", only, *times, match, *last)
    output = host.tools.run(tool="JOURNALCTL", args=args, seconds=SECONDS)
    if isinstance(output, Known) and output.value.code != 0 and "output-fields" in output.value.stderr:
        # systemd before 236 does not know the option: every field then.
        output = host.tools.run(tool="JOURNALCTL", args=tuple(a for a in args if a != only), seconds=SECONDS)
    if isinstance(output, Unknown):
        return output
    if isinstance(output, Absent):
        return Unknown(Cause.UNAVAILABLE, "journalctl", "journalctl")
    if output.value.code != 0:
        return Unknown(Cause.TOOL_FAILED, f"journalctl 返回 {output.value.code}", "journalctl")
    found: list[Record] = []
    malformed = 0
    for row in output.value.stdout.splitlines():
        record = _record(row, fields)
        if record is None:
            malformed += bool(row.strip())
        else:
            found.append(record)
    if malformed and not found:
        return Unknown(Cause.MALFORMED, "journalctl 的输出无法识别", "journalctl")
    return sorted(found, key=lambda entry: entry[0]), malformed


def _record(row: str, fields: tuple[str, ...]) -> Record | None:
    """One record. A field is a text, a list of bytes where it is not UTF-8, or null where it is too long."""
    try:
        record = json.loads(row)
        when = datetime.fromtimestamp(int(record["__REALTIME_TIMESTAMP"]) / 1e6, tz=UTC)
        values = {}
        for name in fields:
            value = record[name]
            if isinstance(value, list):
                value = bytes(value).decode("utf-8", "replace")
            if not isinstance(value, str):
                return None
            values[name] = value
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
    return when, values
