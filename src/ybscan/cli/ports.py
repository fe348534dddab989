"""``ybscan ports``: a port scan on request, to cross-check what the terminal says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ybscan.cli import console

if TYPE_CHECKING:
    from ybscan.hosts.portscan import Compared, SeenPort
    from ybscan.model.reading import Reading

#: All ports of this host are quickly tried; for others nmap's usual thousand unless told otherwise.
_ALL = "1-65535"
_OWN = ("127.0.0.1", "::1")


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group

    made = group("端口扫描：按要求用 nmap 扫描，与本机监听记录核对。")

    @made.callback()
    def top() -> None:
        pass

    made.command("scan", cls=ZhCommand)(scan)
    return made


def scan(
    hosts: Annotated[
        list[str] | None, typer.Argument(help="要扫描的 IP 地址或主机名；不写则扫描本机并与监听记录核对。", metavar="主机")
    ] = None,
    ports: Annotated[
        str, typer.Option("--ports", "-p", help="端口，例如 22,80,8000-8100；不写时本机扫描全部，其他主机扫描常用端口。", metavar="端口")
    ] = "",
    udp: Annotated[bool, typer.Option("--udp", help="同时扫描 UDP 端口（需要 root，较慢）。")] = False,
    seconds: Annotated[int, typer.Option("--seconds", min=5, max=86400, help="最长用时，秒。", metavar="秒")] = 600,
    format: Annotated[str, typer.Option("--format", "-f", help="text 或 json。", metavar="格式")] = "text",
) -> int:  # fmt: skip
    """用 nmap 扫描端口。会发出数据包：只扫描您指定的、获准扫描的主机；不写主机时只扫描本机。"""
    from ybscan.hosts.portscan import HIDDEN, UNCLEAR, compared, scan_ports, wrong_hosts, wrong_ports
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.model.reading import Known

    targets = tuple(dict.fromkeys(hosts or ()))
    problems = [Problem("主机", 0, p) for p in wrong_hosts(targets)]
    problems += [Problem("--ports", 0, p) for p in (wrong_ports(ports) if ports else [])]
    if format not in ("text", "json"):
        problems.append(Problem("--format", 0, f"没有格式“{format}”", "可用：text、json"))
    if problems:
        raise InputProblems(problems)
    wanted = ports or ("" if targets else _ALL)
    scanned = targets or _own()
    console.say(f"正在扫描：{'、'.join(scanned)}（只发出普通连接请求）……")
    seen = scan_ports(hosts=scanned, ports=wanted, udp=udp, seconds=seconds)
    if not isinstance(seen, Known):
        console.say(f"没有扫描结果：{seen.text if hasattr(seen, 'text') else '无'}")
        return console.UNDETERMINED
    if targets:
        _print_seen(seen.value, format)
        console.say(f"共 {len(seen.value)} 个端口应答。")
        return console.OK
    table = _table()
    rows = compared(seen.value, table, scanned=wanted)
    _print_compared(rows, format)
    hidden = [r for r in rows if r.result == HIDDEN]
    if hidden:
        console.say(f"{len(hidden)} 个端口有应答，但不在本机监听记录中，请查明由什么程序打开。")
        return console.FAILED
    if any(r.result == UNCLEAR for r in rows) or not isinstance(table, Known):
        console.say("部分端口无法与本机监听记录核对。")
        return console.UNDETERMINED
    console.say("有应答的端口均在本机监听记录中。")
    return console.OK


def _own() -> tuple[str, ...]:
    """This host's loopback addresses, those of families it has."""
    import socket

    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) if socket.has_ipv6 else socket.socket() as probe:
        try:
            probe.bind((_OWN[1], 0))
        except (OSError, TypeError):
            return _OWN[:1]
    return _OWN


def _table() -> Reading[Any]:
    from ybscan.cli import prepare

    return prepare.source(root=None, evidence=None, now=None).host.sockets.table()


def _print_seen(seen: tuple[SeenPort, ...], format: str) -> None:
    if format == "json":
        _json(
            [{"host": s.host, "proto": s.proto, "port": s.port, "state": s.state, "service": s.service} for s in seen]
        )
        return
    _rich(("主机", "协议", "端口", "状态", "服务"), [(s.host, s.proto, str(s.port), s.state, s.service) for s in seen])


def _print_compared(rows: tuple[Compared, ...], format: str) -> None:
    if format == "json":
        _json([
            {"host": r.seen.host, "proto": r.seen.proto, "port": r.seen.port, "state": r.seen.state,
             "service": r.seen.service, "program": r.program, "result": r.result} for r in rows
        ])  # fmt: skip
        return
    shown = [
        (r.seen.host, r.seen.proto, str(r.seen.port), r.seen.state, r.seen.service, r.program, r.result) for r in rows
    ]
    _rich(("主机", "协议", "端口", "状态", "服务", "程序", "核对"), shown)


def _json(document: Any) -> None:
    console.emit_json(document)


def _rich(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(*headings)
    for row in rows:
        table.add_row(*(console.clean(cell) for cell in row))
    console.rich_console(stderr=False).print(table)


def __getattr__(name: str) -> Any:
    """``app``, made when asked for: the command group for whoever includes it."""
    if name == "app":
        return build()
    raise AttributeError(name)
