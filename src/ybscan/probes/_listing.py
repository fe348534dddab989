"""Folders and files read into a list that knows what it lacks: what could not be read becomes a gap."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.reading import Gap, Known, Unknown


def names_in(host: Host, folder: str, gaps: list[Gap]) -> tuple[str, ...]:
    """The names in a folder; none when it does not exist, none and a gap when it could not be read."""
    listed = host.files.entries(path=folder)
    if isinstance(listed, Unknown):
        gaps.append(listed.as_gap())
    return listed.value if isinstance(listed, Known) else ()


def text_of(host: Host, path: str, gaps: list[Gap]) -> str | None:
    """The text of a file; None when it does not exist, None and a gap when it could not be read."""
    text = host.files.text(path=path)
    if isinstance(text, Unknown):
        gaps.append(text.as_gap())
    return text.value if isinstance(text, Known) else None
