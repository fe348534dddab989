"""Windows is told by its build, never by the name it gives itself."""

from __future__ import annotations

import pytest

from ybscan.hosts.groups.registry import RegistryValue
from ybscan.hosts.windows.edition import VERSION_KEY, edition_of, identity_of, product_name
from ybscan.hosts.windows.keys import parts
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.reading import Known, Unknown


def registry(values: dict[str, RegistryValue] | None) -> TreeRegistry:
    root = Key("")
    if values is not None:
        root.make(parts(VERSION_KEY)).values.update(values)
    root.make(parts(r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName")).values["ComputerName"] = (
        "收费-01"
    )
    return TreeRegistry(root, covered=("HKLM",), origin="test")


@pytest.mark.parametrize(
    ("build", "edition", "installation", "release", "pack", "name"),
    [
        (7601, "Ultimate", "Client", "", "Service Pack 1", "Windows 7 旗舰版 SP1"),
        (7600, "Professional", "", "", "", "Windows 7 专业版"),
        (9600, "Core", "Client", "", "", "Windows 8.1 家庭版"),
        (19045, "Professional", "Client", "22H2", "", "Windows 10 专业版 22H2"),
        (19045, "Professional", "Client", "", "", "Windows 10 专业版 22H2"),
        (19044, "EnterpriseS", "Client", "21H2", "", "Windows 10 企业版 LTSC 2021"),
        (14393, "EnterpriseS", "Client", "", "", "Windows 10 企业版 LTSB 2016"),
        (21999, "Core", "Client", "", "", "Windows 10 家庭版"),
        (22000, "Core", "Client", "21H2", "", "Windows 11 家庭版 21H2"),
        (22631, "CoreCountrySpecific", "Client", "23H2", "", "Windows 11 家庭中文版 23H2"),
        (20348, "ServerStandard", "Server", "21H2", "", "Windows Server 2022 标准版"),
        (17763, "ServerStandardEval", "Server Core", "1809", "", "Windows Server 2019 标准版 评估版"),
        (26100, "ServerDatacenter", "", "", "", "Windows Server 2025 数据中心版"),
        (19045, "ServerRdsh", "Client", "22H2", "", "Windows 10 企业多会话版 22H2"),
        (22631, "Neu", "Client", "", "", "Windows 11 Neu 23H2"),
    ],
)
def test_names(build: int, edition: str, installation: str, release: str, pack: str, name: str) -> None:
    assert product_name(build, edition, installation, release, pack) == name


def test_windows_11_that_calls_itself_windows_10() -> None:
    r = registry(
        {"ProductName": "Windows 10 Pro", "CurrentBuildNumber": "22631", "EditionID": "Professional", "UBR": 3007}
    )
    found = edition_of(r)
    assert isinstance(found, Known)
    assert found.value.product == "Windows 11 专业版 23H2"
    assert found.value.revision == 3007
    identity = identity_of(r, found.value, arch="AMD64")
    assert identity.os_id == "windows-22631"
    assert identity.hostname == "收费-01"
    assert identity.os_name == "Windows 11 专业版 23H2（内部版本 22631.3007）"


@pytest.mark.parametrize("build", ["", "x", "0", "99999999", 22631, None])
def test_no_build_no_edition(build: RegistryValue | None) -> None:
    values: dict[str, RegistryValue] = {"EditionID": "Professional"}
    if build is not None:
        values["CurrentBuildNumber"] = build
    assert isinstance(edition_of(registry(values)), Unknown)


def test_without_the_key_it_is_unknown_and_not_absent() -> None:
    assert isinstance(edition_of(registry(None)), Unknown)
