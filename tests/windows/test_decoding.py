"""What is made of the answers of components that Wine does not have: stand-ins for the objects, the rest is real."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from ybscan.hosts.groups.jobs import Task
from ybscan.hosts.groups.security import Licence, SecurityProduct
from ybscan.hosts.groups.services import Services, ServiceState
from ybscan.hosts.windows.codes import NotReadError, refused
from ybscan.hosts.windows.live.com import ComObject, com_asked
from ybscan.hosts.windows.live.jobs import walk
from ybscan.hosts.windows.live.netpolicy import profiles_of, shared_by
from ybscan.hosts.windows.live.security import licence_of, products_of
from ybscan.hosts.windows.live.signatures import verdict
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

assert sys.platform == "win32"

DENIED = 0x80070005


class StandIn(ComObject):
    """An object whose members are given; a number of error for one that refuses."""

    def __init__(self, items: tuple[ComObject, ...] = (), **members: Any) -> None:
        super().__init__(None, "测试")
        self._items = items
        self._members = members

    def get(self, name: str, *arguments: object) -> Any:
        found = self._members.get(name, 0x80020006)
        if callable(found):
            found = found(*arguments)
        if isinstance(found, int) and found >= 0x80000000:
            raise refused(found, "测试")
        return found

    def each(self) -> Iterator[ComObject]:
        yield from self._items


XML = (
    "<Task><Triggers><BootTrigger/></Triggers><Settings><Hidden>true</Hidden></Settings><Actions><Exec><Command>a.exe</Command>"
    "<Arguments>/p:S3cret</Arguments></Exec></Actions></Task>"
)


def task(path: str, **members: Any) -> StandIn:
    plain: dict[str, Any] = {
        "Path": path, "Xml": XML, "Enabled": True, "LastTaskResult": -2147020576,
        "LastRunTime": datetime(2026, 11, 20, 8, 1, 2), "NextRunTime": datetime(1899, 12, 30),  # noqa: DTZ001 - VT_DATE has no zone
    }  # fmt: skip
    return StandIn(**(plain | members))


def folder(tasks: tuple[ComObject, ...] = (), folders: tuple[ComObject, ...] = (), **members: Any) -> StandIn:
    plain: dict[str, Any] = {"GetTasks": StandIn(tasks), "GetFolders": StandIn(folders)}
    return StandIn(**(plain | members))


def walked(top: ComObject) -> tuple[dict[str, Task], dict[Gap, None]]:
    found: dict[str, Task] = {}
    gaps: dict[Gap, None] = {}
    walk(top, found, gaps, 0)
    return found, gaps


def test_tasks_of_all_folders() -> None:
    never = task("\\从未", LastTaskResult=0x41303, LastRunTime=datetime(1999, 11, 30))  # noqa: DTZ001
    found, gaps = walked(folder((task("\\a"), never), (folder((task("\\医保\\备份", Enabled=False),)),)))
    assert not gaps
    assert set(found) == {"\\a", "\\从未", "\\医保\\备份"}
    one = found["\\a"]
    assert (one.programs, one.schedule, one.hidden, one.enabled, one.ran) == (("a.exe",), "boot", True, True, True)
    assert one.last_run == datetime(2026, 11, 20, 8, 1, 2).timestamp()  # noqa: DTZ001 - local time
    assert (one.last_result, one.next_run) == (0x800710E0, None)
    assert (found["\\从未"].last_run, found["\\从未"].last_result) == (None, 0x41303)
    assert found["\\医保\\备份"].enabled is False
    assert "S3cret" not in repr(found)


@pytest.mark.parametrize(
    ("top", "cause", "names"),
    [
        (folder((task("\\a"),), GetFolders=DENIED), Cause.DENIED, {"\\a"}),
        (folder(GetTasks=DENIED), Cause.DENIED, set()),
        (folder((task("\\a"),), (folder(GetTasks=DENIED),)), Cause.DENIED, {"\\a"}),
        (folder((task("\\a", LastTaskResult=DENIED), task("\\b"))), Cause.DENIED, {"\\b"}),
        (folder((task("\\a", Xml="<Task"), task("\\b"))), Cause.MALFORMED, {"\\b"}),
        (folder((task("\\a", Xml=None), task("\\b"))), Cause.MALFORMED, {"\\b"}),
        (folder((task("\\a", Enabled=None), task("\\b"))), Cause.UNAVAILABLE, {"\\b"}),
        (folder(GetTasks=None), Cause.UNAVAILABLE, set()),
    ],
)
def test_tasks_that_refuse_leave_a_gap(top: ComObject, cause: Cause, names: set[str]) -> None:
    found, gaps = walked(top)
    assert set(found) == names
    assert {g.cause for g in gaps} == {cause}


def test_folders_without_an_end() -> None:
    top = folder()
    top._members["GetFolders"] = StandIn((top,))
    _, gaps = walked(top)
    assert {g.cause for g in gaps} == {Cause.TOO_LARGE}


def policy(**values: int) -> TreeRegistry:
    root = Key("")
    for name, value in values.items():
        profile, _, what = name.partition("_")
        root.make(("HKLM", "SOFTWARE", "Policies", "Microsoft", "WindowsFirewall", profile)).values[what] = value
    return TreeRegistry(root, covered=("HKLM",), origin="测试")


def wall(*, on: bool = True, action: int = 0, types: Any = 1, **members: Any) -> StandIn:
    plain: dict[str, Any] = {
        "CurrentProfileTypes": types, "FirewallEnabled": lambda _: on, "DefaultInboundAction": lambda _: action,
        "BlockAllInboundTraffic": lambda _: False, "ExcludedInterfaces": lambda _: None,
    }  # fmt: skip
    return StandIn(**(plain | members))


def seen(found: Reading[Any]) -> list[tuple[str, bool, bool, str]]:
    assert isinstance(found, Known)
    return [(p.name, p.active, p.enabled, p.inbound) for p in found.value]


def test_firewall_as_set_locally() -> None:
    assert seen(profiles_of(wall(types=6), policy())) == [
        ("domain", False, True, "block"), ("private", True, True, "block"), ("public", True, True, "block"),
    ]  # fmt: skip
    assert {p[2:] for p in seen(profiles_of(wall(on=False), policy()))} == {(False, "block")}
    assert {p[3] for p in seen(profiles_of(wall(action=1), policy()))} == {"allow"}
    shut = wall(action=1, BlockAllInboundTraffic=lambda _: True)
    assert {p[3] for p in seen(profiles_of(shut, policy()))} == {"block"}


def test_policy_wins_over_local_settings() -> None:
    found = seen(profiles_of(wall(), policy(DomainProfile_EnableFirewall=0, PublicProfile_DefaultInboundAction=0)))
    assert found[0][2] is False
    assert found[2][3] == "allow"
    found = seen(profiles_of(wall(on=False, action=1), policy(PrivateProfile_DefaultInboundAction=1)))
    assert [p[2:] for p in found] == [(False, "allow"), (False, "block"), (False, "allow")]


def test_the_one_profile_of_old_templates() -> None:
    found = seen(profiles_of(wall(), policy(StandardProfile_EnableFirewall=0)))
    assert [p[2] for p in found] == [True, False, False]
    both = policy(StandardProfile_EnableFirewall=0, PrivateProfile_EnableFirewall=1)
    assert [p[2] for p in seen(profiles_of(wall(), both))] == [True, True, True]


def test_an_interface_left_out_of_the_firewall_leaves_a_gap() -> None:
    found = profiles_of(wall(ExcludedInterfaces=lambda n: ("以太网",) if n == 4 else None), policy())
    assert isinstance(found, Known)
    assert [g.cause for g in found.gaps] == [Cause.INCOMPLETE]


@pytest.mark.parametrize(
    "broken", ["CurrentProfileTypes", "FirewallEnabled", "DefaultInboundAction", "BlockAllInboundTraffic"]
)
@pytest.mark.parametrize("answer", [None, 0x80004001, "text"])
def test_a_firewall_that_does_not_answer(broken: str, answer: Any) -> None:
    member = answer if broken == "CurrentProfileTypes" else lambda _: answer
    with pytest.raises(NotReadError):
        profiles_of(wall(**{broken: member}), policy())


def test_an_action_that_is_not_known() -> None:
    with pytest.raises(NotReadError):
        profiles_of(wall(action=2), policy())
    with pytest.raises(NotReadError):
        profiles_of(wall(), policy(DomainProfile_DefaultInboundAction=7))


def test_shared_connections() -> None:
    def connection(name: str, enabled: Any, kind: int) -> StandIn:
        settings = StandIn(SharingEnabled=enabled, SharingConnectionType=kind)
        return StandIn(props=StandIn(Name=name), settings=settings)

    connections = (connection("以太网", True, 0), connection("WLAN", True, 1), connection("本地", False, 0))
    refusing = connection("x", DENIED, 0)
    manager = StandIn(
        EnumEveryConnection=StandIn((*connections, refusing)), NetConnectionProps=lambda c: c.child("props"),
        INetSharingConfigurationForINetConnection=lambda c: c.child("settings"),
    )  # fmt: skip
    found = shared_by(manager)
    assert isinstance(found, Known)
    assert [(c.name, c.role, c.enabled) for c in found.value] == [
        ("WLAN", "private", True), ("以太网", "public", True), ("本地", "public", False),
    ]  # fmt: skip
    assert [g.cause for g in found.gaps] == [Cause.DENIED]
    assert isinstance(shared_by(StandIn(EnumEveryConnection=StandIn())), Unknown)


class Stated(Services):
    def __init__(self, state: str) -> None:
        super().__init__()
        self._state = state

    def states(self) -> Reading[tuple[ServiceState, ...]]:
        return Known((ServiceState("wscsvc", self._state, None),))  # type: ignore[arg-type]


def row(name: Any, state: Any, program: Any = r"C:\av.exe") -> dict[str, Any]:
    return {"displayName": name, "productState": state, "pathToSignedProductExe": program}


def test_registered_products() -> None:
    found = products_of(
        {
            "antivirus": ([row("火绒", 0x061100), row("旧", 0x060110), row("怪", 0x067120), row("", 1), row("空", None, None)], {}),
            "antispyware": ([], {}), "firewall": ([row("360", 0x041000)], {"360": (0, 1)}),
        },
        Stated("running"),
    )  # fmt: skip
    assert isinstance(found, Known)
    by_name = {p.name: p for p in found.value}
    assert by_name["火绒"] == SecurityProduct("antivirus", "火绒", True, True, r"C:\av.exe")
    assert (by_name["旧"].enabled, by_name["旧"].updated) == (False, False)
    assert (by_name["怪"].enabled, by_name["怪"].updated) == (None, None)
    assert by_name["空"] == SecurityProduct("antivirus", "空", None, None, "")
    assert by_name["360"].enabled is True
    assert [g.cause for g in found.gaps] == [Cause.MALFORMED]


@pytest.mark.parametrize(
    ("state", "told", "enabled", "updated"),
    [
        (0x061100, (0, 1), True, True), (0x061100, (1, 1), None, True), (0x061100, (0, 0), True, None),
        (0x060110, (1, 0), False, False), (0x067120, (0, 1), True, True), (None, (0, 1), True, True), (0x061100, (9, 9), None, None),
    ],
)  # fmt: skip
def test_two_sources_that_disagree_say_nothing(
    state: int | None, told: tuple[int, int], enabled: bool | None, updated: bool | None
) -> None:
    found = products_of({"antivirus": ([row("火绒", state)], {"火绒": told})}, Stated("running"))
    assert isinstance(found, Known)
    assert (found.value[0].enabled, found.value[0].updated) == (enabled, updated)


def test_no_product_counts_only_while_the_centre_runs() -> None:
    none_registered: Any = {"antivirus": ([], {})}
    empty = products_of(none_registered, Stated("running"))
    assert isinstance(empty, Known)
    assert empty.value == ()
    for services in (Stated("stopped"), Services("不能读取")):
        assert isinstance(products_of(none_registered, services), Unknown)


def test_what_a_stopped_centre_has_registered_tells_no_state() -> None:
    for services in (Stated("stopped"), Services("不能读取")):
        found = products_of({"antivirus": ([row("火绒", 0x061100)], {})}, services)
        assert isinstance(found, Known)
        (one,) = found.value
        assert (one.name, one.enabled, one.updated) == ("火绒", None, None)
        assert found.gaps


def licensed(
    status: Any, description: Any = "Windows(R) Operating System, OEM_DM channel", **more: Any
) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "LicenseStatus": status, "Description": description, "LicenseIsAddon": False,
        "KeyManagementServiceMachine": "kms.example", "DiscoveredKeyManagementServiceMachineName": None,
    }  # fmt: skip
    return plain | more


def test_licences() -> None:
    found = licence_of([licensed(1), licensed(5, LicenseIsAddon=True)])
    assert found == Known(Licence(1, "OEM_DM", ""), "SoftwareLicensingProduct")
    volume = licence_of([licensed(1, "Windows(R) Operating System, VOLUME_KMSCLIENT channel")])
    assert volume == Known(Licence(1, "VOLUME_KMSCLIENT", "kms.example"), "SoftwareLicensingProduct")


@pytest.mark.parametrize(
    "listed", [[], [licensed(None)], [licensed(1), licensed(5)], [licensed(1, LicenseIsAddon=True)]]
)
def test_licences_that_are_not_clear(listed: list[dict[str, Any]]) -> None:
    assert isinstance(com_asked(lambda: licence_of(listed), "licence"), Unknown)


def test_what_trust_answers() -> None:
    assert verdict(0) is True
    assert verdict(0x80096010) is False
    assert verdict(0x800B0109) is None  # a root that is not known here may only not have been delivered
    assert verdict(0x800B010A) is None
    assert verdict(0x80092026) is None
