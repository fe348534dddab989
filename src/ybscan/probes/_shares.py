"""Folders that this machine offers to others, as the configuration of Samba and NFS on disk has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._ini import Sections, merged

_SMB_CONF = "/etc/samba/smb.conf"
_SMB_FOLDERS = ("/usr/sbin/smbd", "/usr/local/samba/sbin/smbd")
_USERSHARES = "/var/lib/samba/usershares"
_EXPORTS = "/etc/exports"
_EXPORTS_FOLDER = "/etc/exports.d"
_NFSD = ("/usr/sbin/rpc.nfsd", "/sbin/rpc.nfsd", "/usr/sbin/nfsdctl")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Share:
    """One offered folder. ``variable``: its path has a part that Samba fills in for each user."""

    path: str
    label: str
    variable: bool = False


def shares(host: Host, gaps: list[Gap]) -> tuple[Share, ...]:
    """Every offered folder; what could not be read leaves a gap. Nothing where no server program is installed."""
    found: list[Share] = []
    if _installed(host, _SMB_FOLDERS, gaps):
        found += _samba(host, gaps)
    if _installed(host, _NFSD, gaps):
        found += _nfs(host, gaps)
    return tuple(sorted(set(found), key=lambda s: (s.path, s.label)))


def exposing(path: str, offered: tuple[Share, ...]) -> Share | None:
    """The share through which ``path`` can be reached: it lies in it, or (for a folder) contains it."""
    for share in offered:
        top = share.path.rstrip("/") or ""
        if path == top or path.startswith(f"{top}/") or f"{top}/".startswith(f"{path.rstrip('/')}/"):
            return share
    return None


def _installed(host: Host, programs: tuple[str, ...], gaps: list[Gap]) -> bool:
    for program in programs:
        stat = host.files.stat(path=program)
        if isinstance(stat, Unknown):
            gaps.append(stat.as_gap())
        elif isinstance(stat, Known):
            return True
    return False


def _samba(host: Host, gaps: list[Gap]) -> list[Share]:
    settings: Sections = merged(host, (_SMB_CONF,), gaps)
    if any("include" in s or "config file" in s for s in settings.values()):
        gaps.append(Gap(Cause.UNSUPPORTED, "smb.conf 引用了其他文件，没有读取", _SMB_CONF))
    if settings.get("global", {}).get("registry shares", ("", ""))[0].lower() in ("yes", "true", "1"):
        gaps.append(Gap(Cause.UNSUPPORTED, "Samba 的共享写在它自己的注册表中，没有读取", _SMB_CONF))
    found = []
    for name, section in settings.items():
        path = (section.get("path") or section.get("directory") or ("", ""))[0]
        if name == "homes" and not path:
            found.append(Share("/home", "Samba 共享 homes", variable=True))
        elif path:
            fixed = path.split("%", 1)[0]
            whole = fixed == path
            found.append(Share(fixed if whole else fixed.rsplit("/", 1)[0] or "/", f"Samba 共享 {name}", not whole))
    names = host.files.entries(path=_USERSHARES)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    for name in names.value if isinstance(names, Known) else ():
        text = host.files.text(path=f"{_USERSHARES}/{name}", limit=65536)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        elif isinstance(text, Known):
            found += [Share(m[1].strip(), f"Samba 共享 {name}") for m in re.finditer(r"(?m)^path=(/.*)$", text.value)]
    return found


def _nfs(host: Host, gaps: list[Gap]) -> list[Share]:
    """exports(5): one export a line, the path first, octal escapes, quotes, continued lines."""
    files = [_EXPORTS]
    names = host.files.entries(path=_EXPORTS_FOLDER)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    files += (
        [f"{_EXPORTS_FOLDER}/{n}" for n in names.value if n.endswith(".exports")] if isinstance(names, Known) else []
    )
    found = []
    for path in files:
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        for line in text.value.replace("\\\n", " ").split("\n") if isinstance(text, Known) else ():
            line = line.strip()
            m = re.match(r'"(/[^"]*)"|(/\S*)', line)
            if m:
                folder = _OCTAL.sub(lambda o: chr(int(o[1], 8)), m[1] or m[2])
                found.append(Share(folder, f"NFS 导出 {folder}"))
    return found
