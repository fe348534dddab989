"""Second factors at the logon of Windows, and what protects its start.

Sources: "Interactive logon: Require Windows Hello for Business or smart card" (ScForceOption); "Credential Providers in
Windows"; GetSystemFirmwareTable for the header before the SMBIOS table that the driver mssmbios keeps in the registry;
SecureBoot\\State is where Windows notes the state it was started in.
"""

from __future__ import annotations

from collections.abc import Callable

from ybscan.hosts.base import Host
from ybscan.model.facts import Fact, FieldValue, Item
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._software.text import shown
from ybscan.probes._windows.values import flag

_POLICY = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
_AUTHENTICATION = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication"
_PROVIDERS = rf"{_AUTHENTICATION}\Credential Providers"
_FILTERS = rf"{_AUTHENTICATION}\Credential Provider Filters"
#: Providers that Windows 7 to 11 bring; each lets its user in by one factor (a card or a key of Hello counts as what
#: ScForceOption demands).
_OWN = frozenset(
    {
        "01a30791-40ae-4653-ab2e-fd210019ae88", "1b283861-754f-4022-ad47-a5eaaa618894",
        "1ee7337f-85ac-45e2-a23c-37c753209769", "2135f72a-90b5-4ed3-a7f1-8bb705ac276a",
        "25cbb996-92ed-457e-b28c-4774084bd562", "27fbdb57-b613-4af2-9d7e-4fa7a66c21ad",
        "3dd6bec0-8193-4ffe-ae25-e08e39ea4063", "48b4e58d-2791-456c-9091-d524c6c706f2",
        "503739d0-4c5e-4cfd-b3ba-d881334f0df2", "600e7adb-da3e-41a4-9225-3c0399e88c0c",
        "60b78e88-ead8-445c-9cfd-0b87f74ea6cd", "6f45dc1e-5384-457a-bc13-2cd81b0d28ed",
        "8841d728-1a76-4682-bb6f-a9ea53b4b3ba", "8af662bf-65a0-4d0a-a540-a338a999d36f",
        "8bf9a910-a8ff-457f-999f-a5ca10b4a885", "8fd7e19c-3bf7-489b-a72c-846ab3678c96",
        "94596c7e-3744-41ce-893e-bbf09122f76a", "ac3ac249-e820-4343-a65b-377ac634dc09",
        "bec09223-b018-416d-a0ac-523971b639f5", "c5d7540a-cd51-453b-b22b-05305ba03f07",
        "c885aa15-1764-4293-b82a-0586add46b35", "cb82ea12-9f71-446d-89e1-8d0924e1256e",
        "d6886603-9d2f-4eb2-b667-1971041fa96b", "ddc0eed2-adbe-40b6-a217-ede16a79a0de",
        "e74e57b0-6c6d-44d5-9cda-fb2df5ed7435", "f8a0b131-5f68-486c-8040-7e8fc3c85bb6",
        "f8a1793b-7873-4046-b2a7-1f318747f427",
    }
)  # fmt: skip
_SMBIOS = r"HKLM\SYSTEM\CurrentControlSet\Services\mssmbios\Data"
_SMBIOS_HEADER = 8
_SECURE_BOOT = r"HKLM\SYSTEM\CurrentControlSet\Control\SecureBoot\State"


def factor_ways(host: Host, elsewhere: Unknown) -> Fact:
    """The one way of logging in at the terminal, with the factors it demands."""
    forced = flag(host, _POLICY, "ScForceOption")
    factors: FieldValue
    gaps: tuple[Gap, ...] = ()
    if isinstance(forced, Known) and forced.value:
        factors = 2  # a card, or a key of Windows Hello, and the PIN that opens it
    elif isinstance(forced, Unknown):
        factors = forced
    else:
        factors = _providers(host)
    way: Item = {"way": "本机登录", "factors": factors, "elsewhere": elsewhere, "path": "ScForceOption 与凭据提供程序"}
    return Known((way,), _POLICY, gaps)


def _providers(host: Host) -> FieldValue:
    """1 where only Windows' own providers are there: the password alone is then enough."""
    strange: list[str] = []
    for key in (_PROVIDERS, _FILTERS):
        listed = host.registry.subkeys(key=key)
        if isinstance(listed, Unknown):
            return listed
        if isinstance(listed, Absent):
            if key == _PROVIDERS:
                return Unknown(Cause.MALFORMED, "没有凭据提供程序列表", key)
            continue
        for name in listed.value:
            if name.strip("{}").lower() in _OWN:
                continue
            title = host.registry.value(key=f"{key}\\{name}", name="")
            plain = title.value if isinstance(title, Known) and isinstance(title.value, str) else ""
            if key == _FILTERS and plain.lower() == "genericfilter":
                continue
            strange.append(shown(plain or name, 60))
    if strange:
        what = f"另有凭据提供程序 {'、'.join(strange[:4])}，登录时要求几种鉴别不能识别"
        return Unknown(Cause.UNCONFIRMED, what, _PROVIDERS)
    return 1


def boot_settings(
    host: Host, security: Callable[[bytes], int | Unknown | None], status: Callable[[int], FieldValue], nothing: str
) -> Fact:
    """Firmware passwords from the SMBIOS table, and Secure Boot. ``security`` and ``status`` read type 24 of the table."""
    items: list[Item] = []
    table = host.registry.value(key=_SMBIOS, name="SMBiosData")
    found: int | Unknown | None
    if isinstance(table, Known) and isinstance(table.value, bytes) and len(table.value) > _SMBIOS_HEADER:
        found = security(table.value[_SMBIOS_HEADER:])
    elif isinstance(table, Unknown):
        found = table
    elif isinstance(table, Known):
        found = Unknown(Cause.MALFORMED, f"{_SMBIOS} 的 SMBiosData", _SMBIOS)
    else:
        found = None
    if found is None:
        found = Unknown(Cause.UNAVAILABLE, nothing, _SMBIOS)
    if isinstance(found, Unknown):
        items.append(_setting("password", "BIOS/UEFI 口令", found, "SMBIOS 第 24 类"))
    else:
        items += [
            _setting("password", name, status(found >> shift & 3), "SMBIOS 第 24 类")
            for name, shift in (("开机口令", 6), ("BIOS 管理员口令", 2))
        ]
    secure = flag(host, _SECURE_BOOT, "UEFISecureBootEnabled")
    # Without the value the machine was started by a legacy BIOS.
    if not isinstance(secure, Absent):
        items.append(
            _setting("secure-boot", "安全启动", secure if isinstance(secure, Unknown) else secure.value, _SECURE_BOOT)
        )
    return Known(tuple(items), "固件信息")


def _setting(kind: str, name: str, enabled: FieldValue, source: str) -> Item:
    return {"kind": kind, "name": name, "enabled": enabled, "source": source}
