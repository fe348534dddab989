"""Shared folders of Windows, from the definitions that its server keeps.

Sources: ``LanmanServer\\Shares`` (a list of ``Name=value`` per share; ``Type`` as STYPE_* of lmshare.h) and its subkey
``Security`` (a self-relative SECURITY_DESCRIPTOR, [MS-DTYP] 2.4.6); ``AutoShareWks``, ``AutoShareServer``. Shares made to
last only until the next start are not there: NetShareEnum tells those of a running system.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ybscan.hosts.base import Host
from ybscan.hosts.groups.network import SharedFolder
from ybscan.hosts.groups.registry import RegistryValue
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._windows.keys import Keys

_SERVER = r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer"
_PARAMETERS = f"{_SERVER}\\Parameters"
_SHARES = f"{_SERVER}\\Shares"
_LSA = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa"
_PRODUCT = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions"
_DISK, _PRINTER = 0, 1
_SPECIAL = 0x80000000
#: Everyone, anonymous logon, guests.
_ANYONE = frozenset({(1, (0,)), (5, (7,)), (5, (32, 546))})
#: FILE_WRITE_DATA, FILE_APPEND_DATA, GENERIC_ALL, GENERIC_WRITE.
_WRITE = 0x2 | 0x4 | 0x10000000 | 0x40000000
_RUNS = frozenset({"running", "pending", "paused"})


def served(host: Host) -> bool | Unknown:
    """Whether the server runs, or would run again: one that is only stopped starts with the next use or start."""
    states = host.services.states()
    running = {s.name.lower(): s.state in _RUNS for s in states.value} if isinstance(states, Known) else {}
    if running.get("lanmanserver"):
        return True
    configured = host.services.configured()
    if not isinstance(configured, Known):
        return configured if isinstance(configured, Unknown) else Unknown(Cause.UNAVAILABLE, "服务设置")
    start = next((s.start for s in configured.value if s.name.lower() == "lanmanserver"), None)
    if start is None:
        gap = configured.gaps[0] if configured.gaps else None
        if gap is not None:
            return Unknown(gap.cause, gap.detail, gap.origin)
        # Every Windows comes with it: a list without it is not one to rely on.
        return Unknown(Cause.UNCONFIRMED, "服务列表中没有 LanmanServer，与一般的 Windows 不符，需核实", _SERVER)
    if start != "disabled":
        return True
    # Disabled while it runs on: that it does not run now has to be known, unless the disk lies still.
    if isinstance(states, Unknown) and states.cause is not Cause.UNSUPPORTED:
        return states
    if isinstance(states, Known) and "lanmanserver" not in running:
        return Unknown(Cause.UNAVAILABLE, "系统没有报告服务 LanmanServer 的状态", _SERVER)
    return Unknown(Cause.UNAVAILABLE, "服务状态") if isinstance(states, Absent) else False


def facts(host: Host) -> dict[str, Fact]:
    """All facts about shares."""
    on = served(host)
    keys = Keys(host)
    shares = list(_shares(keys, on))
    live = _live(host, on, keys.gaps)
    defined = {str(i["name"]).lower() for i in shares}
    shares += [_unwritten(s) for s in live if s.kind == "disk" and not s.special and s.name.lower() not in defined]
    made = [s.name for s in live if s.kind == "disk" and s.special]
    return {
        "shares": Known(tuple(shares), _SHARES, keys.all_gaps()),
        # Switched off in the registry they are there until the server starts anew.
        "automatic": Known(True, f"NetShareEnum：{'、'.join(made)}") if made else _automatic(host, on),
        "null_session": _null_session(host, on),
    }


def _shares(keys: Keys, on: bool | Unknown) -> Iterator[Item]:
    if on is not False:
        keys.expected(_SHARES, "共享定义", empty=True)
    security = keys.values(f"{_SHARES}\\Security")
    for name, raw in sorted(keys.values(_SHARES).items()):
        fields = _fields(raw)
        kind = fields.get("type", "")
        if not kind.isdigit():
            keys.malformed(_SHARES, name)
            continue
        number = int(kind)
        if number & _SPECIAL or number & 0xFF not in (_DISK, _PRINTER):
            continue
        who = _access(security.get(name))
        yield {
            "name": fields.get("sharename") or name, "kind": "Windows", "path": fields.get("path") or None,
            "printer": number & 0xFF == _PRINTER or _drivers(name, fields.get("path", "")),
            "anyone": who[0], "writable": who[1], "served": on, "note": fields.get("remark") or None, "source": "LanmanServer\\Shares",
        }  # fmt: skip


def _live(host: Host, on: bool | Unknown, gaps: list[Gap]) -> tuple[SharedFolder, ...]:
    """What is shared now. Whoever cannot be asked at all (a disk that lies still, a collector's result) leaves no gap."""
    if on is False:
        return ()
    found = host.network.shares()
    if isinstance(found, Known):
        gaps.extend(found.gaps)
        return found.value
    if not isinstance(found, Unknown) or found.cause is not Cause.UNSUPPORTED:
        why = found if isinstance(found, Unknown) else Unknown(Cause.UNAVAILABLE, "没有当前共享的列表")
        gaps.append(Gap(why.cause, f"当前的共享：{why.detail}", why.origin))
    return ()


def _unwritten(share: SharedFolder) -> Item:
    """A share that the registry does not define."""
    doubt = Unknown(Cause.UNAVAILABLE, "临时共享的权限没有读取")
    return {
        "name": share.name, "kind": "Windows（临时）", "path": share.path or None,
        "printer": _drivers(share.name, share.path), "anyone": doubt, "writable": doubt, "served": True, "note": None,
        "source": "NetShareEnum",
    }  # fmt: skip


def _drivers(name: str, path: str) -> bool:
    """Whether it is the share of printer drivers, in the one folder where Windows keeps them."""
    return name.lower() == "print$" and path.lower().rstrip("\\").endswith("\\spool\\drivers")


def _fields(raw: RegistryValue) -> dict[str, str]:
    lines = raw if isinstance(raw, tuple) else ()
    return {n.strip().lower(): v.strip() for n, _, v in (line.partition("=") for line in lines)}


def _access(raw: RegistryValue | None) -> tuple[FieldValue, FieldValue]:
    """Whether anybody at all may use the share, and whether anybody may write to it."""
    if raw is None:
        doubt = Unknown(Cause.UNAVAILABLE, "没有单独的权限设置，按系统默认")
        return doubt, doubt
    entries = _allowed(raw) if isinstance(raw, bytes) else None
    if entries is None:
        doubt = Unknown(Cause.MALFORMED, "共享权限", _SHARES)
        return doubt, doubt
    anyone = any(sid is None or sid in _ANYONE for _, sid in entries)
    return anyone, any(mask & _WRITE for mask, _ in entries)


def _allowed(raw: bytes) -> list[tuple[int, tuple[int, tuple[int, ...]] | None]] | None:
    """Rights and holder of every entry that allows; a descriptor without a list allows everybody everything."""
    try:
        control, start = struct.unpack_from("<H", raw, 2)[0], struct.unpack_from("<I", raw, 16)[0]
        if not control & 0x4 or start == 0:
            return [(_WRITE, None)]
        count, here = struct.unpack_from("<H", raw, start + 4)[0], start + 8
        found: list[tuple[int, tuple[int, tuple[int, ...]] | None]] = []
        for _ in range(count):
            kind, _flags, size, mask = struct.unpack_from("<BBHI", raw, here)
            parts = raw[here + 9]
            authority = int.from_bytes(raw[here + 10 : here + 16], "big")
            numbers = struct.unpack_from(f"<{parts}I", raw, here + 16)
            if kind == 0:
                found.append((mask, (authority, tuple(numbers))))
            if size < 16:
                return None
            here += size
    except (struct.error, IndexError):
        return None
    return found


def _automatic(host: Host, on: bool | Unknown) -> Fact:
    """Whether the server makes C$ and ADMIN$ by itself: unless the value for this kind of Windows is 0."""
    if on is False:
        return Known(False, "LanmanServer 已禁用")
    keys = Keys(host)
    product = keys.text(_PRODUCT, "ProductType")
    names = {"WinNT": ("AutoShareWks",), "ServerNT": ("AutoShareServer",), "LanmanNT": ("AutoShareServer",)}
    values = [keys.dword(_PARAMETERS, n) for n in names.get(product, ("AutoShareWks", "AutoShareServer"))]
    if keys.gaps:
        return Unknown(keys.gaps[0].cause, keys.gaps[0].detail, keys.gaps[0].origin)
    if all(v == 0 for v in values):
        return Known(False, _PARAMETERS)
    if len(values) > 1 and 0 in values:
        return Unknown(Cause.UNAVAILABLE, "不能确定是客户端还是服务器版 Windows", _PRODUCT)
    return Known(True, _PARAMETERS)


def _null_session(host: Host, on: bool | Unknown) -> Fact:
    if on is False:
        return Known(False, "LanmanServer 已禁用")
    keys = Keys(host)
    everyone = keys.number(_LSA, "everyoneincludesanonymous")
    restricted = keys.number(_PARAMETERS, "RestrictNullSessAccess")
    named = keys.text(_PARAMETERS, "NullSessionShares").strip()
    if everyone == 1 or restricted == 0 or named:
        return Known(True, f"{_LSA}、{_PARAMETERS}")
    if keys.gaps:
        return Unknown(keys.gaps[0].cause, keys.gaps[0].detail, keys.gaps[0].origin)
    return Known(False, f"{_LSA}、{_PARAMETERS}")
