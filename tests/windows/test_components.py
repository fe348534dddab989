"""COM and WMI: what answers, what refuses, what never returns. Wine refuses much of it, which is as good as Windows would."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from ybscan.hosts.base import Host
from ybscan.hosts.windows.codes import NotReadError
from ybscan.hosts.windows.live.com import com_asked, component
from ybscan.hosts.windows.live.dll import asked, function
from ybscan.hosts.windows.live.wmi import rows
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

assert sys.platform == "win32"

CIM = r"root\cimv2"


def queried(namespace: str, query: str, *names: str) -> Reading[list[dict[str, object]]]:
    return com_asked(lambda: Known(rows(namespace, query, names)), "WMI")


def test_a_query_gives_rows() -> None:
    found = queried(CIM, "SELECT * FROM Win32_OperatingSystem", "BuildNumber", "Version")
    assert isinstance(found, Known)
    (row,) = found.value
    assert isinstance(row["BuildNumber"], str)
    assert row["BuildNumber"].isdigit()
    assert str(row["Version"]).count(".") == 2


def test_a_property_that_a_class_lacks_is_none() -> None:
    found = queried(CIM, "SELECT * FROM Win32_OperatingSystem", "没有的属性")
    assert isinstance(found, Known)
    assert found.value == [{"没有的属性": None}]


@pytest.mark.parametrize(
    ("namespace", "query", "code"),
    [
        (r"root\没有的命名空间", "SELECT * FROM X", "0x8004100E"),
        (CIM, "SELECT * FROM NoSuchClass", "0x80041010"),
        (CIM, "SELECT FROM WHERE", "0x80041017"),
    ],
)
def test_what_wmi_refuses_is_unknown(namespace: str, query: str, code: str) -> None:
    found = queried(namespace, query, "X")
    assert not isinstance(found, Absent)
    if isinstance(found, Known):  # a class that Wine does not know is an empty list to it
        pytest.skip("this WMI gives an empty list for a class that there is not")
    assert code in found.detail


def test_a_class_that_is_not_registered() -> None:
    for name in ("No.Such.Class", "{00000000-1111-2222-3333-444444444444}"):
        found = com_asked(lambda name=name: Known(component(name, name)), name)  # type: ignore[misc]
        assert isinstance(found, Unknown)
        assert found.cause is Cause.UNAVAILABLE
        assert "0x8" in found.detail


def test_a_component_that_never_answers() -> None:
    over = threading.Event()

    def work() -> Reading[int]:
        component("WbemScripting.SWbemLocator", "WMI")
        over.wait(60)
        return Known(1)

    began = time.monotonic()
    found = com_asked(work, "WMI", 1.5)
    over.set()
    assert isinstance(found, Unknown)
    assert found.cause is Cause.TIMEOUT
    assert time.monotonic() - began < 30


def test_a_component_that_breaks() -> None:
    def work() -> Reading[int]:
        raise RuntimeError("组件出错")

    found = com_asked(work, "WMI")
    assert isinstance(found, Unknown)
    assert found.cause is Cause.PROBE_ERROR


def test_questions_in_many_threads() -> None:
    answers: list[object] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(queried(CIM, "SELECT * FROM Win32_OperatingSystem", "BuildNumber"))
        )
        for _ in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert [type(a) for a in answers] == [Known] * 4


def test_a_library_or_function_that_there_is_not() -> None:
    for library, name in (("kernel32", "NoSuchFunction"), ("nosuchlibrary", "F")):
        with pytest.raises(NotReadError) as caught:
            function(library, name, None)
        assert caught.value.reading.cause is Cause.UNSUPPORTED
    assert isinstance(asked(lambda: Known(function("kernel32", "NoSuch", None)), "x"), Unknown)


def test_no_question_passes_over_what_is_missing(host: Host) -> None:
    """Where the system has no such service, nothing is said to be absent, empty or off."""
    questions = {
        "online": host.network.online, "sharing": host.network.sharing, "firewall": host.network.firewall,
        "products": host.security.products, "licence": host.security.licence, "restore": host.security.restore_points,
    }  # fmt: skip
    for name, question in questions.items():
        found = question()
        assert not isinstance(found, Absent), name
        if isinstance(found, Known):
            assert found.value != () or name == "restore", name
        else:
            assert found.detail, name


def test_nothing_is_generated_on_disk(host: Host) -> None:
    host.network.online()
    host.jobs.tasks()
    assert "comtypes.client" not in sys.modules
    assert "comtypes.gen" not in sys.modules
