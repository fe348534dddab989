"""Tasks, event logs and signatures on a running system: what answers, and what is not taken for an empty answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ybscan.hosts.base import Host
from ybscan.hosts.windows.live.jobs import in_folder
from ybscan.model.reading import Absent, Cause, Known, Unknown

assert sys.platform == "win32"

TASK = (
    '<?xml version="1.0" encoding="UTF-16"?><Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">'
    "<Triggers><CalendarTrigger><ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger>"
    "</Triggers><Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals><Actions><Exec>"
    "<Command>D:\\备份\\bak.exe</Command><Arguments>--password=S3cret</Arguments></Exec></Actions></Task>"
)


def test_event_logs_that_cannot_be_read_are_not_empty(host: Host) -> None:
    for channel in ("System", "Security", "没有的日志"):
        found = host.logs.events(channel=channel, ids=(6005,), since=0.0, fields=())
        if isinstance(found, Known):
            assert found.value.oldest is not None or found.value.events == ()
        else:
            assert isinstance(found, (Unknown, Absent))
        if isinstance(found, Absent):
            assert channel == "没有的日志"


def test_text_logs_are_none_of_windows(host: Host) -> None:
    found = host.logs.span(path="/var/log/syslog", limit=1000, seconds=1)
    assert isinstance(found, Unknown)
    assert found.cause is Cause.UNSUPPORTED


def test_a_scheduler_that_does_not_answer_is_no_empty_list(host: Host) -> None:
    found = host.jobs.tasks()
    if isinstance(found, Known):
        assert found.value or found.gaps
    else:
        assert isinstance(found, Unknown)


def test_definitions_on_the_disk(tmp_path: Path) -> None:
    assert isinstance(in_folder(str(tmp_path)), Unknown)
    assert isinstance(in_folder(str(tmp_path / "没有")), Unknown)
    (tmp_path / "医保").mkdir(parents=True)
    (tmp_path / "医保" / "每日备份").write_bytes(b"\xff\xfe" + TASK.encode("utf-16-le"))
    (tmp_path / "坏").write_bytes(b"<Task")
    found = in_folder(str(tmp_path))
    assert isinstance(found, Known)
    (task,) = found.value
    assert task.path == "\\医保\\每日备份"
    assert task.programs == ("D:\\备份\\bak.exe",)
    assert (task.schedule, task.enabled, task.ran, task.last_run) == ("daily", True, False, None)
    assert "S3cret" not in repr(found)
    assert Cause.MALFORMED in {g.cause for g in found.gaps}


def test_a_signed_program(host: Host) -> None:
    found = host.security.signature(path=sys.executable)
    assert isinstance(found, Known)
    assert found.value.signer == "Python Software Foundation"
    assert found.value.valid is not False


def test_a_signed_program_that_was_changed(host: Host, tmp_path: Path) -> None:
    data = bytearray(Path(sys.executable).read_bytes())
    data[0x500] ^= 0xFF
    copy = tmp_path / "改动.exe"
    copy.write_bytes(data)
    found = host.security.signature(path=str(copy))
    assert isinstance(found, Known)
    assert found.value.valid is False


@pytest.mark.parametrize("content", [b"", b"x", b"MZ" + bytes(200), "中文".encode("gbk")])
def test_what_is_not_signed(host: Host, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "未签名.exe"
    path.write_bytes(content)
    found = host.security.signature(path=str(path))
    assert isinstance(found, Known)
    assert found.value.signer == ""
    assert found.value.valid is not True
    assert isinstance(host.security.signature(path=str(tmp_path / "没有.exe")), Absent)
