"""Files made by hand or to harm are refused in Chinese, and a borrowed name inherits no waiver."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli import tree, ybscan

from ybscan.cli.prepare import moment
from ybscan.cli.report import read_result
from ybscan.engine.scan import waived_as
from ybscan.model.problem import InputProblems
from ybscan.model.result import HostInfo, ScanResult
from ybscan.model.site import Site, Terminal
from ybscan.rules.expressions import bad_expression
from ybscan.rules.site import load_register, load_site, no_site


@pytest.mark.parametrize("given", ["0001-01-01", "gestern", "2026-13-01", "99999-01-01"])
def test_a_time_that_cannot_be_is_refused(given: str) -> None:
    with pytest.raises(InputProblems, match="不是时间"):
        moment(given + ("T00:00:00" if given == "0001-01-01" else ""))


@pytest.mark.parametrize("key", ["waivers", "terminals"])
def test_a_nul_in_a_path(key: str, tmp_path: Path) -> None:
    site = tmp_path / "site.yml"
    site.write_text(f'schema: ybscan.site/v1\n{key}: "a\\0b"\n', encoding="utf-8")
    with pytest.raises(InputProblems, match="不能使用的字符"):
        load_site(site)


@pytest.mark.parametrize(
    ("text", "said"),
    [(f"id,role\n{'x' * 5000},settlement\n", "id 的内容过长"), ("id,mac,id\na,,b\n", "“id”列出现了两次")],
)
def test_a_register_that_cannot_be_right(text: str, said: str, tmp_path: Path) -> None:
    register = tmp_path / "t.csv"
    register.write_text(text, encoding="utf-8")
    with pytest.raises(InputProblems, match=said):
        load_register(register)


@pytest.mark.parametrize("text", ["(", "a{99999999999}", "(" * 3000 + ")" * 3000, "微信（"])
def test_expressions_that_cannot_be_compared(text: str) -> None:
    assert bad_expression(text)
    assert not bad_expression("^微信（(企业)?）$")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("result")
    machine = tree(folder / "disk", {"etc/passwd": "root:x:0:0::/root:/bin/bash\n"})
    run = ybscan("scan", "--root", str(machine), "--rule", "PWD-06", "-f", "json", "-o", "-", "-q", cwd=folder)
    document: dict[str, Any] = json.loads(run.stdout)
    return document


def resealed(document: dict[str, Any]) -> str:
    sealed = ScanResult.model_validate(document).compute_digest()
    return json.dumps(document | {"digest": sealed})


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("change", ["counts", "findings", "time", "digits", "depth"])
def test_a_result_edited_by_hand_is_refused(change: str, result: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    if change == "counts":
        text = resealed(result | {"summary": result["summary"] | {"pass": 99}})
    elif change == "findings":
        text = resealed(result | {"findings": []})
    elif change == "time":
        text = resealed(result | {"started_at": "../../x"})
    elif change == "digits":
        text = json.dumps(result).replace('"total": 1', '"total": ' + "9" * 5000)
    else:
        text = json.dumps(result | {"facts": nested(900)})
    path.write_text(json.dumps(result), encoding="utf-8")
    read_result(path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputProblems, match="结果"):
        read_result(path)


@pytest.mark.parametrize("option", ["--root", "--rules", "--site", "--evidence", "--template", "--output"])
def test_a_path_no_system_takes(option: str, tmp_path: Path) -> None:
    machine = tree(tmp_path / "disk", {"etc/passwd": "root:x:0:0::/root:/bin/bash\n"})
    where = [] if option in ("--root", "--evidence") else ["--root", str(machine)]
    run = ybscan("scan", *where, "--rule", "PWD-06", "-f", "md", option, "a" * 5000, "-q", cwd=tmp_path)
    said = run.stderr.decode()
    assert (run.returncode, run.stdout) == (2, b""), said
    assert "内部错误" not in said
    assert "aaa" in said


def host(name: str, *macs: str) -> HostInfo:
    return HostInfo(
        id=name, hostname=name, os="linux", os_version="", arch="", role="settlement", backend="live", elevated=True,
        macs=macs,
    )  # fmt: skip


def test_a_waiver_is_not_inherited_by_name() -> None:
    row = Terminal(id="YB-0001", hostname="sfy1", mac="AA-BB-CC-00-00-01")
    register = replace(no_site(), register=(row,))
    assert waived_as(host("YB-0001", "aa:bb:cc:00:00:01"), row, register) == "YB-0001"
    # Another machine that calls itself by the registered id, or by the registered host name.
    assert waived_as(host("yb-0001", "aa:bb:cc:00:00:02"), None, register) == ""
    assert waived_as(host("YB-0001", "aa:bb:cc:00:00:02"), row, register) == ""
    # No hardware address to compare (a disk that lies still), or the site names the terminal itself.
    assert waived_as(host("YB-0001"), row, register) == "YB-0001"
    assert waived_as(host("X", "aa:bb:cc:00:00:02"), row, replace(no_site(), site=Site(terminal=row))) == "YB-0001"
    assert waived_as(host("PC-7"), None, no_site()) == "PC-7"
