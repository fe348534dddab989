"""Whether people may log in with accounts of a directory (domain), whose rules lie elsewhere.

nsswitch.conf(5) alone does not tell: distributions list ``sss`` without setting it up. What sets it up is asked as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

_NSSWITCH = ("/etc/nsswitch.conf", "/usr/etc/nsswitch.conf", "/usr/share/nsswitch.conf")
#: Source in nsswitch.conf → the files one of which is there when the source is set up.
_SET_UP_BY: Mapping[str, tuple[str, ...]] = {
    "sss": ("/etc/sssd/sssd.conf", "/etc/sssd/conf.d"),
    "ldap": ("/etc/nslcd.conf", "/etc/ldap.conf", "/etc/libnss-ldap.conf"),
    "winbind": ("/etc/samba/smb.conf",),
    "nis": ("/etc/yp.conf",),
    "compat": ("/etc/yp.conf",),
    "nisplus": ("/etc/yp.conf",),
}
_LOCAL = frozenset({"files", "systemd", "altfiles", "db", "extrausers", "usrfiles", "mymachines"})


def directory_accounts(host: Host) -> Reading[bool]:
    """Known(false) when only local accounts exist; never Known(true): the directory's own rules cannot be read here."""
    text: Reading[str] = Absent()
    for path in _NSSWITCH:
        text = host.files.text(path=path)
        if not isinstance(text, Absent):
            break
    if isinstance(text, Unknown):
        return text
    if isinstance(text, Absent):
        return Known(False, _NSSWITCH[0])  # the C library's default is files alone
    m = re.search(r"^\s*passwd\s*:(.*)$", text.value, re.MULTILINE)
    sources = re.sub(r"\[[^\]]*\]", " ", m[1].split("#", 1)[0]).split() if m else ["files"]
    used = []
    for source in sources:
        if source in _LOCAL:
            continue
        there = _set_up(host, source)
        if isinstance(there, Unknown):
            return there
        if there:
            used.append(source)
    if used:
        why = f"使用了目录（域）账户（{'、'.join(used)}），其口令策略在目录服务器上，本机无法读取"
        return Unknown(Cause.UNAVAILABLE, why, text.origin)
    return Known(False, text.origin)


def _set_up(host: Host, source: str) -> bool | Unknown:
    files = _SET_UP_BY.get(source)
    if files is None:
        return True  # a source we do not know may hold anything
    for path in files:
        if path.endswith(".d"):
            names = host.files.entries(path=path)
            if isinstance(names, Unknown):
                return names
            if isinstance(names, Known) and any(n.endswith(".conf") for n in names.value):
                return True
            continue
        found = host.files.stat(path=path)
        if isinstance(found, Unknown):
            return found
        if isinstance(found, Known):
            return True
    return False
