"""What of a Windows file's text leaves a backend."""

from __future__ import annotations

import pytest

from ybscan.hosts.windows.keys import parts
from ybscan.hosts.windows.redact import holds_hashes, text_kept
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Cause, Unknown


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Windows\System32\config\SAM", r"c:\windows\system32\config\sam.LOG1", r"C:\Windows\System32\config\RegBack\SECURITY",
        r"C:\Windows\repair\sam", r"C:\Windows\NTDS\ntds.dit", "C:/Windows/System32/config/SAM",
        r"C:\Users\a\AppData\Roaming\Microsoft\Protect\S-1-5-21\x", r"C:\Windows\System32\config\SAM{53b39e88}.TM.blf",
    ],
)  # fmt: skip
def test_files_of_hashes(path: str) -> None:
    assert holds_hashes(path)


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Windows\System32\config\SYSTEM",
        r"C:\Samples\sam.txt",
        r"C:\Windows\System32\drivers\etc\hosts",
        r"C:\config\samba.conf",
    ],
)
def test_other_files(path: str) -> None:
    assert not holds_hashes(path)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<Password><Value>cGFzcw==</Value></Password>", "<Password>***</Password>"),
        (
            "<AdministratorPassword>\n  <Value>x</Value>\n</AdministratorPassword>",
            "<AdministratorPassword>***</AdministratorPassword>",
        ),
        (
            "<sharedKey><keyMaterial>wifi-pass</keyMaterial></sharedKey>",
            "<sharedKey><keyMaterial>***</keyMaterial></sharedKey>",
        ),
        ('<User cpassword="abc" name="x"/>', '<User cpassword="***" name="x"/>'),
        ("server=10.0.0.1\npassword = a b c\nport=1", "server=10.0.0.1\npassword = ***\nport=1"),
        ("url=http://u:p@host/", "url=http://***@host/"),
        ("MinimumPasswordAge = 0", "MinimumPasswordAge = 0"),
        ("db.passwd: x", "db.passwd: ***"),
        ("<Passwordless/>x", "<Passwordless/>x"),
    ],
)
def test_text_without_secrets(text: str, kept: str) -> None:
    assert text_kept(text) == kept


@pytest.mark.parametrize(
    "key", [r"HKLM\SAM", r"hkey_local_machine\sam\SAM", r"HKLM\\SECURITY\Policy", r"HKEY_LOCAL_MACHINE\SECURITY"]
)
def test_hives_of_secrets_are_closed_by_whatever_name(key: str) -> None:
    root = Key("")
    root.make(parts(key))
    found = TreeRegistry(root, covered=("HKLM",), origin="test").subkeys(key=key)
    assert isinstance(found, Unknown)
    assert found.cause is Cause.NOT_PERMITTED
