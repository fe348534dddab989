"""The unit's own files: strict, tightening only, exact about dates."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from ybscan.engine.params import resolved, tightened
from ybscan.model.problem import InputProblems
from ybscan.model.rule import Param, Rule
from ybscan.model.site import Site, parse_duration
from ybscan.rules.load import LoadedPack
from ybscan.rules.site import check_against_rules, find_terminal, load_register, load_site, load_waivers

WAIVER = """\
schema: ybscan.waivers/v1
waivers:
  - { rule: PWD-06, terminals: [YB-1], reason: 值班岗位, approver: 李主任, document: 院信3号, approved: 2026-11-01, expires: 2026-11-20 }
"""


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InputProblems) as caught:
        load_site(path)
    return [str(p).replace(str(path.parent) + "/", "") for p in caught.value.problems]


def site(folder: Path, text: str) -> Path:
    path = folder / "site.yml"
    path.write_text("schema: ybscan.site/v1\n" + text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("network: { gateways: [10.20.0.256] }", "site.yml:2 “network.gateways.1”：“10.20.0.256”不是 IP 地址"),
        ("network: { gatways: [10.20.0.1] }", "site.yml:2 不认识的键“gatways”，是不是想写“gateways”？"),
        ("unit: { name: 某院, kind: hospitl }", "是不是想写“hospital”？"),
        ("egress:\n  active: 1", "site.yml:3"),
        ("backup: { max_age: 1 day }", "时长应写成数字加单位"),
        ("ports: { allowed: [ { proto: tcp, port: 70000, reason: x } ] }", "不能大于 65535"),
        ("waivers: none.yml", "none.yml 文件不存在"),
        ("terminals: none.csv", "无法读取终端登记表"),
        ("params: { pwd-06: { a: 1 } }", "site.yml:2"),
    ],
)
def test_bad_site_files(text: str, expected: str, tmp_path: Path) -> None:
    assert any(expected in p for p in problems_of(site(tmp_path, text))), problems_of(site(tmp_path, text))


def test_the_documented_example_loads(tmp_path: Path) -> None:
    (tmp_path / "waivers.yml").write_text(WAIVER, encoding="utf-8")
    loaded = load_site(
        site(
            tmp_path,
            """\
unit: { name: 示例市人民医院, kind: hospital, self: 我院 }
people: { inspector: 张三 }
terminal: { id: YB-0001, department: 收费处, role: settlement, owner: 李四 }
network: { gateways: [10.20.0.1], networks: [10.20.0.0/16], dns: [10.20.0.53], vpn: [], proxies: [], hosts: {}, interfaces_allowed: [] }
egress: { active: false, targets: [] }
reach: []
time: { servers: [10.20.0.1] }
antivirus: { products: [], max_signature_age_days: 7 }
updates: { server: "http://wsus.example:8530", vendor_eol: { kylin-v10: 2030-12-31 } }
logs: { central: false, archive: [] }
data: { programs: [], databases: [] }
usb: { profile: closed, registered: [] }
software: { allowed: [], required: [], extra_forbidden: [] }
accounts: { admins: [], service: [], left: [] }
services: { needed: [] }
ports: { allowed: [ { proto: tcp, port: 22, from: [10.20.0.0/16], reason: 运维 } ] }
backup: { data: [/srv/his], locations: [ { path: /backup/his, pattern: "*.bak", kind: full, min_bytes: 1 } ], jobs: [], max_age: 24h }
delegations: [ { owns: usb, product: 北信源, process: VRVEDP_M.exe } ]
waivers: waivers.yml
""",
        )
    )
    assert loaded.site.unit is not None
    assert loaded.site.unit.name == "示例市人民医院"
    assert loaded.site.network.vpn == ()
    assert loaded.waivers[0].rule == "PWD-06"
    assert len(loaded.sha256) == 64


def test_not_written_and_written_empty_are_told_apart(tmp_path: Path) -> None:
    assert load_site(site(tmp_path, "")).site.network.gateways is None
    assert load_site(site(tmp_path, "network: { gateways: [] }")).site.network.gateways == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("expires: 2026-11-20", "expires: 2026-10-01"), "早于批准日"),
        (("expires: 2026-11-20", "expires: 20261120"), "日期应写成"),
        (("expires: 2026-11-20", "expires: 2026-02-30"), "2026-02-30"),
        (("reason: 值班岗位", 'reason: ""'), "不能为空"),
        (("approver: 李主任, ", ""), "缺少必填项“approver”"),
        (("terminals: [YB-1]", "terminals: []"), "不能为空"),
    ],
)
def test_bad_waivers(change: tuple[str, str], expected: str, tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text(WAIVER.replace(*change), encoding="utf-8")
    with pytest.raises(InputProblems) as caught:
        load_waivers(path)
    assert expected in str(caught.value)
    assert ":3 " in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_register(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "terminals.csv"
    path.write_bytes(
        "id,hostname,mac,department,role\nYB-1,SF-01,00-1A-2B-3C-4D-5E,收费处,settlement\nYB-2,BG-02,,办公室,office\n".encode(
            encoding
        )
    )
    first, second = load_register(path)
    assert (first.department, second.role.value) == ("收费处", "office")
    loaded = load_site(site(tmp_path, "terminals: terminals.csv"))
    by_mac = find_terminal(loaded, "other", ("00:1a:2b:3c:4d:5e",))
    assert by_mac is not None
    assert by_mac.id == "YB-1"
    by_name = find_terminal(loaded, "bg-02", ())
    assert by_name is not None
    assert by_name.id == "YB-2"
    assert find_terminal(loaded, "unknown", ()) is None


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_register_as_units_keep_it(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["终端编号", "计算机名", "MAC 地址", "科室", "用途", "责任人"],
        [1001, "SF-01", "00-1A-2B-3C-4D-5E", "收费处", "医保结算终端", "张三"],
        [None, None, None, None, None, None],
        ["YB-2", "BG-02", None, "办公室", "办公", None],
    ]
    first, second = load_register(workbook(tmp_path / "terminals.xlsx", rows))
    assert (first.id, first.role.value, first.owner) == ("1001", "settlement", "张三")
    assert (second.id, second.role.value, second.mac) == ("YB-2", "office", None)
    loaded = load_site(site(tmp_path, "terminals: terminals.xlsx"))
    assert len(loaded.register) == 2


@pytest.mark.parametrize(
    ("rows", "line", "expected"),
    [
        ([["id", "role"], ["A", "boss"]], 2, "角色“boss”"),
        ([["id"], ["A"], ["A"]], 3, "重复（第 2 行已有）"),
        ([["id"], ["=1+1"]], 2, "公式"),
        ([["name"], ["A"]], 1, "缺少 id 列"),
        ([], 1, "缺少 id 列"),
    ],
)
def test_bad_rows_of_a_workbook(rows: list[list[object]], line: int, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputProblems) as caught:
        load_register(workbook(tmp_path / "terminals.xlsx", rows))
    assert any(expected in p.message and p.line == line for p in caught.value.problems), str(caught.value)


def test_what_is_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "terminals.xlsx").write_bytes(b"id,role\nA,office\n")
    with pytest.raises(InputProblems, match="不是有效的"):
        load_register(tmp_path / "terminals.xlsx")


@pytest.mark.parametrize(
    ("rows", "line", "expected"),
    [
        ("id,host\nA,b\n", 1, "不认识的列“host”"),
        ("hostname\nb\n", 1, "缺少 id 列"),
        ("id,role\nA,boss\n", 2, "角色“boss”"),
        ("id,role\nA,office\n\nA,office\n", 4, "重复（第 2 行已有）"),
        ("id,role\n,office\n", 2, "缺少终端编号"),
        ("id,role\nA,office,x\n", 2, "有 3 列"),
    ],
)
def test_bad_register_rows(rows: str, line: int, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "terminals.csv"
    path.write_text(rows, encoding="utf-8")
    with pytest.raises(InputProblems) as caught:
        load_register(path)
    assert any(expected in p.message and p.line == line for p in caught.value.problems), str(caught.value)


def param(default: object, may: str) -> Param:
    return Param.model_validate({"label": "x", "default": default, "site_may": may})


@pytest.mark.parametrize(
    ("default", "may", "given", "value", "refused"),
    [
        (8, "raise", 10, 10, False),
        (8, "raise", 8, 8, False),
        (8, "raise", 7, 8, True),
        (90, "lower", 60, 60, False),
        (90, "lower", 91, 90, True),
        (5, "never", 5, 5, False),
        (5, "never", 6, 5, True),
        (("a",), "extend", ["b", "a"], ("a", "b"), False),
        (("a",), "replace", ["b"], ("b",), False),
        (("a",), "extend", "b", ("a",), True),
        (("a",), "extend", [1], ("a",), True),
        (8, "raise", "10", 8, True),
        (8, "raise", True, 8, True),
        ("24h", "replace", "12h", "12h", False),
        ("24h", "replace", 12, "24h", True),
    ],
)
def test_a_site_may_only_tighten(default: object, may: str, given: object, value: object, refused: bool) -> None:
    got, why = tightened(param(default, may), given)
    assert got == value
    assert bool(why) == refused


def some_rule(packs: tuple[LoadedPack, ...]) -> Rule:
    return next(
        r
        for p in packs
        for r in p.rules
        if any(m.site_may == "raise" and isinstance(m.default, int) for m in r.params.values())
    )


def test_params_reach_the_conditions_and_loosening_is_refused(packs: tuple[LoadedPack, ...], tmp_path: Path) -> None:
    rule = some_rule(packs)
    name, one = next((n, m) for n, m in rule.params.items() if m.site_may == "raise")
    assert isinstance(one.default, int)
    every = tuple(r for p in packs for r in p.rules)
    strict = load_site(site(tmp_path, f"params: {{ {rule.id}: {{ {name}: {one.default + 1} }} }}"))
    assert not check_against_rules(strict, every, tightened)
    assert resolved(rule, strict.site)[name] == one.default + 1
    loose = load_site(site(tmp_path, f"params:\n  {rule.id}:\n    {name}: {one.default - 1}\n"))
    [problem] = check_against_rules(loose, every, tightened)
    assert problem.line == 4
    assert "只能调高" in problem.message
    assert resolved(rule, loose.site)[name] == one.default


def test_unknown_rules_params_and_areas_in_a_site(packs: tuple[LoadedPack, ...], tmp_path: Path) -> None:
    every = tuple(r for p in packs for r in p.rules)
    text = (
        "params: { PWD-96: { a: 1 }, PWD-06: { nothing: 1 } }\ndelegations: [ { owns: usbb, product: x, process: z } ]"
    )
    found = check_against_rules(load_site(site(tmp_path, text)), every, tightened)
    assert [p.line for p in found] == [2, 2, 3]


@pytest.mark.parametrize(("text", "minutes"), [("90m", 90), ("24h", 1440), ("7d", 10080), ("2w", 20160)])
def test_durations(text: str, minutes: int) -> None:
    assert parse_duration(text).total_seconds() == minutes * 60


def test_an_empty_site_is_all_unset() -> None:
    assert Site().unit is None
    assert Site().egress.active is False
