"""The firmware's passwords and Secure Boot, as far as the firmware tells.

Sources: DMTF DSP0134 (SMBIOS), structure type 24: two bits each for the power-on, keyboard and administrator password,
0 disabled, 1 enabled, 2 not implemented, 3 unknown; the kernel's sysfs-class-firmware-attributes; the UEFI specification's
global variable SecureBoot, in efivarfs behind four bytes of attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FactSpec, Field, FieldValue, Item, Kind
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.probes.base import Context, Probe

_DMI = "/sys/firmware/dmi/tables/DMI"
_DMI_LIMIT = 64 * 1024
_HARDWARE_SECURITY = 24
_END = 127
_ATTRIBUTES = "/sys/class/firmware-attributes"
_EFI = "/sys/firmware/efi"
_SECURE_BOOT = f"{_EFI}/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_PASSWORDS = (("开机口令", 6), ("BIOS 管理员口令", 2))
_SAYS_NOTHING = "固件没有提供口令状态，请开机进入 BIOS 设置核对，并作人工确认"


class BootProtectionProbe(Probe):
    """What protects the start of the machine."""

    name = "boot_protection"
    title = "开机保护"
    facts = (
        FactSpec(
            "settings", Kind.ITEMS, "开机保护设置",
            help="kind 为 password 的是 BIOS/UEFI 口令，为 secure-boot 的是安全启动。多数机器的固件不报告口令状态。",
            linux="/sys/firmware/dmi/tables/DMI 的第 24 类，/sys/class/firmware-attributes 的 is_enabled，efivars 的 SecureBoot",
            windows="Services\\mssmbios\\Data 的 SMBiosData 第 24 类，SecureBoot\\State 的 UEFISecureBootEnabled",
            fields=(
                Field("kind", Kind.TEXT, "类别"),
                Field("name", Kind.TEXT, "名称"),
                Field("enabled", Kind.BOOLEAN, "已启用"),
                Field("source", Kind.TEXT, "依据"),
            ),
            summary="{name}（已启用：{enabled}，{source}）",
        ),
    )  # fmt: skip

    def read_linux(self, host: Host, context: Context) -> Mapping[str, Fact]:
        items = [*_attributes(host), *_smbios(host)]
        if not items:
            why = Unknown(Cause.UNAVAILABLE, _SAYS_NOTHING, _DMI)
            items.append(_item("password", "BIOS/UEFI 口令", why, _DMI))
        items += _secure_boot(host)
        return {"settings": Known(tuple(items), "固件信息")}

    def read_windows(self, host: Host, context: Context) -> Mapping[str, Fact]:
        from ybscan.probes._windows.logon import boot_settings

        return {"settings": boot_settings(host, hardware_security, _status, _SAYS_NOTHING)}


def _item(kind: str, name: str, enabled: FieldValue, source: str) -> Item:
    return {"kind": kind, "name": name, "enabled": enabled, "source": source}


def _attributes(host: Host) -> Iterator[Item]:
    """Passwords of vendors whose driver tells: thinklmi, dell-wmi-sysman, hp-bioscfg."""
    drivers = host.files.entries(path=_ATTRIBUTES)
    if isinstance(drivers, Unknown):
        yield _item("password", "BIOS/UEFI 口令", drivers, _ATTRIBUTES)
    for driver in drivers.value if isinstance(drivers, Known) else ():
        folder = f"{_ATTRIBUTES}/{driver}/authentication"
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            yield _item("password", "BIOS/UEFI 口令", names, folder)
        for name in names.value if isinstance(names, Known) else ():
            role = host.files.text(path=f"{folder}/{name}/role", limit=4096)
            kind = role.value.strip() if isinstance(role, Known) else ""
            if kind not in ("bios-admin", "power-on", ""):
                continue  # a disk's password and the like
            path = f"{folder}/{name}/is_enabled"
            text = host.files.text(path=path, limit=4096)
            words = {"bios-admin": "BIOS 管理员口令", "power-on": "开机口令"}.get(kind, f"{name} 口令")
            if isinstance(text, Known) and text.value.strip() in ("0", "1") and kind:
                yield _item("password", words, text.value.strip() == "1", path)
            elif isinstance(text, Unknown):
                yield _item("password", words, text, path)
            elif isinstance(text, Known):
                yield _item("password", words, Unknown(Cause.MALFORMED, path, path), path)


def _smbios(host: Host) -> Iterator[Item]:
    table = host.files.head(path=_DMI, size=_DMI_LIMIT)
    if isinstance(table, Absent):
        return
    if isinstance(table, Unknown):
        yield _item("password", "BIOS/UEFI 口令", table, _DMI)
        return
    found = hardware_security(table.value)
    if isinstance(found, Unknown):
        yield _item("password", "BIOS/UEFI 口令", found, _DMI)
    elif found is not None:
        for name, shift in _PASSWORDS:
            yield _item("password", name, _status(found >> shift & 3), "SMBIOS 第 24 类")


def _status(code: int) -> FieldValue:
    if code in (0, 1):
        return code == 1
    return Unknown(Cause.UNAVAILABLE, _SAYS_NOTHING if code == 3 else "主板不支持这种口令或不报告状态")


def hardware_security(data: bytes) -> int | Unknown | None:
    """The settings byte of the table's type 24 structure; None when the firmware has none, Unknown when it is damaged."""
    at = 0
    while at + 4 <= len(data):
        kind, length = data[at], data[at + 1]
        if length < 4:
            return Unknown(Cause.MALFORMED, f"{_DMI} 的结构无法识别", _DMI)
        if kind == _HARDWARE_SECURITY:
            if length < 5 or at + 5 > len(data):
                return Unknown(Cause.MALFORMED, f"{_DMI} 的第 24 类结构不完整", _DMI)
            return data[at + 4]
        if kind == _END:
            return None
        strings = data.find(b"\0\0", at + length)
        if strings < 0:
            break
        at = strings + 2
    return Unknown(Cause.INCOMPLETE, f"{_DMI} 不完整", _DMI)


def _secure_boot(host: Host) -> Iterator[Item]:
    efi = host.files.stat(path=_EFI)
    if isinstance(efi, Absent):
        return  # started by a legacy BIOS, or a platform without UEFI
    value = host.files.head(path=_SECURE_BOOT, size=16)
    enabled: FieldValue
    if isinstance(efi, Unknown):
        enabled = efi
    elif isinstance(value, Known):
        known = len(value.value) >= 5 and value.value[4] in (0, 1)
        enabled = value.value[4] == 1 if known else Unknown(Cause.MALFORMED, _SECURE_BOOT, _SECURE_BOOT)
    else:
        enabled = value if isinstance(value, Unknown) else Unknown(Cause.UNAVAILABLE, "固件没有安全启动变量", _EFI)
    yield _item("secure-boot", "安全启动", enabled, "efivars")


PROBES = (BootProtectionProbe(),)
