"""Is this terminal in the unit's register, is somebody responsible for it, and is it really the one registered?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, Kind
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.model.site import Terminal
from ybscan.probes._software.text import folded, shown
from ybscan.probes.base import Context, Probe

_SHOWN = 8
_MACHINE_ID = re.compile(r"[0-9a-f]{32}")


class RegistrationProbe(Probe):
    """The terminal's row of the register."""

    name = "registration"
    title = "终端登记"
    facts = (
        FactSpec(
            "registered", Kind.BOOLEAN, "本终端是否在登记表中", words=("已登记", "未登记"),
            help="site.yml 写明了 terminal，或者 terminals 登记表中有本机的 MAC 地址或主机名。",
            linux="site.yml、终端登记表、网卡和主机名", windows="site.yml、终端登记表、网卡和主机名",
        ),
        FactSpec(
            "entries", Kind.ITEMS, "登记内容", help="终端编号、使用科室和责任人各一条。",
            linux="site.yml、终端登记表", windows="site.yml、终端登记表",
            fields=(Field("name", Kind.TEXT, "项目"), Field("value", Kind.TEXT, "内容"), Field("filled", Kind.BOOLEAN, "是否填写")),
            summary="{name}：{value}",
        ),
        FactSpec(
            "identity_matches", Kind.BOOLEAN, "登记的主机名和 MAC 地址是否与本机一致", words=("一致", "不一致"),
            help="登记中写了哪一项就核对哪一项；都没有写时没有这一信息。",
            linux="主机名、网卡 MAC 地址与登记比对", windows="主机名、网卡 MAC 地址与登记比对",
        ),
        FactSpec(
            "machine_id", Kind.TEXT, "系统标识摘要",
            help="系统安装时生成的标识的摘要，原值不记录。两台终端相同说明系统是克隆的。",
            linux="/etc/machine-id 的散列值前 8 位", windows="HKLM\\SOFTWARE\\Microsoft\\Cryptography 的 MachineGuid 的散列值前 8 位",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        terminal = context.site.terminal
        if terminal is None:
            registered = _not_found(host, context)
            rest: Fact = registered if isinstance(registered, Unknown) else Absent("终端登记")
            return {
                "registered": registered, "entries": rest, "identity_matches": rest,
                "machine_id": _machine_id(host),
            }  # fmt: skip
        return {
            "registered": Known(True, "终端登记"),
            "entries": _entries(terminal),
            "identity_matches": _matches(host, terminal),
            "machine_id": _machine_id(host),
        }


def _entries(terminal: Terminal) -> Fact:
    named = (("终端编号", terminal.id), ("使用科室", terminal.department), ("责任人", terminal.owner))
    return Known(
        tuple({"name": n, "value": shown(v, 60) if v else None, "filled": bool(v and v.strip())} for n, v in named),
        "终端登记",
    )


def _not_found(host: Host, context: Context) -> Fact:
    """What no row in the register means: nothing when there is no register, or when we do not know who we are."""
    if context.site.terminals is None:
        return Unknown(Cause.NOT_CONFIGURED, "site.yml 的 terminals 或 terminal", "site.yml")
    (_, doubt), hostname = _macs(host), _hostname(host)
    for why in (doubt, hostname):
        if isinstance(why, Unknown):
            return why
    return Known(False, "终端登记表中没有唯一对应本机 MAC 地址或主机名的一行")


def _macs(host: Host) -> tuple[frozenset[str], Unknown | None]:
    """The addresses of the machine's cards, and why there may be more."""
    interfaces = host.network.interfaces()
    if not isinstance(interfaces, Known):
        missing = Unknown(Cause.UNAVAILABLE, "网卡列表", "network.interfaces")
        return frozenset(), interfaces if isinstance(interfaces, Unknown) else missing
    found = frozenset(_bare(i.mac) for i in interfaces.value if i.mac)
    gap = interfaces.gaps[0] if interfaces.gaps else None
    return found, Unknown(gap.cause, gap.detail, gap.origin) if gap else None


def _hostname(host: Host) -> str | Unknown:
    identity = host.system.identity()
    if isinstance(identity, Unknown):
        return identity
    name = identity.value.hostname if isinstance(identity, Known) else ""
    return name or Unknown(Cause.UNAVAILABLE, "主机名", "/etc/hostname")


def _bare(mac: str) -> str:
    return "".join(c for c in mac.lower() if c in "0123456789abcdef")


def _matches(host: Host, terminal: Terminal) -> Fact:
    """Whether what the register says of the machine holds: a wrong part decides, else an unread one."""
    answers: list[bool | Unknown] = []
    if terminal.mac:
        macs, doubt = _macs(host)
        has = _bare(terminal.mac) in macs
        answers.append(doubt if doubt is not None and not has else has)
    if terminal.hostname:
        name = _hostname(host)
        # A fully qualified name and its first part are the same machine.
        answers.append(
            name
            if isinstance(name, Unknown)
            else folded(name).partition(".")[0] == folded(terminal.hostname).partition(".")[0]
        )
    if not answers:
        return Absent("终端登记")
    if False in answers:
        what = f"登记的 MAC {terminal.mac or '（空）'}、主机名 {terminal.hostname or '（空）'}"
        return Known(False, shown(what))
    unread = next((a for a in answers if isinstance(a, Unknown)), None)
    return unread or Known(True, "终端登记与本机")


def _machine_id(host: Host) -> Fact:
    text = host.files.text(path="/etc/machine-id", limit=4096)
    if not isinstance(text, Known):
        return text
    value = text.value.strip().lower()
    if not _MACHINE_ID.fullmatch(value) or not value.strip("0"):
        return Unknown(Cause.MALFORMED, "/etc/machine-id", "/etc/machine-id")
    return Known(hashlib.sha256(f"ybscan/machine-id/v1\0{value}".encode()).hexdigest()[:_SHOWN], "/etc/machine-id")


PROBES = (RegistrationProbe(),)
