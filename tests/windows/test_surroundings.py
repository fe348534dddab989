"""What the other Windows tests take for granted."""

from __future__ import annotations

import ctypes
import locale
import os
import socket
import sys

import pytest

from ybscan.hosts.base import Host


def test_it_is_a_windows_python() -> None:
    assert sys.platform == "win32"
    assert sys.getwindowsversion().major >= 6


def test_the_code_page_is_that_of_the_language() -> None:
    wanted = 936 if "zh_CN" in os.environ.get("LC_ALL", "") else 1252
    assert ctypes.windll.kernel32.GetACP() == wanted
    assert locale.getpreferredencoding(False).lower() in ("cp936", "gbk") if wanted == 936 else True


def test_nothing_but_loopback_is_there() -> None:
    if not os.environ.get("YBSCAN_ISOLATED"):
        pytest.skip("not in a network namespace of its own")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, pytest.raises(OSError, match=r".+"):
        s.connect(("192.0.2.1", 9))  # sends nothing; asks for a route


def test_the_host_answers_for_windows(host: Host) -> None:
    assert host.os == "windows"
    assert host.backend == "live"
