"""Folders that others can reach over the network: Samba (usershares and ksmbd too), NFS, FTP, desktop sharing.

A share counts when its server runs or starts with the system; definitions left behind by a server that does neither
are listed without counting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._exports import Export, parse_exports, vsftpd_anonymous
from ybscan.probes._samba_config import CONFIG, KSMBD_CONFIGS, SambaConfig, read_config, read_usershares
from ybscan.probes._services import Service
from ybscan.probes.base import Context, Probe
from ybscan.probes.services import System, look, runs, starts

SAMBA = Service(
    "smbd", "Samba 文件共享", units=("smbd.service", "smb.service", "samba.service", "samba-ad-dc.service"),
    sysv=("smbd", "smb", "samba", "samba-ad-dc"), processes=("smbd", "samba"),
)  # fmt: skip
KSMBD = Service("ksmbd", "内核 SMB 共享", units=("ksmbd.service",), processes=("ksmbd.mountd",))
_NFS = Service(
    "nfs-server", "NFS 文件共享", units=("nfs-server.service", "nfs-kernel-server.service", "nfs.service"),
    sysv=("nfs-kernel-server", "nfs"), processes=("nfsd", "ganesha.nfsd"),
)  # fmt: skip
_VSFTPD = Service(
    "vsftpd", "FTP", units=("vsftpd.service", "vsftpd.socket"), sysv=("vsftpd",), processes=("vsftpd",), inetd=("ftp",)
)
_OTHER_FTP = Service(
    "ftp", "FTP", units=("proftpd.service", "proftpd.socket", "pure-ftpd.service"), sysv=("proftpd", "pure-ftpd"),
    processes=("proftpd", "pure-ftpd"),
)  # fmt: skip
_DESKTOP = Service(
    "desktop", "桌面共享", processes=("rygel", "gnome-user-share", "gnome-user-share-webdav", "minidlnad", "minidlna"),
    units=("minidlna.service",), sysv=("minidlna",),
)  # fmt: skip
SERVERS = (SAMBA, KSMBD, _NFS, _VSFTPD, _OTHER_FTP, _DESKTOP)

_EXPORTS, _EXPORTS_FOLDER = "/etc/exports", "/etc/exports.d"
_VSFTPD_CONFIGS = ("/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf")


class SharesProbe(Probe):
    """Shared folders."""

    name = "shares"
    title = "共享文件夹"
    facts = (
        FactSpec(
            "shares", Kind.ITEMS, "共享文件夹",
            help="本机共享给网络的文件夹。“在用”指提供共享的服务正在运行或随系统启动；打印机共享和打印驱动共享（print$）不是文件夹共享。"
            "文件管理器中由用户自行建立的共享也在内。",
            linux="/etc/samba/smb.conf（含引用的文件）、/var/lib/samba/usershares、/etc/ksmbd、/etc/exports、/etc/exports.d、vsftpd.conf，"
            "对应服务的启用和运行状态",
            windows="LanmanServer\\Shares 及其 Security，NetShareEnum，LanmanServer 的启动类型与状态",
            fields=(
                Field("name", Kind.TEXT, "共享名"),
                Field("kind", Kind.TEXT, "方式"),
                Field("path", Kind.TEXT, "路径"),
                Field("printer", Kind.BOOLEAN, "打印共享"),
                Field("anyone", Kind.BOOLEAN, "任何人可访问"),
                Field("writable", Kind.BOOLEAN, "可写入"),
                Field("served", Kind.BOOLEAN, "在用"),
                Field("note", Kind.TEXT, "说明"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{kind} 共享“{name}”（{path}，任何人可访问：{anyone}，可写入：{writable}，{note}，来源 {source}）",
        ),
        FactSpec(
            "automatic", Kind.BOOLEAN, "默认共享（C$、ADMIN$）", words=("已开启", "已关闭"),
            help="没有设置 AutoShareWks（服务器为 AutoShareServer）时，系统自动建立默认共享。服务器服务已禁用时为已关闭。",
            windows="LanmanServer\\Parameters 的 AutoShareWks、AutoShareServer，NetShareEnum",
        ),
        FactSpec(
            "null_session", Kind.BOOLEAN, "匿名（空会话）访问共享", words=("允许", "不允许"),
            windows="Lsa 的 everyoneincludesanonymous，LanmanServer\\Parameters 的 RestrictNullSessAccess、NullSessionShares",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        system = look(host, gaps, SERVERS)
        items = [*_samba(host, system, gaps), *_ksmbd(host, system, gaps), *_nfs(host, system, gaps)]
        items += [*_ftp(host, system, gaps), *_desktop(system)]
        there = sorted({s.title for s in SERVERS if present(s, system)})
        origin = f"已安装或运行：{'、'.join(there)}" if there else "没有安装或运行 Samba、NFS、FTP 等共享服务"
        none = Absent("Linux 没有默认共享")
        return {
            "shares": Known(tuple(items), origin, tuple(dict.fromkeys(gaps))), "automatic": none, "null_session": none,
        }  # fmt: skip

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.shares import facts

        return facts(host)


def present(service: Service, system: System) -> bool:
    """Whether anything of the service was seen."""
    running = system.processes if isinstance(system.processes, set) else set()
    return bool(
        system.units & {*service.units} or system.scripts & {*service.sysv} or running & {*service.processes}
        or system.superserved & {*service.inetd}
    )  # fmt: skip


def served(service: Service, system: System) -> bool | Unknown:
    """Whether the server runs now or starts with the system."""
    now, later = runs(service, system), starts(service, system)
    if now is True or later is True:
        return True
    if not present(service, system) and isinstance(later, bool) and not isinstance(system.processes, set):
        # A disk that lies still, and no trace of the server on it.
        return False
    return next((s for s in (later, now) if isinstance(s, Unknown)), False)


# Samba --------------------------------------------------------------------------------------------------------------


def _samba(host: Host, system: System, gaps: list[Gap]) -> Iterator[Item]:
    config = read_config(host)
    if isinstance(config, Unknown):
        gaps.append(config.as_gap())
    known = config.value if isinstance(config, Known) else None
    on = served(SAMBA, system)
    if known is not None:
        gaps.extend(known.gaps)
        for section in known.shares():
            item = _section(known, section, "Samba", on, CONFIG)
            if item is not None:
                yield item
    elif on is True and isinstance(config, Absent):
        gaps.append(Gap(Cause.UNAVAILABLE, f"Samba 在用，但没有 {CONFIG}，配置可能在其他位置", CONFIG))
    guests = known.flag("global", "usershare allow guests", False) if known else False
    for share in read_usershares(host, known, gaps):
        anyone: FieldValue = bool(share.everyone) or (share.guest and guests is True)
        yield {
            "name": share.name, "kind": "Samba", "path": share.path, "printer": False, "anyone": anyone,
            "writable": share.everyone == "完全", "served": on, "note": "用户自行建立", "source": share.source,
        }  # fmt: skip


def _section(config: SambaConfig, section: str, kind: str, on: FieldValue, file: str) -> Item | None:
    if config.flag(section, "available", True) is False:
        return None
    printable = config.flag(section, "printable", False)
    path = config.sections[section].get("path")
    # Printers are no folders; clients fetch drivers from print$.
    printer: FieldValue = True if section in ("printers", "print$") else printable
    title = config.titles.get(section, section)
    note = {"homes": "各用户的主目录"}.get(section)
    guest = config.flag(section, "guest ok", False)
    only = config.flag(section, "read only", True)
    return {
        "name": title, "kind": kind, "path": path.text if path else None, "printer": printer, "anyone": guest,
        "writable": only if isinstance(only, Unknown) else not only or config.value(section, "write list") is not None,
        "served": on, "note": note, "source": path.source if path else file,
    }  # fmt: skip


def _ksmbd(host: Host, system: System, gaps: list[Gap]) -> Iterator[Item]:
    on = served(KSMBD, system)
    for file in KSMBD_CONFIGS:
        config = read_config(host, file)
        if isinstance(config, Unknown):
            gaps.append(config.as_gap())
        if not isinstance(config, Known):
            continue
        gaps.extend(config.value.gaps)
        for section in config.value.shares():
            item = _section(config.value, section, "ksmbd", on, file)
            if item is not None:
                yield item


# NFS ----------------------------------------------------------------------------------------------------------------


def _nfs(host: Host, system: System, gaps: list[Gap]) -> Iterator[Item]:
    names = host.files.entries(path=_EXPORTS_FOLDER)
    if isinstance(names, Unknown):
        gaps.append(names.as_gap())
    more = (
        [f"{_EXPORTS_FOLDER}/{n}" for n in names.value if n.endswith(".exports") and not n.startswith(".")]
        if isinstance(names, Known)
        else []
    )
    on = served(_NFS, system)
    for file in (_EXPORTS, *more):
        text = host.files.text(path=file)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        if not isinstance(text, Known):
            continue
        exports, bad = parse_exports(text.value)
        gaps.extend(Gap(Cause.MALFORMED, f"{file}：{line}", file) for line in bad)
        for export in exports:
            yield _export(export, on, file)


def _export(export: Export, on: FieldValue, file: str) -> Item:
    said = [f"给 {export.client}" if not export.everybody else "给任何主机"]
    if export.root:
        said.append("对方 root 即本机 root（no_root_squash）")
    return {
        "name": export.path, "kind": "NFS", "path": export.path, "printer": False, "anyone": export.everybody,
        "writable": export.writable, "served": on, "note": "，".join(said), "source": file,
    }  # fmt: skip


# FTP and the desktop ------------------------------------------------------------------------------------------------


def _ftp(host: Host, system: System, gaps: list[Gap]) -> Iterator[Item]:
    """Anonymous FTP is a share. FTP with a password is a service, judged where services are."""
    on = served(_VSFTPD, system)
    for file in _VSFTPD_CONFIGS:
        text = host.files.text(path=file)
        if isinstance(text, Unknown):
            gaps.append(text.as_gap())
        if not isinstance(text, Known):
            continue
        anonymous = vsftpd_anonymous(text.value)
        if anonymous is None:
            gaps.append(Gap(Cause.MALFORMED, f"{file} 的 anonymous_enable", file))
        if anonymous:
            yield {
                "name": "匿名 FTP", "kind": "FTP", "path": None, "printer": False, "anyone": True, "writable": None, "served": on,
                "note": "vsftpd 允许匿名登录", "source": file,
            }  # fmt: skip
    if present(_OTHER_FTP, system) and served(_OTHER_FTP, system) is not False:
        gaps.append(Gap(Cause.UNSUPPORTED, "本版本不能读取 ProFTPD、Pure-FTPd 的匿名设置", "ftp"))


def _desktop(system: System) -> Iterator[Item]:
    running = system.processes if isinstance(system.processes, set) else set()
    for name in sorted(running & {*_DESKTOP.processes}):
        yield {
            "name": name, "kind": "桌面共享", "path": None, "printer": False, "anyone": None, "writable": None, "served": True,
            "note": "桌面环境的文件或媒体共享正在运行", "source": "进程列表",
        }  # fmt: skip


PROBES = (SharesProbe(),)
