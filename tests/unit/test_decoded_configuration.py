"""Text of configuration files as the programs that read them see it: bytes, no marks, no blanks beyond ASCII."""

from __future__ import annotations

import pytest

from ybscan.hosts.linux.files import decoded
from ybscan.model.reading import Cause, Known, Unknown


@pytest.mark.parametrize(
    "path", ["/etc/modprobe.d/usb.conf", "/etc/pam.d/login", "/etc/login.defs", "/usr/lib/sysctl.d/1.conf"]
)
def test_a_byte_order_mark_makes_such_a_file_malformed(path: str) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        found = decoded("first line\n".encode(encoding), path)
        assert isinstance(found, Unknown)
        assert found.cause is Cause.MALFORMED


def test_elsewhere_a_mark_is_dropped() -> None:
    found = decoded("{}".encode("utf-8-sig"), "/etc/opt/chrome/policies/managed/a.json")
    assert isinstance(found, Known)
    assert found.value == "{}"


@pytest.mark.parametrize("blank", ["\u3000", "\u00a0", "\u2028", "\x1c", "\x85"])
def test_a_blank_that_programs_do_not_know_parts_no_words(blank: str) -> None:
    found = decoded(f"PASS_MAX_DAYS{blank}90\n".encode(), "/etc/login.defs")
    assert isinstance(found, Known)
    assert len(found.value.splitlines()) == 1
    assert len(found.value.split()) == 1
