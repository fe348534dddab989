"""Windows disks made of real hives and a written SOFTWARE, laid out as Windows lays them out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hives.shared import real
from tests.hives.writer import hive, sealed

CONFIG = "Windows/System32/config"
NFURY = "S-1-5-21-2036804247-3058324640-2116585241-1114"
TONY = "S-1-5-21-2734969515-1644526556-1039763013-1001"
_VERSION = r"Microsoft\Windows NT\CurrentVersion"
_PROFILES = _VERSION + r"\ProfileList"
_UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"

WINDOWS_7 = {
    _VERSION: {
        "CurrentBuildNumber": "7601", "CurrentBuild": "7601", "EditionID": "Ultimate", "InstallationType": "Client", "CSDVersion": "Service Pack 1",
        "SystemRoot": r"C:\Windows", "ProductName": "Windows 7 Ultimate",
    },
    _PROFILES: {}, rf"{_PROFILES}\S-1-5-18": {"ProfileImagePath": (2, "%systemroot%\\system32\\config\\systemprofile\0".encode("utf-16-le"))},
    rf"{_PROFILES}\{NFURY}": {"ProfileImagePath": r"C:\Users\nfury"},
    _UNINSTALL: {}, rf"{_UNINSTALL}\医保结算": {"DisplayName": "医保结算客户端", "DisplayVersion": "3.2", "Publisher": "示例公司"},
    r"Microsoft\Windows\CurrentVersion\Policies\Explorer": {"NoDriveTypeAutoRun": 145},
    r"Microsoft\Windows\CurrentVersion\WINEVT\Channels\Microsoft-Windows-Kernel-PnP/Configuration": {"Enabled": 1},
    r"Microsoft\Windows\CurrentVersion\WINEVT\Channels\Microsoft-Windows-Quiet/Operational": {"Enabled": 0},
}  # fmt: skip
WINDOWS_10 = {
    _VERSION: {
        "CurrentBuildNumber": "16299", "CurrentBuild": "16299", "EditionID": "Professional", "InstallationType": "Client", "UBR": 334,
        "SystemRoot": r"C:\Windows", "ReleaseId": "1709",
    },
    rf"{_PROFILES}\{TONY}": {"ProfileImagePath": r"%SystemDrive%\Users\tony"},
    _UNINSTALL: {}, rf"{_UNINSTALL}\WPS": {"DisplayName": "WPS Office 办公软件", "DisplayVersion": "11.1"},
    rf"Wow6432Node\{_UNINSTALL}": {}, rf"Wow6432Node\{_UNINSTALL}\QQ": {"DisplayName": "腾讯QQ", "Publisher": "腾讯公司"},
    r"Microsoft\Windows\CurrentVersion\WINEVT\Channels": {},
}  # fmt: skip


def put(root: Path, path: str, data: bytes) -> Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def windows_7(root: Path, software: Mapping[str, Mapping[str, Any]] = WINDOWS_7) -> Path:
    """The machine of 2012: 32 bits, in a domain, a stick in its history, remote desktop open; accounts of another one."""
    put(root, f"{CONFIG}/SYSTEM", real("rp_SYSTEM"))
    put(root, f"{CONFIG}/SAM", real("pl_SAM"))
    put(root, f"{CONFIG}/SOFTWARE", hive(software))
    put(root, "Users/nfury/NTUSER.DAT", real("pl_NTUSER-WIN7.DAT"))
    put(root, "Windows/System32/winevt/Logs/System.evtx", real("pl_System.evtx"))
    return root


def windows_10(root: Path, software: Mapping[str, Mapping[str, Any]] = WINDOWS_10) -> Path:
    """The machine of 2018: 64 bits, two sticks, a hive that was not written to its end, with its logs."""
    put(root, f"{CONFIG}/SYSTEM", real("rp_SYSTEM_B"))
    put(root, f"{CONFIG}/SYSTEM.LOG1", real("rp_SYSTEM_B.LOG1"))
    put(root, f"{CONFIG}/SYSTEM.LOG2", real("rp_SYSTEM_B.LOG2"))
    put(root, f"{CONFIG}/SOFTWARE", hive(software))
    # It was copied from a running machine without its logs; here it stands for one that was written to its end.
    put(root, "Users/tony/NTUSER.DAT", sealed(real("rp_NTUSER_BAGMRU"), secondary=29989))
    put(root, "Windows/System32/winevt/Logs/Security.evtx", real("ob_new-user-security.evtx"))
    return root
