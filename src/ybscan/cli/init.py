"""``ybscan init``: ask what only the unit knows and write a commented ``site.yml``.

What is found on the terminal is offered, never taken for approved: a gateway in use is not an approved gateway until a
person says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ybscan.cli import console

if TYPE_CHECKING:
    from ybscan.cli.init_found import Found

T = TypeVar("T")

_KINDS = {"1": ("hospital", "医院", "我院"), "2": ("clinic", "诊所", "我所"), "3": ("pharmacy", "药店", "我店"),
          "4": ("agency", "医保经办机构", "我局"), "5": ("company", "公司", "我公司")}  # fmt: skip
_ROLES = {"1": ("settlement", "医保结算终端"), "2": ("office", "办公终端"), "3": ("internet", "互联网终端")}
_USB = {
    "1": ("closed", "完全封闭，不用任何移动介质"),
    "2": ("registered", "只用登记过的介质"),
    "3": ("read-only", "只许读取，不许写入"),
}


def init(
    output: Annotated[Path, typer.Option("--output", "-o", help="要写的配置文件。", metavar="文件")] = Path("site.yml"),
    terminals: Annotated[
        Path | None,
        typer.Option(
            "--terminals",
            help="导入终端登记表（CSV 或 Excel），复制到配置文件旁边。",
            metavar="文件",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的配置文件。")] = False,
) -> int:
    """逐项询问，生成带说明的单位配置文件 site.yml。"""
    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.site import load_register, load_site

    if output.exists() and not force:
        raise InputProblems([Problem(str(output), 0, "文件已存在", "确需重写请加 --force，或用 -o 另写一个文件")])
    # Every bad row is told before the first question is asked.
    count = len(load_register(terminals)) if terminals is not None else 0
    folder = prepared_folder(output.parent)
    console.say("下面逐项询问本单位的情况。直接回车表示“暂不填写”，相关检查将显示“无法判定”，以后可在文件中补填。")
    name = f"terminals{terminals.suffix.lower()}" if terminals is not None else ""
    text = _document(name)
    if terminals is not None and (folder / name).resolve() != terminals.resolve():
        if (folder / name).exists() and not force:
            raise InputProblems([Problem(str(folder / name), 0, "登记表已存在", "确需覆盖请加 --force")])
        shutil.copyfile(terminals, folder / name)
    write_all(folder, {output.name: text.encode("utf-8")})
    load_site(output)
    if count:
        console.say(f"\n终端登记表共 {count} 台，已复制为 {folder / name}。")
    console.say(f"\n已写入 {output}。请核对后运行：ybscan scan --site {output}")
    return console.OK


def _explain(text: str) -> None:
    console.say(f"\n{text}")


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


def _confirmed(found: tuple[str, ...], what: str) -> list[str]:
    """Those of the found values that the person confirms, one by one."""
    return [v for v in found if typer.confirm(f"检测到{what} {v}，是否为批准的{what}？", default=False, err=True)]


def _document(register: str) -> str:
    found = _found()
    lines = [
        "# ybscan 单位配置。没有填写的项目，相关检查显示“无法判定（未配置）”。修改后可用 ybscan doctor 核对。",
        "schema: ybscan.site/v1",
        *_unit(),
        *_terminal(register),
        *_network(found),
        *_usb(),
        *_software(),
        *_accounts(),
        *_ports(found),
        *_backup(found),
        "",
        "# 互联网主动探测默认关闭；开启前须有书面批准，探测本身会产生外联流量",
        "egress: { active: false }",
        "",
    ]
    return "\n".join(lines)


def _found() -> Found:
    from ybscan.cli.init_found import Found, look
    from ybscan.cli.prepare import live_host
    from ybscan.model.problem import InputProblems

    try:
        return look(live_host())
    except InputProblems:
        return Found()


def _unit() -> list[str]:
    _explain("单位名称和类型印在检查记录和自查报告的题头，类型决定报告中的自称（我院、我店……）。")
    kind = _choose("单位类型：", _KINDS, lambda k: k[1])
    unit = _ask("单位全称")
    lines = ["", "# 单位名称、类型（hospital clinic pharmacy agency company）和报告中的自称"]
    if unit and kind:
        return [*lines, f"unit: {{ name: {_quoted(unit)}, kind: {kind[0]}, self: {kind[2]} }}"]
    return [*lines, "# unit: { name: 示例市人民医院, kind: hospital, self: 我院 }"]


def _terminal(register: str) -> list[str]:
    if register:
        return [
            "",
            "# 终端登记表：本机按 MAC 地址或计算机名在其中查找",
            f"terminals: {_quoted(register)}",
        ]
    _explain("终端编号印在记录上，例外和台账也按它登记。用途决定适用哪些检查：结算终端最严。")
    terminal = _ask("本终端编号（资产号，例如 YB-0001）")
    department = _ask("所在科室")
    owner = _ask("责任人")
    role = _choose("本终端用途：", _ROLES, lambda r: r[1])
    lines = ["", "# 本终端：编号、科室、用途（settlement 结算 office 办公 internet 互联网）、责任人"]
    if not terminal:
        return [*lines, "# terminal: { id: YB-0001, role: settlement, department: 收费处, owner: 张三 }"]
    parts = [f"id: {_quoted(terminal)}", f"role: {role[0] if role else 'settlement'}"]
    parts += [f"{k}: {_quoted(v)}" for k, v in (("department", department), ("owner", owner)) if v]
    return [*lines, f"terminal: {{ {', '.join(parts)} }}"]


def _network(found: Found) -> list[str]:
    """Approved gateways, networks and name servers: found ones confirmed, others asked for."""
    _explain(
        "医保专网的网关、网段和 DNS 服务器。检查时以此判断本机有没有通向互联网的路径；请以网络管理部门的批准为准。"
    )
    gateways = _confirmed(found.gateways, "网关") or _ask_list("批准的网关地址", _address)
    networks = _confirmed(found.networks, "网段") or _ask_list("批准的网段，例如 10.20.0.0/16", _network_text)
    dns = _confirmed(found.dns, "DNS 服务器") or _ask_list("批准的 DNS 服务器地址", _address)
    head = "network:" if gateways or networks or dns else "# network:"
    return [
        "",
        "# 批准的网关、网段和 DNS 服务器",
        head,
        *_list("gateways", gateways),
        *_list("networks", networks),
        *_list("dns", dns),
    ]


def _usb() -> list[str]:
    _explain("移动介质的管理办法。选“只用登记过的介质”的，登记的序列号以后写在 usb.registered 中。")
    profile = _choose("移动介质：", _USB, lambda u: u[1])
    lines = ["", "# 移动介质：closed 完全封闭，registered 只用登记过的，read-only 只许读取"]
    return [*lines, f"usb: {{ profile: {profile[0]} }}" if profile else "# usb: { profile: closed }"]


def _software() -> list[str]:
    _explain("允许安装的软件。写了清单，清单以外的软件就列为问题；不写则这一项无法判定。")
    software = _ask_list("允许安装的软件，可用 * 通配，例如 wps-office")
    lines = ["", "# 允许安装的软件（包名或名称，可用 * 通配）"]
    return [
        *lines,
        *(["software:", *_list("allowed", software)] if software else ["# software:", "#   allowed: [wps-office]"]),
    ]


def _accounts() -> list[str]:
    _explain("可以有管理员权限的账户。其他账户有管理员权限的列为问题。")
    admins = _ask_list("管理员账户，例如 admin")
    lines = ["", "# 可以有管理员权限的账户"]
    return [*lines, *(["accounts:", *_list("admins", admins)] if admins else ["# accounts:", "#   admins: [admin]"])]


def _ports(found: Found) -> list[str]:
    lines = ["", "# 批准开放的端口：协议、端口、允许的来源网段、理由"]
    chosen: list[str] = []
    if found.listeners:
        _explain("下列端口可能被其他计算机访问。只有业务需要并经批准的才选“是”；其余的请关闭，检查时会列出。")
        for proto, port, program in found.listeners:
            who = f"（{program}）" if program else ""
            if typer.confirm(f"检测到监听端口 {port}/{proto}{who}，是否批准开放？", default=False, err=True):
                reason = _ask("  理由") or "业务需要"
                source = _ask_list("  允许的来源网段，不限制请直接回车", _network_text)
                froms = f", from: [{', '.join(map(_quoted, source))}]" if source else ""
                chosen.append(f"    - {{ proto: {proto}, port: {port}{froms}, reason: {_quoted(reason)} }}")
    if chosen:
        return [*lines, "ports:", "  allowed:", *chosen]
    return [*lines, "# ports:", "#   allowed:", "#     - { proto: tcp, port: 22, from: [10.20.0.0/16], reason: 运维 }"]


def _backup(found: Found) -> list[str]:
    _explain("业务数据和备份的位置。检查最新一份备份的时间、大小，以及备份与数据是不是在不同的磁盘上。")
    data = _ask_list("业务数据所在文件夹，例如 /srv/his 或 D:\\HIS", _absolute)
    backups = _confirmed(found.backups, "备份文件夹") or _ask_list(
        "备份所在文件夹，例如 /backup/his 或 E:\\备份", _absolute
    )
    lines = ["", "# 业务数据和备份：位置、文件名、种类；max_age 为最长间隔"]
    if not data and not backups:
        return [
            *lines,
            "# backup:",
            "#   data: [/srv/his]",
            "#   locations:",
            '#     - { path: /backup/his, pattern: "*.bak", kind: full }',
        ]
    places = [f'    - {{ path: {_quoted(b)}, pattern: "*", kind: full, min_bytes: 1 }}' for b in backups]
    return [*lines, "backup:", "  max_age: 24h", *_list("data", data), *(["  locations:", *places] if places else [])]


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
