"""SMB version 1 and guests on Windows.

Sources: "How to detect, enable and disable SMBv1, SMBv2, and SMBv3 in Windows" (value ``SMB1``, drivers srv and mrxsmb10),
"Enable insecure guest logons in SMB2 and SMB3" (``AllowInsecureGuestAuth`` and its defaults by edition and build).
"""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.hosts.groups.services import ServiceConfig
from ybscan.model.facts import Fact
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.probes._windows.keys import Keys
from ybscan.probes._windows.settings import is_running
from ybscan.probes._windows.shares import served

_SERVER = r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters"
_CLIENT = r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanWorkstation\Parameters"
_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\LanmanWorkstation"
_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
#: Seconds after the start of the system in which the server has surely started.
_STARTING = 15 * 60
#: Windows 10, its version 1709 and Windows 11 24H2 by build.
_TEN, _1709, _24H2 = 10240, 16299, 26100
_CAREFUL = ("enterprise", "education", "professionalworkstation", "iotenterprise", "server")


def facts(host: Host) -> dict[str, Fact]:
    """All facts about SMB."""
    on = served(host)
    none = Absent("仅 Linux 有此项")
    return {
        "server": on if isinstance(on, Unknown) else Known(on, "LanmanServer"),
        "server_smb1": _server(host),
        "client_smb1": _installed(host, "mrxsmb10"),
        "guest": _guest(host),
        "weak_auth": none,
        "mounts": none,
    }


def _server(host: Host) -> Fact:
    """The value wins; without one the server speaks version 1 wherever its driver is there."""
    keys = Keys(host)
    value = keys.dword(_SERVER, "SMB1")
    if keys.gaps:
        return Unknown(keys.gaps[0].cause, keys.gaps[0].detail, keys.gaps[0].origin)
    driver = _installed(host, "srv")
    return _in_force(host) if value == 0 and not (isinstance(driver, Known) and driver.value is False) else driver


def _in_force(host: Host) -> Fact:
    """The server reads the value when it starts. It writes to the same key itself then, which is no change."""
    origin = f"{_SERVER} 的 SMB1 = 0"
    boot = host.system.boot_time()
    if not isinstance(boot, Known):
        still = isinstance(boot, Unknown) and boot.cause is Cause.UNSUPPORTED
        return (
            Known(False, origin)
            if still
            else Unknown(Cause.UNAVAILABLE, "开机时间，不能确定 SMB1 的设置已生效", origin)
        )
    written = host.registry.written(key=_SERVER)
    if not isinstance(written, Known):
        why = "没有 SMB1 设置的写入时间，不能确定写入之后重新启动过；请核实，或在终端上直接检查"
        return Unknown(Cause.UNCONFIRMED, why, _SERVER)
    if written.value > boot.value + _STARTING:
        return Unknown(Cause.UNCONFIRMED, "SMB1 的设置可能在本次开机之后才改动，重新启动后才确定生效", _SERVER)
    return Known(False, origin)


def _installed(host: Host, driver: str) -> Fact:
    """Whether a driver of version 1 is there and not turned off."""
    configured = host.services.configured()
    if not isinstance(configured, Known):
        return configured
    found = next((s for s in configured.value if s.name.lower() == driver), None)
    if found is None:
        if configured.gaps:
            gap = configured.gaps[0]
            return Unknown(gap.cause, gap.detail, gap.origin)
        return Known(False, f"没有服务 {driver}，未安装 SMB1 功能")
    return _on(host, found)


def _on(host: Host, driver: ServiceConfig) -> Fact:
    if driver.start != "disabled":
        return Known(True, f"服务 {driver.name} 没有禁用")
    running = is_running(host, driver.name)
    if isinstance(running, Known):
        still = "，但仍在运行，重新启动后停止" if running.value else ""
        return Known(running.value, f"服务 {driver.name} 已禁用{still}")
    if isinstance(running, Absent):
        return Unknown(Cause.UNAVAILABLE, "服务状态")
    # On a disk that lies still nothing runs.
    return Known(False, f"服务 {driver.name} 已禁用") if running.cause is Cause.UNSUPPORTED else running


def _guest(host: Host) -> Fact:
    """Whether this machine would use a share of another without signing in there."""
    keys = Keys(host)
    build, edition = keys.number(_VERSION, "CurrentBuild"), keys.text(_VERSION, "EditionID")
    written = [(key, keys.dword(key, "AllowInsecureGuestAuth")) for key in (_POLICY, _CLIENT)]
    if keys.gaps:
        return Unknown(keys.gaps[0].cause, keys.gaps[0].detail, keys.gaps[0].origin)
    key, value = next(((k, v) for k, v in written if v is not None), ("", None))
    if value:
        return Known(True, f"{key} 的 AllowInsecureGuestAuth = {value}")
    if build is None:
        return Unknown(Cause.UNAVAILABLE, "系统版本", _VERSION)
    if build < _TEN:
        return Unknown(Cause.UNCONFIRMED, "Windows 10 以前的系统不认这一设置，默认行为未经核实，请升级系统", _VERSION)
    if value == 0:
        return Known(False, f"{key} 的 AllowInsecureGuestAuth = 0")
    return _default(build, edition)


def _default(build: int, edition: str) -> Fact:
    """What Windows 10 and later do without the setting."""
    if not edition:
        return Unknown(Cause.UNAVAILABLE, "系统版本", _VERSION)
    origin = f"没有设置 AllowInsecureGuestAuth，{edition}（{build}）的默认值"
    name = edition.lower()
    if build >= _1709 and name.startswith(_CAREFUL):
        return Known(False, origin)
    if build >= _24H2:
        if name.startswith("professional"):
            return Known(False, origin)
        return Unknown(Cause.UNCONFIRMED, f"{origin}未经核实，请明确设置为 0", _VERSION)
    return Known(True, origin)
