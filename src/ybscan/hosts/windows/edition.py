"""Which Windows a registry belongs to, and its name for people.

Sources: "Windows 10/11 release information" and "Windows Server release information" (builds), "GetProductInfo" and the
values below ``CurrentVersion`` as Windows itself writes them. ``ProductName`` is not used: Windows 11 calls itself
Windows 10 there.
"""

from __future__ import annotations

import re

from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.groups.system import Identity, WindowsEdition
from ybscan.model.reading import Cause, Known, Reading, Unknown

VERSION_KEY = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_NAME_KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_NETBIOS_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"

#: From this build on the client is Windows 11.
WINDOWS_11 = 22000
_CLIENTS = ((22000, "Windows 11"), (10240, "Windows 10"), (9600, "Windows 8.1"), (9200, "Windows 8"), (7600, "Windows 7"),
            (6000, "Windows Vista"), (2600, "Windows XP"))  # fmt: skip
_SERVERS = {
    6001: "2008", 6002: "2008", 6003: "2008", 7600: "2008 R2", 7601: "2008 R2", 9200: "2012", 9600: "2012 R2",
    14393: "2016", 17763: "2019", 20348: "2022", 26100: "2025",
}  # fmt: skip
_EDITIONS = {
    "core": "家庭版", "coren": "家庭版 N", "coresinglelanguage": "家庭单语言版", "corecountryspecific": "家庭中文版",
    "professional": "专业版", "professionaln": "专业版 N", "professionaleducation": "专业教育版",
    "professionalworkstation": "专业工作站版", "professionalcountryspecific": "专业中文版",
    "enterprise": "企业版", "enterprisen": "企业版 N", "enterpriseg": "企业版 G（政府版）", "enterprisegn": "企业版 G（政府版）",
    "enterprises": "企业版", "enterprisesn": "企业版 N", "iotenterprise": "IoT 企业版", "iotenterprises": "IoT 企业版",
    "education": "教育版", "educationn": "教育版 N", "serverrdsh": "企业多会话版",
    "ultimate": "旗舰版", "ultimaten": "旗舰版 N", "homepremium": "家庭高级版", "homebasic": "家庭普通版",
    "starter": "简易版", "embedded": "嵌入版", "embeddedindustry": "嵌入式工业版",
    "serverstandard": "标准版", "serverdatacenter": "数据中心版", "serverenterprise": "企业版", "serveressentials": "基础版",
    "serversolution": "基础版", "serverweb": "Web 版", "serverazurestackhcicor": "Azure Stack HCI",
}  # fmt: skip
#: Long-term servicing releases go by year, not by half-year.
_LONG_TERM = {10240: "LTSB 2015", 14393: "LTSB 2016", 17763: "LTSC 2019", 19044: "LTSC 2021", 26100: "LTSC 2024"}
_LONG_TERM_EDITIONS = ("enterprises", "iotenterprises", "enterprisesn")
#: Of the releases before ``DisplayVersion`` and those in which ``ReleaseId`` stood still.
_RELEASES = {
    10240: "1507", 10586: "1511", 14393: "1607", 15063: "1703", 16299: "1709", 17134: "1803", 17763: "1809", 18362: "1903",
    18363: "1909", 19041: "2004", 19042: "20H2", 19043: "21H1", 19044: "21H2", 19045: "22H2", 22000: "21H2", 22621: "22H2",
    22631: "23H2", 26100: "24H2", 26200: "25H2",
}  # fmt: skip


def edition_of(registry: Registry, build: int | None = None) -> Reading[WindowsEdition]:
    """Build and edition as the registry has them. ``build`` is what a running system says of itself.

    Unknown when the key cannot be read or gives no build.
    """
    read = registry.values(key=VERSION_KEY)
    if not isinstance(read, Known):
        return read if isinstance(read, Unknown) else Unknown(Cause.MALFORMED, "没有 Windows 版本信息", VERSION_KEY)
    values = {n.lower(): v for n, v in read.value.items()}
    if build is None:
        written = values.get("currentbuildnumber") or values.get("currentbuild")
        if not isinstance(written, str) or not re.fullmatch(r"[1-9]\d{2,5}", written):
            return Unknown(Cause.MALFORMED, "没有 Windows 内部版本号", VERSION_KEY)
        build = int(written)
    ubr = values.get("ubr")
    edition = _text(values.get("editionid"))
    installation = _text(values.get("installationtype"))
    release = _text(values.get("displayversion"))
    pack = _text(values.get("csdversion"))
    return Known(
        WindowsEdition(
            build=build,
            revision=ubr if isinstance(ubr, int) else 0,
            edition=edition,
            installation=installation,
            product=product_name(build, edition, installation, release, pack),
        ),
        VERSION_KEY,
    )


def product_name(build: int, edition: str, installation: str = "", release: str = "", pack: str = "") -> str:
    """Such as ``Windows 11 专业版 23H2`` or ``Windows 7 旗舰版 SP1``."""
    known = edition.lower().removesuffix("eval")
    words = [_system(build, edition, installation)]
    if edition:
        words.append(_EDITIONS.get(known, edition) + (" 评估版" if edition.lower().endswith("eval") else ""))
    if known in _LONG_TERM_EDITIONS:
        words.append(_LONG_TERM.get(build, "LTSC"))
    elif build >= 10240 and not _is_server(edition, installation):
        words.append(release or _RELEASES.get(build, ""))
    if (number := re.search(r"(\d+)\s*$", pack)) and build < 9200:
        words.append(f"SP{number[1]}")
    return " ".join(w for w in words if w)


def identity_of(registry: Registry, edition: WindowsEdition, *, arch: str, hostname: str = "") -> Identity:
    """Names of the terminal. ``hostname`` is what a running system says, else the registry's."""
    if not hostname:
        for key, name in ((_NAME_KEY, "Hostname"), (_NAME_KEY, "NV Hostname"), (_NETBIOS_KEY, "ComputerName")):
            found = registry.value(key=key, name=name)
            if isinstance(found, Known) and isinstance(found.value, str) and found.value:
                hostname = found.value
                break
    version = f"{edition.build}.{edition.revision}" if edition.revision else str(edition.build)
    return Identity(
        hostname=hostname,
        os_id=f"windows-{edition.build}",
        os_name=f"{edition.product}（内部版本 {version}）",
        kernel=version,
        arch=arch,
    )


def _system(build: int, edition: str, installation: str) -> str:
    if _is_server(edition, installation):
        year = _SERVERS.get(build)
        return f"Windows Server {year}" if year else "Windows Server"
    return next((name for least, name in _CLIENTS if build >= least), "Windows")


def _is_server(edition: str, installation: str) -> bool:
    # Windows 7 has no InstallationType on some media; "Server Core" is a server as well. ServerRdsh is the multi-session
    # edition of the client.
    if installation:
        return installation.lower().startswith("server")
    return edition.lower().startswith("server") and edition.lower() != "serverrdsh"


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
