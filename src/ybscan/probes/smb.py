"""SMB version 1, weak authentication and guests: of the Samba server, of its client tools, and of mounted shares.

Defaults hang on the release: from Samba 4.11 on both ``server min protocol`` and ``client min protocol`` are SMB2_02
(smb.conf(5) and the release notes). What earlier releases do without the setting is not confirmed here and stays open.
Sources: smb.conf(5), mount.cifs(8) on ``vers=``, proc_pid_mountinfo(5), fstab(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.hosts.linux.mounts import parse_mountinfo, unescaped
from ybscan.model.facts import Fact, FactSpec, Field, Item, Kind
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.probes._samba_config import CONFIG, SambaConfig, read_config
from ybscan.probes._software.packages import read_packages
from ybscan.probes._software.records import Inventory
from ybscan.probes.base import Context, Probe
from ybscan.probes.services import look
from ybscan.probes.shares import KSMBD, SAMBA, present, served

_SMB1 = frozenset({"core", "coreplus", "lanman1", "lanman2", "nt1"})
#: Packages that carry Samba's version, the server's first.
_SERVER_PACKAGES = ("samba", "samba-server")
_CLIENT_PACKAGES = (
    "samba-libs", "samba-client-libs", "libsmbclient", "libsmbclient0", "smbclient", "samba-client", "samba-common", "samba",
)  # fmt: skip
#: First release with SMB2_02 as the lowest protocol, and with NTLMv2 as the lowest authentication.
_SMB2_SINCE, _NTLMV2_SINCE = (4, 11), (4, 5)
_MOUNTINFO, _FSTAB = "/proc/self/mountinfo", "/etc/fstab"
_ON_OFF = ("已启用", "已关闭")

Version = tuple[int, int]


class SmbProbe(Probe):
    """How old and how open the SMB protocol may be here."""

    name = "smb"
    title = "SMB 协议版本与来宾访问"
    facts = (
        FactSpec(
            "server", Kind.BOOLEAN, "SMB 服务端", words=("在用", "未安装或未启用"),
            help="Samba 或 ksmbd 正在运行或随系统启动。",
            linux="smbd、ksmbd 的启用链接与进程列表", windows="LanmanServer 的启动类型与状态",
        ),
        FactSpec(
            "server_smb1", Kind.BOOLEAN, "服务端 SMB1", words=_ON_OFF,
            help="没有设置最低协议时按 Samba 版本的默认值判断，4.11 之前的默认值未经核实，不作结论。",
            linux="smb.conf 的 server min protocol，软件包登记中的 Samba 版本",
            windows="LanmanServer\\Parameters 的 SMB1，驱动 srv 是否存在及其启动类型",
        ),
        FactSpec(
            "client_smb1", Kind.BOOLEAN, "客户端 SMB1", words=_ON_OFF,
            linux="smb.conf 的 client min protocol，软件包登记中的 Samba 版本",
            windows="驱动 mrxsmb10 是否存在及其启动类型、状态",
        ),
        FactSpec(
            "guest", Kind.BOOLEAN, "来宾访问", words=("允许", "不允许"),
            help="Linux 指把不存在的用户当作来宾接受（map to guest）；Windows 指允许用不安全的来宾方式访问其他计算机的共享。",
            linux="smb.conf 的 map to guest", windows="AllowInsecureGuestAuth 的组策略值与本地值，缺少时按版本默认",
        ),
        FactSpec(
            "weak_auth", Kind.BOOLEAN, "弱验证方式（LANMAN、NTLMv1）", words=("接受", "不接受"),
            linux="smb.conf 的 ntlm auth、lanman auth",
        ),
        FactSpec(
            "mounts", Kind.ITEMS, "已挂载或设置挂载的 SMB 共享",
            linux="/proc/self/mountinfo 与 /etc/fstab 中 cifs、smb3 类型的挂载及其 vers 选项",
            fields=(
                Field("point", Kind.TEXT, "挂载点"),
                Field("share", Kind.TEXT, "共享"),
                Field("version", Kind.TEXT, "协议版本"),
                Field("smb1", Kind.BOOLEAN, "使用 SMB1"),
                Field("source", Kind.TEXT, "来源"),
            ),
            summary="{share} 挂载于 {point}（协议版本 {version}，来源 {source}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        gaps: list[Gap] = []
        system = look(host, gaps, (SAMBA, KSMBD))
        on, kernel = served(SAMBA, system), served(KSMBD, system)
        inventory = Inventory()
        read_packages(host, inventory)
        config = read_config(host)
        server: Fact = _either(on, kernel)
        if isinstance(server, Known) and server.value is False and gaps:
            server = Unknown(gaps[0].cause, gaps[0].detail, gaps[0].origin)
        if isinstance(server, Known) and not (present(SAMBA, system) or present(KSMBD, system)):
            server = Known(server.value, "没有安装 Samba 服务端")
        settings = _settings(config)
        smb1 = _lowest(settings, "server min protocol", _version(inventory, _SERVER_PACKAGES))
        if kernel is not False and isinstance(smb1, Known) and smb1.value is False:
            smb1 = Unknown(Cause.UNSUPPORTED, "本版本不能读取 ksmbd 的协议设置", "ksmbd")
        return {
            "server": server,
            "server_smb1": smb1,
            "client_smb1": _client(settings, inventory),
            "guest": _guest(settings),
            "weak_auth": _weak(settings, _version(inventory, _SERVER_PACKAGES)),
            "mounts": _mounts(host),
        }

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.smb import facts

        return facts(host)


def _either(*parts: bool | Unknown) -> Fact:
    if any(p is True for p in parts):
        return Known(True, "smbd")
    doubt = next((p for p in parts if isinstance(p, Unknown)), None)
    return doubt if doubt is not None else Known(False, "smbd")


def _settings(config: Reading[SambaConfig]) -> Reading[SambaConfig]:
    """The configuration where it is whole: a part that was not read may hold any setting."""
    if isinstance(config, Known) and config.value.gaps:
        first = config.value.gaps[0]
        return Unknown(first.cause, first.detail, first.origin)
    return config


def _version(inventory: Inventory, names: tuple[str, ...]) -> Reading[Version]:
    """The release of Samba by the package manager's record; Absent when none of the packages is there."""
    for name in names:
        for package in inventory.packages:
            if package.name != name:
                continue
            m = re.match(r"(?:\d+:)?(\d+)\.(\d+)", package.version)
            if m is None:
                return Unknown(Cause.MALFORMED, f"Samba 版本“{package.version[:40]}”", package.origin)
            return Known((int(m[1]), int(m[2])), package.origin)
    if inventory.gaps:
        return Unknown(inventory.gaps[0].cause, inventory.gaps[0].detail, inventory.gaps[0].origin)
    return Absent("软件包登记")


def _lowest(config: Reading[SambaConfig], name: str, version: Reading[Version]) -> Fact:
    """Whether the lowest protocol is one of version 1."""
    if isinstance(config, Unknown):
        return config
    value = config.value.value("global", name) if isinstance(config, Known) else None
    word = value.text.casefold() if value else "default"
    origin = f"{value.source}：{name} = {value.text}" if value else f"{CONFIG} 未设置 {name}"
    if word in _SMB1:
        return Known(True, origin)
    if re.fullmatch(r"smb[23](_\d\d)?", word):
        return Known(False, origin)
    if word != "default":
        return Unknown(Cause.MALFORMED, origin, CONFIG)
    if not isinstance(version, Known):
        return (
            version
            if isinstance(version, Unknown)
            else Unknown(Cause.UNAVAILABLE, f"{origin}，且不知道 Samba 版本", CONFIG)
        )
    shown = ".".join(map(str, version.value))
    if version.value >= _SMB2_SINCE:
        return Known(False, f"{origin}，Samba {shown} 默认为 SMB2_02")
    return Unknown(Cause.UNCONFIRMED, f"{origin}，Samba {shown} 的默认值可能包含 SMB1，请明确设置为 SMB2_02", CONFIG)


def _client(config: Reading[SambaConfig], inventory: Inventory) -> Fact:
    version = _version(inventory, _CLIENT_PACKAGES)
    if isinstance(version, Absent) and not isinstance(config, Known):
        return config if isinstance(config, Unknown) else Known(False, "没有安装 Samba 客户端组件")
    return _lowest(config, "client min protocol", version)


def _guest(config: Reading[SambaConfig]) -> Fact:
    if not isinstance(config, Known):
        return config if isinstance(config, Unknown) else Known(False, f"没有 {CONFIG}，默认不接受来宾")
    value = config.value.value("global", "map to guest")
    if value is None:
        return Known(False, f"{CONFIG} 未设置 map to guest，默认为 Never")
    word = " ".join(value.text.casefold().split())
    origin = f"{value.source}：map to guest = {value.text}"
    if word in ("never", "0"):
        return Known(False, origin)
    if word in ("bad user", "bad password", "bad uid", "1", "2", "3"):
        return Known(True, origin)
    return Unknown(Cause.MALFORMED, origin, value.source)


def _weak(config: Reading[SambaConfig], version: Reading[Version]) -> Fact:
    if isinstance(config, Unknown):
        return config
    settings = config.value if isinstance(config, Known) else SambaConfig()
    lanman = settings.flag("global", "lanman auth", False)
    if lanman is not False:
        return lanman if isinstance(lanman, Unknown) else Known(True, f"{CONFIG}：lanman auth = yes")
    value = settings.value("global", "ntlm auth")
    if value is None:
        if not isinstance(version, Known):
            return version if isinstance(version, Unknown) else Unknown(Cause.UNAVAILABLE, "不知道 Samba 版本", CONFIG)
        if version.value >= _NTLMV2_SINCE:
            return Known(False, f"{CONFIG} 未设置 ntlm auth，默认只接受 NTLMv2")
        return Unknown(Cause.UNCONFIRMED, "未设置 ntlm auth，该版本的默认值可能接受 NTLMv1", CONFIG)
    word = value.text.casefold()
    origin = f"{value.source}：ntlm auth = {value.text}"
    if word in ("yes", "true", "1", "on", "ntlmv1-permitted"):
        return Known(True, origin)
    if word in ("no", "false", "0", "off", "ntlmv2-only", "mschapv2-and-ntlmv2-only", "disabled"):
        return Known(False, origin)
    return Unknown(Cause.MALFORMED, origin, value.source)


# Mounted shares -----------------------------------------------------------------------------------------------------


def _mounts(host: Host) -> Fact:
    gaps: list[Gap] = []
    text = host.files.text(path=_MOUNTINFO)
    items: list[Item] = []
    if isinstance(text, Known):
        lines = parse_mountinfo(text.value)
        if lines is None:
            gaps.append(Gap(Cause.MALFORMED, _MOUNTINFO, _MOUNTINFO))
        items += [
            _mount(m.point, m.source, m.options, _MOUNTINFO)
            for m in lines or ()
            if m.fs_type in ("cifs", "smb3", "smbfs")
        ]
    else:
        gaps.append(text.as_gap() if isinstance(text, Unknown) else Gap(Cause.UNAVAILABLE, _MOUNTINFO, _MOUNTINFO))
    fstab = host.files.text(path=_FSTAB)
    if isinstance(fstab, Unknown):
        gaps.append(fstab.as_gap())
    elif isinstance(fstab, Known):
        items += _fstab(fstab.value)
    return Known(tuple(items), f"{_MOUNTINFO}、{_FSTAB}", tuple(gaps))


def _fstab(text: str) -> Iterator[Item]:
    """Entries that name a version; without one the kernel picks it, and mountinfo shows which."""
    for line in text.splitlines():
        words = line.split()
        if (
            len(words) >= 4
            and not line.lstrip().startswith("#")
            and words[2] in ("cifs", "smb3", "smbfs")
            and "vers=" in words[3]
        ):
            yield _mount(unescaped(words[1]), unescaped(words[0]), words[3], _FSTAB)


def _mount(point: str, share: str, options: str, source: str) -> Item:
    m = re.search(r"(?:^|,)vers=([^,]+)", options)
    version = m[1] if m else None
    smb1: bool | Unknown = version == "1.0" if version else Unknown(Cause.UNAVAILABLE, "内核没有给出协议版本")
    return {"point": point, "share": share, "version": version, "smb1": smb1, "source": source}


PROBES = (SmbProbe(),)
