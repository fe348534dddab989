"""The registry in memory: views, what it does not cover, what it withholds, and the people it lists."""

from __future__ import annotations

import pytest

from ybscan.engine.cases import CaseDocument, case_registry
from ybscan.hosts.groups.registry import WITHHELD
from ybscan.hosts.windows.keys import in_view, parts
from ybscan.hosts.windows.redact import kept, masked
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Absent, Cause, Known, Unknown

WINLOGON = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"


def tree(registry: dict[str, object], bits: int = 64) -> TreeRegistry:
    return case_registry(
        CaseDocument.model_validate({"description": "x", "os": "windows", "registry": registry, "bits": bits})
    )


def test_views_are_apart_on_64_bit_and_one_on_32_bit() -> None:
    keys: dict[str, object] = {r"HKLM\SOFTWARE\Foo": {"V": 1}, r"HKLM\SOFTWARE\Wow6432Node\Foo": {"V": 2}}
    wide = tree(keys)
    assert wide.value(key=r"HKLM\SOFTWARE\foo", name="v") == Known(1, r"HKLM\SOFTWARE\foo\V")
    assert wide.value(key=r"HKLM\Software\Foo", name="V", view="32") == Known(2, r"HKLM\Software\Foo\V")
    narrow = tree({r"HKLM\SOFTWARE\Foo": {"V": 1}}, bits=32)
    assert narrow.value(key=r"HKLM\SOFTWARE\Foo", name="V", view="32") == Known(1, r"HKLM\SOFTWARE\Foo\V")


@pytest.mark.parametrize(
    "key",
    [r"HKLM\SOFTWARE\Policies\X", r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System", r"HKLM\SYSTEM\X"],
)
def test_shared_keys_have_one_place(key: str) -> None:
    assert in_view(key, "32") == key


def test_what_is_not_covered_is_not_absent() -> None:
    root = Key("")
    root.make(parts(r"HKLM\SOFTWARE\Policies")).values["A"] = 1
    partial = TreeRegistry(root, covered=(r"HKLM\SOFTWARE\Policies",), origin="导出文件")
    assert isinstance(partial.value(key=r"HKLM\SOFTWARE\Policies", name="B"), Absent)
    assert isinstance(partial.subkeys(key=r"HKLM\SOFTWARE\Policies\Nothing"), Absent)
    elsewhere = partial.value(key=r"HKLM\SYSTEM\Select", name="Current")
    assert isinstance(elsewhere, Unknown)
    assert elsewhere.cause is Cause.NOT_RECORDED


def test_refused_keys_refuse_what_lies_below() -> None:
    refusing = tree({r"HKLM\SOFTWARE\Policies": {".unknown": "denied"}, r"HKLM\SOFTWARE\Policies\X": {"A": 1}})
    assert refusing.value(key=r"HKLM\SOFTWARE\Policies\X", name="A") == Unknown(
        Cause.DENIED, "case", r"HKLM\SOFTWARE\Policies"
    )


def test_secrets_are_told_by_presence_alone() -> None:
    secret = tree({WINLOGON: {"DefaultPassword": "geheim", "AutoAdminLogon": "1"}})
    assert secret.value(key=WINLOGON, name="defaultpassword") == Known(WITHHELD, f"{WINLOGON}\\DefaultPassword")
    values = secret.values(key=WINLOGON)
    assert isinstance(values, Known)
    assert values.value == {"DefaultPassword": WITHHELD, "AutoAdminLogon": "1"}
    hashes = tree({r"HKLM\SAM\SAM": {"V": "x"}}).values(key=r"HKLM\SAM\SAM")
    assert isinstance(hashes, Unknown)
    assert hashes.cause is Cause.NOT_PERMITTED


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("DefaultPassword", "", True),
        ("DefaultPassword", "x", False),
        ("Password", b"\x01\x02", False),
        ("ControlPassword", b"\x01", False),
        ("PasswordViewOnly", b"\x01", False),
        ("LimitBlankPasswordUse", 1, True),
        ("DisablePasswordChange", "1", True),
        ("ScreenSaverIsSecure", "1", True),
        ("NtlmMinClientSec", "1", True),
    ],
)
def test_which_names_are_secret(name: str, value: str | int | bytes, stays: bool) -> None:
    assert (kept(r"HKLM\SOFTWARE\X", name, value) == value) is stays


@pytest.mark.parametrize(
    ("command", "secret"),
    [
        (r"C:\x\backup.exe /password:Geheim1 /log", "Geheim1"),
        (r'sqlcmd -U sa -P "Ge heim" -Q x', "Ge heim"),
        ("http://user:Geheim1@proxy:8080", "Geheim1"),
        ("cmd /c set PASSWORD=Geheim1", "Geheim1"),
    ],
)
def test_command_lines_lose_their_passwords(command: str, secret: str) -> None:
    assert secret not in masked(command)


def test_people_are_those_with_profiles() -> None:
    profiles = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
    users = tree(
        {
            rf"{profiles}\S-1-5-18": {"ProfileImagePath": r"%systemroot%\system32\config\systemprofile"},
            rf"{profiles}\S-1-5-21-1-2-3-1001": {"ProfileImagePath": r"C:\Users\张三"},
            rf"{profiles}\S-1-5-21-1-2-3-1002": {"ProfileImagePath": r"C:\Users\lisi"},
            r"HKU\S-1-5-21-1-2-3-1001\Environment": None,
        }
    ).users()
    assert isinstance(users, Known)
    assert [(u.account, u.loaded) for u in users.value] == [("张三", True), ("lisi", False)]
    assert isinstance(tree({}).users(), Unknown)
