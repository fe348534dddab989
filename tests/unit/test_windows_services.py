"""Services and drivers out of a registry, whoever read it."""

from __future__ import annotations

from typing import Any

import pytest

from ybscan.hosts.groups.registry import RegistryValue
from ybscan.hosts.windows.keys import parts
from ybscan.hosts.windows.services import SERVICES_KEY, configured, program_of
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Cause, Known, Unknown


def registry(services: dict[str, dict[str, RegistryValue]], refused: dict[str, Unknown] | None = None) -> TreeRegistry:
    root = Key("")
    root.make(parts(SERVICES_KEY))
    for name, values in services.items():
        root.make(parts(f"{SERVICES_KEY}\\{name}")).values.update(values)
    return TreeRegistry(root, covered=("HKLM",), origin="test", refused=refused)


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (r"%SystemRoot%\System32\svchost.exe -k netsvcs -p", r"%SystemRoot%\System32\svchost.exe"),
        (r'"C:\Program Files\医保 客户端\svc.exe" /start 8080', r"C:\Program Files\医保 客户端\svc.exe"),
        (r"C:\Program Files\医保 客户端\svc.exe --port 1", r"C:\Program Files\医保 客户端\svc.exe"),
        (r"C:\Program Files\old.exe.d\run.EXE", r"C:\Program Files\old.exe.d\run.EXE"),
        (r"C:\tools\agent -service", r"C:\tools\agent"),
        (r"C:\Program Files\tool\agent /service", r"C:\Program Files\tool\agent"),
        (r'"C:\broken', r"C:\broken"),
        (r"\??\C:\Windows\x.sys", r"\??\C:\Windows\x.sys"),
        ("   ", ""),
        ("", ""),
    ],
)
def test_program_without_arguments(command: str, program: str) -> None:
    assert program_of(command) == program


def test_what_a_key_says() -> None:
    r = registry(
        {
            "Spooler": {
                "Type": 0x110, "Start": 2, "DisplayName": "@%systemroot%\\system32\\spoolsv.exe,-1",
                "ImagePath": r"%SystemRoot%\System32\spoolsv.exe", "ObjectName": "LocalSystem", "DelayedAutostart": 1,
            },
            "TermService": {"Type": 0x20, "Start": 3, "ImagePath": r"%SystemRoot%\System32\svchost.exe -k NetworkService"},
            "TermService\\Parameters": {"ServiceDll": r"%SystemRoot%\System32\termsrv.dll"},
            "TermService\\TriggerInfo": {},
            "USBSTOR": {"Type": 1, "Start": 4, "ImagePath": r"\SystemRoot\System32\drivers\USBSTOR.SYS", "DisplayName": "大容量"},
            ".NET CLR Data": {},
        }
    )  # fmt: skip
    found = configured(r)
    assert isinstance(found, Known)
    assert not found.gaps
    spooler, term, usb = found.value
    assert (spooler.display, spooler.start, spooler.kind, spooler.delayed) == ("", "auto", "service", True)
    assert (term.dll, term.triggered) == (r"%SystemRoot%\System32\termsrv.dll", True)
    assert (usb.display, usb.start, usb.kind, usb.image) == (
        "大容量", "disabled", "driver", r"\SystemRoot\System32\drivers\USBSTOR.SYS",
    )  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"Type": 16},
        {"Type": 16, "Start": 9},
        {"Type": 16, "Start": "2"},
        {"Type": b"\x10", "Start": 2},
        {"Type": 0, "Start": 2},
    ],
)
def test_what_makes_no_sense_is_a_gap_and_never_a_service(values: dict[str, Any]) -> None:
    found = configured(registry({"X": values}))
    assert isinstance(found, Known)
    assert found.value == ()
    assert [g.cause for g in found.gaps] == [Cause.MALFORMED]


def test_a_key_that_is_denied_is_a_gap() -> None:
    denied = {f"{SERVICES_KEY}\\X": Unknown(Cause.DENIED, "X", "X")}
    found = configured(registry({"X": {"Type": 16, "Start": 2}, "Y": {"Type": 16, "Start": 2}}, denied))
    assert isinstance(found, Known)
    assert [s.name for s in found.value] == ["Y"]
    assert [g.cause for g in found.gaps] == [Cause.DENIED]


def test_a_registry_without_services_is_unknown() -> None:
    assert isinstance(configured(TreeRegistry(Key(""), covered=("HKLM",), origin="test")), Unknown)


def test_a_key_without_any_service_was_not_read() -> None:
    found = configured(registry({"只有设置": {"x": 1}}))
    assert isinstance(found, Unknown)
    assert found.cause is Cause.MALFORMED
