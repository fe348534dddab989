"""``ybscan init``: ask what only the unit knows and write a commented ``site.yml``.

What is found on the terminal is offered, never taken for approved: a gateway in use is not an approved gateway until a
person says so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ybscan.cli import console

T = TypeVar("T")

_KINDS = {"1": ("hospital", "医院", "我院"), "2": ("clinic", "诊所", "我所"), "3": ("pharmacy", "药店", "我店"),
          "4": ("agency", "医保经办机构", "我局"), "5": ("company", "公司", "我公司")}  # fmt: skip
_ROLES = {"1": ("settlement", "医保结算终端"), "2": ("office", "办公终端"), "3": ("internet", "互联网终端")}


def init(
    output: Annotated[Path, typer.Option("--output", "-o", help="要写的配置文件。", metavar="文件")] = Path("site.yml"),
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的配置文件。")] = False,
) -> int:
    """逐项询问，生成带说明的单位配置文件 site.yml。"""
    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.site import load_site

    if output.exists() and not force:
        raise InputProblems([Problem(str(output), 0, "文件已存在", "确需重写请加 --force，或用 -o 另写一个文件")])
    folder = prepared_folder(output.parent)
    console.say("下面逐项询问本单位的情况。直接回车表示“暂不填写”，相关检查将显示“无法判定”，以后可在文件中补填。\n")
    text = _document()
    write_all(folder, {output.name: text.encode("utf-8")})
    load_site(output)
    console.say(f"\n已写入 {output}。请核对后运行：ybscan scan --site {output}")
    return console.OK


def _ask(question: str, check: Callable[[str], str] = lambda _: "") -> str:
    """One answer; asked again while ``check`` names a problem."""
    while True:
        answer: str = typer.prompt(question, default="", show_default=False, err=True).strip()
        why = check(answer) if answer else ""
        if not why:
            return answer
        console.say(f"  {why}，请重新输入。")


def _ask_list(question: str, check: Callable[[str], str] = lambda _: "") -> list[str]:
    def every(answer: str) -> str:
        return next((why for part in _parts(answer) if (why := check(part))), "")

    return _parts(_ask(f"{question}（多个用逗号分隔）", every))


def _parts(answer: str) -> list[str]:
    return [p.strip() for p in answer.replace("，", ",").replace("、", ",").split(",") if p.strip()]


def _choose(question: str, options: dict[str, T], shown: Callable[[T], str]) -> T | None:
    console.say(question)
    for key, option in options.items():
        console.say(f"  {key}  {shown(option)}")
    answer = _ask("请输入序号", lambda a: "" if a in options else f"没有序号“{a}”")
    return options[answer] if answer else None


def _confirmed(found: list[str], what: str) -> list[str]:
    """Those of the found values that the person confirms, one by one."""
    return [v for v in found if typer.confirm(f"检测到{what} {v}，是否为批准的{what}？", default=False, err=True)]


def _document() -> str:
    kind = _choose("单位类型：", _KINDS, lambda k: k[1])
    unit = _ask("单位全称")
    terminal = _ask("本终端编号（资产号，例如 YB-0001）")
    department = _ask("所在科室")
    owner = _ask("责任人")
    role = _choose("本终端用途：", _ROLES, lambda r: r[1])
    gateways, networks, dns = _network()
    data = _ask_list("业务数据所在文件夹，例如 /srv/his", _absolute)
    backups = _ask_list("备份所在文件夹，例如 /backup/his", _absolute)
    software = _ask_list("允许安装的软件，可用 * 通配，例如 wps-office")
    lines = [
        "# ybscan 单位配置。没有填写的项目，相关检查显示“无法判定（未配置）”。修改后可用 ybscan doctor 核对。",
        "schema: ybscan.site/v1", "",
        "# 单位名称、类型（hospital clinic pharmacy agency company）和报告中的自称",
    ]  # fmt: skip
    if unit and kind:
        lines.append(f"unit: {{ name: {_quoted(unit)}, kind: {kind[0]}, self: {kind[2]} }}")
    else:
        lines.append("# unit: { name: 示例市人民医院, kind: hospital, self: 我院 }")
    lines += ["", "# 本终端：编号、科室、用途（settlement 结算 office 办公 internet 互联网）、责任人"]
    if terminal:
        parts = [f"id: {_quoted(terminal)}", f"role: {role[0] if role else 'settlement'}"]
        parts += [f"{k}: {_quoted(v)}" for k, v in (("department", department), ("owner", owner)) if v]
        lines.append(f"terminal: {{ {', '.join(parts)} }}")
    else:
        lines.append("# terminal: { id: YB-0001, role: settlement, department: 收费处, owner: 张三 }")
    lines += [
        "",
        "# 批准的网关、网段和 DNS 服务器",
        "network:",
        *_list("gateways", gateways),
        *_list("networks", networks),
        *_list("dns", dns),
    ]
    if not (gateways or networks or dns):
        lines[lines.index("network:")] = "# network:"
    lines += ["", "# 允许安装的软件（包名或名称，可用 * 通配）"]
    lines += ["software:", *_list("allowed", software)] if software else ["# software:", "#   allowed: [wps-office]"]
    lines += ["", "# 业务数据和备份：位置、文件名、种类；max_age 为最长间隔"]
    if data or backups:
        lines += ["backup:", "  max_age: 24h", *_list("data", data)]
        lines += (
            [
                "  locations:",
                *(f'    - {{ path: {_quoted(b)}, pattern: "*", kind: full, min_bytes: 1 }}' for b in backups),
            ]
            if backups
            else []
        )
    else:
        lines += [
            "# backup:",
            "#   data: [/srv/his]",
            "#   locations:",
            '#     - { path: /backup/his, pattern: "*.bak", kind: full }',
        ]
    lines += [
        "",
        "# 互联网主动探测默认关闭；开启前须有书面批准，探测本身会产生外联流量",
        "egress: { active: false }",
        "",
    ]
    return "\n".join(lines)


def _network() -> tuple[list[str], list[str], list[str]]:
    """Approved gateways, networks and name servers: found ones confirmed, others asked for."""
    found_gateways, found_networks, found_dns = _found()
    gateways = _confirmed(found_gateways, "网关") or _ask_list("批准的网关地址", _address)
    networks = _confirmed(found_networks, "网段") or _ask_list("批准的网段，例如 10.20.0.0/16", _network_text)
    dns = _confirmed(found_dns, "DNS 服务器") or _ask_list("批准的 DNS 服务器地址", _address)
    return gateways, networks, dns


def _found() -> tuple[list[str], list[str], list[str]]:
    """Gateways, networks and name servers in use now; empty where nothing could be read."""
    import ipaddress

    from ybscan.cli.prepare import live_host
    from ybscan.model.problem import InputProblems
    from ybscan.model.reading import Known

    try:
        host = live_host()
    except InputProblems:
        return [], [], []
    routes, interfaces = host.network.routes(), host.network.interfaces()
    gateways = (
        [r.gateway for r in routes.value if r.gateway and r.destination in ("0.0.0.0/0", "::/0")]
        if isinstance(routes, Known)
        else []
    )
    networks: list[str] = []
    for interface in interfaces.value if isinstance(interfaces, Known) else ():
        for a in interface.addresses:
            address = ipaddress.ip_interface(f"{a.address.split('%')[0]}/{a.prefix}")
            if interface.kind != "loopback" and not address.is_link_local:
                networks.append(str(address.network))
    resolv = host.files.text(path="/etc/resolv.conf")
    words = [line.split() for line in resolv.value.splitlines()] if isinstance(resolv, Known) else []
    dns = [w[1] for w in words if len(w) > 1 and w[0] == "nameserver" and not w[1].startswith("127.")]
    return list(dict.fromkeys(gateways)), list(dict.fromkeys(networks)), list(dict.fromkeys(dns))


def _address(text: str) -> str:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return f"“{text}”不是 IP 地址"
    return ""


def _network_text(text: str) -> str:
    from ipaddress import ip_network

    try:
        ip_network(text, strict=False)
    except ValueError:
        return f"“{text}”不是网段"
    return ""


def _absolute(text: str) -> str:
    return "" if text.startswith("/") or text[1:3] == ":\\" or text.startswith("\\\\") else f"“{text}”应为完整路径"


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar, which JSON strings are."""
    import json

    return json.dumps(text, ensure_ascii=False)


def _list(key: str, values: list[str]) -> list[str]:
    return [f"  {key}: [{', '.join(map(_quoted, values))}]"] if values else []
