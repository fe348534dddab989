"""Whether a file on Windows can be changed or replaced by somebody who does not administer the terminal.

Source: "File Access Rights Constants" and "Access Mask" of the Windows documentation.
"""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._software.text import shown
from ybscan.probes._windows.admins import ADMINISTRATORS

_WRITE_DATA, _APPEND, _DELETE_CHILD = 0x2, 0x4, 0x40
_DELETE, _WRITE_DAC, _WRITE_OWNER = 0x10000, 0x40000, 0x80000
_OF_FILE = _WRITE_DATA | _APPEND | _DELETE | _WRITE_DAC | _WRITE_OWNER
_OF_FOLDER = _DELETE_CHILD | _DELETE | _WRITE_DAC | _WRITE_OWNER
#: LocalSystem, Administrators, TrustedInstaller.
_TRUSTED = frozenset({"S-1-5-18", ADMINISTRATORS, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"})


def open_to(host: Host, path: str) -> Unknown | None:
    """Why the file cannot be relied on; None when only administrators can change or replace it."""
    group = host.accounts.members(sid=ADMINISTRATORS)
    admins = {m.sid.upper() for m in group.value if m.kind == "user"} if isinstance(group, Known) else set()
    folder = path.rpartition("\\")[0]
    for what, mask in ((path, _OF_FILE), (f"{folder}\\" if folder.endswith(":") else folder, _OF_FOLDER)):
        rights = host.files.rights(path=what)
        if not isinstance(rights, Known):
            return rights if isinstance(rights, Unknown) else Unknown(Cause.UNAVAILABLE, f"{what} 不存在", what)
        others = sorted(s for s, m in rights.value.items() if m & mask and s.upper() not in _TRUSTED | admins)
        if others:
            who = "、".join(shown(o, 60) for o in others[:3])
            return Unknown(Cause.UNCONFIRMED, f"{what} 可被管理员以外的账户（{who}）改写，不能作为依据", what)
    return None
