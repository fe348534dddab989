"""Names of registry keys: one spelling for each, and where the 32-bit view of a key lies.

Source: "Registry Keys Affected by WOW64" and "Registry Redirector" of the Windows documentation.
"""

from __future__ import annotations

from ybscan.hosts.groups.registry import View

_ROOTS = {
    "hklm": "HKLM",
    "hkey_local_machine": "HKLM",
    "hku": "HKU",
    "hkey_users": "HKU",
}
_WOW = "Wow6432Node"
#: Below HKLM\SOFTWARE both views share these.
_SHARED = (
    ("microsoft", "windows", "currentversion", "policies"),
    ("microsoft", "windows nt", "currentversion", "profilelist"),
    ("microsoft", "windows nt", "currentversion", "networklist"),
    ("microsoft", "windows nt", "currentversion", "time zones"),
    ("microsoft", "windows nt", "currentversion", "fonts"),
    ("microsoft", "windows nt", "currentversion", "schedule"),
    ("microsoft", "windows", "currentversion", "group policy"),
    ("microsoft", "systemcertificates"),
    ("microsoft", "enterprisecertificates"),
    ("microsoft", "eventsystem"),
    ("microsoft", "msmq"),
    ("microsoft", "rpc"),
    ("microsoft", "cryptography", "calais"),
    ("policies",),
    ("registeredapplications",),
)


def parts(key: str) -> tuple[str, ...]:
    """The parts of ``HKLM\\…`` or ``HKU\\…``, the root in its short form.

    Raises:
        ValueError: the key begins with no root that is known.
    """
    root, *rest = key.strip("\\").split("\\")
    short = _ROOTS.get(root.lower())
    if short is None:
        raise ValueError(f"registry key {key!r} has no known root")
    return (short, *(p for p in rest if p))


def in_view(key: str, view: View) -> str:
    """Where a key seen in ``view`` really lies on 64-bit Windows."""
    split = parts(key)
    lower = tuple(p.lower() for p in split)
    if view == "64" or lower[:2] != ("hklm", "software") or lower[2:3] == (_WOW.lower(),):
        return "\\".join(split)
    if any(lower[2 : 2 + len(s)] == s for s in _SHARED):
        return "\\".join(split)
    return "\\".join((*split[:2], _WOW, *split[2:]))
