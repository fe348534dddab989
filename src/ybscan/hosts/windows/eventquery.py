"""Structured queries of the Windows event log. Source: the query schema of the Windows Event Log documentation."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.sax.saxutils import quoteattr

#: An XPath of the event log takes a little over twenty conditions.
_IDS_PER_SELECT = 16


def query(channel: str, ids: tuple[int, ...], since: float) -> str:
    """A query for the records of a channel with one of ``ids`` (all when empty) made at ``since`` or later."""
    path = quoteattr(channel)
    when = "" if since <= 0 else f"TimeCreated[@SystemTime&gt;='{_stamp(min(since, 2.5e11))}']"
    selects = []
    for start in range(0, max(len(ids), 1), _IDS_PER_SELECT):
        some = " or ".join(f"EventID={int(i)}" for i in ids[start : start + _IDS_PER_SELECT])
        conditions = " and ".join(c for c in (f"({some})" if some else "", when) if c)
        selects.append(f"<Select Path={path}>*{f'[System[{conditions}]]' if conditions else ''}</Select>")
    return f'<QueryList><Query Id="0" Path={path}>{"".join(selects)}</Query></QueryList>'


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
