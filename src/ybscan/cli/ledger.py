"""``ybscan ledger``: the rectification ledger (整改台账), worked out from the history and moved on by people."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ybscan.cli import console
from ybscan.cli.history import JsonOption, TerminalOption, _checked_format, _folder
from ybscan.cli.options import NowOption, SiteOption
from ybscan.cli.state import StateOption

if TYPE_CHECKING:
    from ybscan.model.ledger import Entry, LedgerEvent
    from ybscan.store.chain import Header
    from ybscan.store.history import History

EXPORTS = ("csv", "xlsx", "json")
EntryArgument = Annotated[
    str, typer.Argument(help="台账编号，见 ybscan ledger list；只写“终端/检查项”时为最近一次。", metavar="编号")
]
ByOption = Annotated[str, typer.Option("--by", help="登记人。", metavar="姓名")]
OwnerOption = Annotated[str, typer.Option("--owner", help="责任人。", metavar="姓名", show_default=False)]
LeaderOption = Annotated[str, typer.Option("--leader", help="责任领导。", metavar="姓名", show_default=False)]
DepartmentOption = Annotated[str, typer.Option("--department", help="承办科室。", metavar="科室", show_default=False)]
DeadlineOption = Annotated[
    str | None, typer.Option("--deadline", help="完成期限，例如 2026-12-31。", metavar="日期", show_default=False)
]
MeasuresOption = Annotated[str, typer.Option("--measures", help="整改措施。", metavar="文字", show_default=False)]
TextOption = Annotated[str, typer.Option("--text", help="说明或原因。", metavar="文字", show_default=False)]


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group

    app = group("整改台账：每个不符合项自动立账，登记责任人和期限，复查符合或凭依据销号。")
    for name, command in (
        ("list", list_), ("open", open_), ("assign", assign), ("extend", extend), ("note", note), ("submit", submit),
        ("close", close), ("reopen", reopen), ("export", export),
    ):  # fmt: skip
        app.command(name, cls=ZhCommand)(command)
    return app


def entries_of(history: History, today: date) -> tuple[Entry, ...]:
    """The ledger of a history."""
    from ybscan.report.excerpt import Excerpts
    from ybscan.store.ledger import SeenCheck, ledger
    from ybscan.store.results import checks, ledger_events

    keep = Excerpts("ledger")
    seen = (SeenCheck(c.header.seq, keep(c.result)) for c in checks(history) if not c.corrected_by)
    return ledger(seen, ledger_events(history), today)


def _today(now: str | None) -> date:
    from ybscan.cli.prepare import moment

    return (moment(now) or datetime.now().astimezone()).date()


def list_(
    terminal: TerminalOption = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="已销号的也列出。")] = False,
    state: StateOption = None,
    site: SiteOption = None,
    now: NowOption = None,
    format: JsonOption = "text",
) -> int:
    """列出台账，逾期的在前。"""
    from ybscan.model.ledger import EntryStatus
    from ybscan.store.history import opened
    from ybscan.store.ledger import in_order

    _checked_format(format)
    today = _today(now)
    with opened(_folder(state, site)) as history:
        found = in_order(entries_of(history, today), today)
    closed = sum(e.status is EntryStatus.CLOSED for e in found)
    overdue = sum(e.overdue(today) for e in found)
    chosen = [e for e in found if (every or e.status is not EntryStatus.CLOSED) and terminal in (None, e.terminal)]
    if format == "json":
        document = [{**e.model_dump(mode="json"), "overdue": e.overdue(today)} for e in chosen]
        console.emit_json(document)
        return console.OK
    for entry in chosen:
        console.emit(_line(entry, today) + "\n")
    console.say(f"未销号 {len(found) - closed} 条（逾期 {overdue} 条），已销号 {closed} 条。")
    return console.OK


def _line(entry: Entry, today: date) -> str:
    late = (today - entry.deadline).days if entry.overdue(today) and entry.deadline else 0
    parts = [entry.id, f"[{entry.severity.text}]", entry.title, entry.status.text]
    parts.append(
        f"发现于 {entry.opened}，共 {entry.checks_failed} 次检查不符合"
        if entry.source == "check"
        else f"登记于 {entry.opened}"
    )
    if entry.owner:
        parts.append(f"责任人 {entry.owner}")
    if entry.deadline:
        parts.append(f"期限 {entry.deadline}" + (f"，已逾期 {late} 天" if late else ""))
    if entry.unchecked:
        parts.append("最近一次检查没有判定")
    if entry.recurrences:
        parts.append(f"第 {entry.recurrences} 次重复出现")
    if entry.closed:
        parts.append(f"{entry.closed} 销号（{entry.basis or f'第 {entry.closed_by} 号检查符合'}）")
    return "  ".join(parts)


def open_(
    title: Annotated[str, typer.Argument(help="问题。", metavar="问题")],
    by: ByOption,
    terminal: Annotated[
        str, typer.Option("--terminal", "-t", help="终端编号或部位。", metavar="编号", show_default=False)
    ] = "",
    source: Annotated[
        str, typer.Option("--source", help="person 人工发现，authority 上级通报。", metavar="来源")
    ] = "person",
    severity: Annotated[
        str, typer.Option("--severity", help="critical、high、medium 或 low。", metavar="等级")
    ] = "medium",
    owner: OwnerOption = "",
    leader: LeaderOption = "",
    department: DepartmentOption = "",
    deadline: DeadlineOption = None,
    measures: MeasuresOption = "",
    text: TextOption = "",
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """登记一个人工发现或上级通报的问题。"""
    return _entered(
        state, site, "open", None, by=by, terminal=terminal, title=title, source=source, severity=severity, owner=owner,
        leader=leader, department=department, deadline=deadline, measures=measures, text=text,
    )  # fmt: skip


def assign(
    entry: EntryArgument,
    by: ByOption,
    owner: OwnerOption = "",
    leader: LeaderOption = "",
    department: DepartmentOption = "",
    deadline: DeadlineOption = None,
    measures: MeasuresOption = "",
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """登记责任人、责任领导、科室、期限和整改措施。"""
    return _entered(
        state, site, "assign", entry, by=by, owner=owner, leader=leader, department=department, deadline=deadline,
        measures=measures,
    )  # fmt: skip


def extend(
    entry: EntryArgument,
    by: ByOption,
    deadline: Annotated[str, typer.Option("--deadline", help="新的期限。", metavar="日期")],
    text: Annotated[str, typer.Option("--text", help="延期的原因。", metavar="文字")],
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """延期：写明新的期限和原因。"""
    return _entered(state, site, "extend", entry, by=by, deadline=deadline, text=text)


def note(
    entry: EntryArgument, by: ByOption, text: TextOption = "", state: StateOption = None, site: SiteOption = None
) -> int:
    """记录整改经过。"""
    return _entered(state, site, "note", entry, by=by, text=text)


def submit(
    entry: EntryArgument, by: ByOption, text: TextOption = "", state: StateOption = None, site: SiteOption = None
) -> int:
    """报告已经整改，等待下次检查复核。"""
    return _entered(state, site, "submit", entry, by=by, text=text)


def close(
    entry: EntryArgument,
    by: ByOption,
    basis: Annotated[str, typer.Option("--basis", help="销号依据：文件编号、台账页码等。", metavar="文字")],
    text: TextOption = "",
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """凭依据人工销号。检查项以后仍不符合时会另立一条。"""
    return _entered(state, site, "close", entry, by=by, basis=basis, text=text)


def reopen(
    entry: EntryArgument,
    by: ByOption,
    text: Annotated[str, typer.Option("--text", help="重开的原因。", metavar="文字")],
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """撤销一次人工销号。"""
    return _entered(state, site, "reopen", entry, by=by, text=text)


def _entered(state: Path | None, site: Path | None, action: str, given: str | None, **fields: Any) -> int:
    """Store one event.

    Raises:
        InputProblems: it makes no sense; nothing was stored then.
    """
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.store.history import opened
    from ybscan.store.ledger import find, refused

    now = datetime.now().astimezone()
    with opened(_folder(state, site), create=action == "open") as history:
        target = find(entries_of(history, now.date()), given) if given is not None else None
        terminal = target.terminal if target is not None else str(fields.get("terminal") or "本单位")
        stored: list[LedgerEvent] = []

        def document(_: Header | None) -> object:
            # Asked again inside the transaction: somebody else may have closed the entry since.
            known = next((e for e in entries_of(history, now.date()) if target is not None and e.id == target.id), None)
            place = target.id if target is not None else f"{terminal}/R{len(history.headers()) + 1}"
            event = _event(action, place, now, **{**fields, "terminal": terminal})
            why = refused(event, known)
            if why:
                raise InputProblems([Problem("整改台账", 0, why, "没有登记")])
            stored.append(event)
            return event.model_dump(mode="json", by_alias=True)

        header = history.append("ledger", document, terminal=terminal, at=now, now=now)
        after = next(e for e in entries_of(history, now.date()) if e.id == stored[0].entry)
    console.say(f"已登记（第 {header.seq} 号记录）：{_line(after, now.date())}")
    return console.OK


def _event(action: str, place: str, now: datetime, **fields: Any) -> LedgerEvent:
    """Raises: InputProblems: a value that cannot be."""
    from pydantic import ValidationError

    from ybscan.model.ledger import LedgerEvent
    from ybscan.model.problem import InputProblems, Problem

    try:
        return LedgerEvent.model_validate(
            {"action": action, "entry": place, "day": now.date().isoformat(), **{k: v for k, v in fields.items() if v}}
        )
    except ValidationError as e:
        names = {
            "deadline": ("期限不是日期", "请写成 2026-12-31"), "severity": ("没有这种等级", "可用：critical、high、medium、low"),
            "source": ("没有这种来源", "可用：person、authority"), "by": ("没有写登记人", "请用 --by"),
        }  # fmt: skip
        where = str(e.errors()[0]["loc"][0])
        message, hint = names.get(where, ("内容不合适", "请核对"))
        raise InputProblems([Problem(f"--{where}", 0, message, hint)]) from None


def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="写到哪个文件：.csv、.xlsx 或 .json。", metavar="文件")
    ],
    state: StateOption = None,
    site: SiteOption = None,
    now: NowOption = None,
) -> int:
    """导出整本台账（CSV 可用 Excel、WPS 打开）。"""
    import json

    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.model.problem import InputProblems, Problem, did_you_mean
    from ybscan.report.ledger_table import HEADINGS, rows
    from ybscan.report.sheets import Sheet, csv_bytes, xlsx_bytes
    from ybscan.store.history import opened
    from ybscan.store.ledger import in_order

    ending = output.suffix.lower().removeprefix(".")
    if ending not in EXPORTS:
        raise InputProblems(
            [
                Problem(
                    "--output", 0, f"没有格式“{ending}”", did_you_mean(ending, EXPORTS) or f"可用：{'、'.join(EXPORTS)}"
                )
            ]
        )
    today = _today(now)
    with opened(_folder(state, site)) as history:
        entries = in_order(entries_of(history, today), today)
    if ending == "json":
        document = [e.model_dump(mode="json") for e in entries]
        data = json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace") + b"\n"
    elif ending == "csv":
        data = csv_bytes(HEADINGS, rows(entries, today))
    else:
        data = xlsx_bytes(Sheet("整改台账", HEADINGS, rows(entries, today)))
    prepared_folder(output.parent)
    write_all(output.parent, {output.name: data})
    console.say(f"已导出 {len(entries)} 条到 {output}")
    return console.OK
