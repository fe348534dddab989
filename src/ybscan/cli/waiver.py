"""``ybscan waiver``: approved exceptions. The file stays the unit's own; the history notes who changed it when."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ybscan.cli import console
from ybscan.cli.history import JsonOption, _checked_format
from ybscan.cli.options import NowOption, RulesOption, SiteOption
from ybscan.cli.state import StateOption

if TYPE_CHECKING:
    from ybscan.model.rule import Waiver

FileOption = Annotated[
    Path | None,
    typer.Option("--file", help="例外文件；不写时用 site.yml 的 waivers。", metavar="文件", show_default=False),
]
#: Exceptions that end within so many days are pointed out.
SOON_DAYS = 14


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group

    app = group("例外：登记、查看和撤销经批准的例外。例外期间该项仍列在报告中，到期自动恢复为不符合。")
    app.command("add", cls=ZhCommand)(add)
    app.command("list", cls=ZhCommand)(list_)
    app.command("revoke", cls=ZhCommand)(revoke)
    return app


def _where(given: Path | None, site: Path | None) -> Path:
    """The waiver file.

    Raises:
        InputProblems: neither the option nor the site file names one.
    """
    from ybscan.cli.prepare import site_path
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.load import read_document

    if given is not None:
        return given
    found = site_path(site)
    if found is not None:
        from ybscan.model.site import Site

        # Only the site file itself: a waiver file that is not there yet is what we are about to write.
        document, _ = read_document(Site, found)
        if document.waivers:
            return found.parent / document.waivers
    raise InputProblems(
        [Problem("--file", 0, "单位配置没有写例外文件", "在 site.yml 中写 waivers: waivers.yml，或用 --file 指定")]
    )


def add(
    rule: Annotated[str, typer.Argument(help="检查项编号，例如 USB-01。", metavar="检查项")],
    terminal: Annotated[
        list[str], typer.Option("--terminal", "-t", help="终端编号，可重复；* 表示全部。", metavar="编号")
    ],
    reason: Annotated[str, typer.Option("--reason", help="理由。", metavar="文字")],
    approver: Annotated[str, typer.Option("--approver", help="批准人。", metavar="姓名")],
    document: Annotated[str, typer.Option("--document", help="批准的文号。", metavar="文号")],
    expires: Annotated[str, typer.Option("--expires", help="到期日（含），例如 2026-12-31。", metavar="日期")],
    approved: Annotated[
        str | None,
        typer.Option("--approved", help="批准日；不写时为今天。", metavar="日期", show_default=False),
    ] = None,
    file: FileOption = None,
    site: SiteOption = None,
    rules: RulesOption = None,
    state: StateOption = None,
    now: NowOption = None,
) -> int:
    """登记一个例外。"""
    from ybscan.model.problem import InputProblems, Problem, did_you_mean
    from ybscan.probes.registry import builtin
    from ybscan.rules.load import load_packs
    from ybscan.rules.locate import data_folder
    from ybscan.rules.waivers import added

    path = _where(file, site)
    today = _today(now)
    known = [r.id for p in load_packs(data_folder("rules", rules), builtin()) for r in p.rules]
    if rule.upper() not in known:
        raise InputProblems([Problem("检查项", 0, f"没有规则“{rule}”", did_you_mean(rule.upper(), known))])
    waiver = _waiver(
        rule=rule.upper(), terminals=tuple(dict.fromkeys(terminal)), reason=reason, approver=approver, document=document,
        approved=approved or today.isoformat(), expires=expires,
    )  # fmt: skip
    if waiver.expires < today:
        raise InputProblems([Problem("--expires", 0, f"到期日 {waiver.expires} 已过", "请核对日期")])
    _change(path, lambda text: added(text, waiver))
    _noted(state, site, "add", waiver, today)
    console.say(f"已登记例外：{_line(waiver, today)}")
    console.say(f"写入 {path}。到期后 {waiver.rule} 自动恢复为“不符合”。")
    return console.OK


def list_(
    file: FileOption = None,
    site: SiteOption = None,
    format: JsonOption = "text",
    now: NowOption = None,
) -> int:
    """列出例外：有效的、即将到期的、已到期和已撤销的。"""
    from ybscan.rules.site import load_waivers

    _checked_format(format)
    today = _today(now)
    waivers = load_waivers(_where(file, site))
    if format == "json":
        document = [
            {**w.model_dump(mode="json"), "holds": w.holds(today), "number": n} for n, w in enumerate(waivers, 1)
        ]
        console.emit_json(document)
        return console.OK
    for number, waiver in enumerate(waivers, 1):
        console.emit(f"{number}  {_line(waiver, today)}\n")
    valid = [w for w in waivers if w.holds(today)]
    console.say(f"共 {len(waivers)} 个例外，有效 {len(valid)} 个。")
    return console.OK


def _line(waiver: Waiver, today: date) -> str:
    return (
        f"{waiver.rule}  终端 {'、'.join(waiver.terminals)}  {_standing(waiver, today)}  {waiver.approved} 至 {waiver.expires}"
        f"  {waiver.approver}（{waiver.document}）  {waiver.reason}"
    )


def _standing(waiver: Waiver, today: date) -> str:
    if waiver.revoked is not None and waiver.revoked <= today:
        return f"已撤销（{waiver.revoked}）"
    if today > waiver.expires:
        return "已到期"
    if today < waiver.approved:
        return "尚未生效"
    left = (waiver.expires - today).days
    return f"有效，还有 {left} 天到期" if left <= SOON_DAYS else "有效"


def revoke(
    number: Annotated[int, typer.Argument(help="序号，见 ybscan waiver list。", metavar="序号")],
    by: Annotated[str, typer.Option("--by", help="撤销人和原因。", metavar="文字")],
    file: FileOption = None,
    site: SiteOption = None,
    state: StateOption = None,
    now: NowOption = None,
) -> int:
    """撤销一个例外，即日起不再有效。记录保留在文件中。"""
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.site import load_waivers
    from ybscan.rules.waivers import revoked

    path = _where(file, site)
    today = _today(now)
    waivers = load_waivers(path)
    if not 1 <= number <= len(waivers):
        raise InputProblems([Problem("序号", 0, f"没有第 {number} 个例外", f"共 {len(waivers)} 个")])
    chosen = waivers[number - 1]
    if chosen.revoked is not None:
        raise InputProblems([Problem("序号", 0, f"第 {number} 个例外已于 {chosen.revoked} 撤销", "不需要再撤销")])
    if not by.strip():
        raise InputProblems([Problem("--by", 0, "没有写撤销人和原因", "例如 --by 王主任：已更换设备")])
    _change(path, lambda text: revoked(text, number - 1, today, by.strip()))
    after = load_waivers(path)[number - 1]
    _noted(state, site, "revoke", after, today)
    console.say(f"已撤销：{_line(after, today)}")
    return console.OK


def _today(now: str | None) -> date:
    from ybscan.cli.prepare import moment

    return (moment(now) or datetime.now().astimezone()).date()


def _waiver(**fields: Any) -> Waiver:
    """Raises: InputProblems: with every value that cannot be."""
    from pydantic import ValidationError

    from ybscan.model.problem import InputProblems, Problem
    from ybscan.model.rule import Waiver

    try:
        waiver = Waiver.model_validate(fields)
    except ValidationError as e:
        say = {"approved": "批准日不是日期", "expires": "到期日不是日期"}
        raise InputProblems(
            [
                Problem(f"--{x['loc'][0]}", 0, say.get(str(x["loc"][0]), "没有填写"), "日期写成 2026-12-31")
                for x in e.errors()
            ]
        ) from None
    if waiver.expires < waiver.approved:
        raise InputProblems(
            [Problem("--expires", 0, f"到期日 {waiver.expires} 早于批准日 {waiver.approved}", "请核对日期")]
        )
    return waiver


def _change(path: Path, change: Any) -> None:
    """Change the file as a whole or not at all.

    Raises:
        InputProblems: it cannot be read, is malformed, or is written so that it can only be changed by hand.
    """
    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.site import load_waivers
    from ybscan.rules.waivers import NotEditable

    text = ""
    if path.exists():
        load_waivers(path)  # every problem of the file, before anything is changed
        text = path.read_bytes().decode("utf-8-sig")
    try:
        made = change(text)
    except NotEditable:
        raise InputProblems(
            [
                Problem(
                    str(path),
                    0,
                    "例外文件不是逐行书写的，不能自动修改",
                    "请用文本编辑器修改，再用 ybscan waiver list 核对",
                )
            ]
        ) from None
    prepared_folder(path.parent)
    write_all(path.parent, {path.name: made.encode("utf-8")})


def _noted(state: Path | None, site: Path | None, action: str, waiver: Waiver, today: date) -> None:
    """Note the change in the history; without a history that can be written the file alone tells."""
    from ybscan.cli.history import _folder
    from ybscan.model.problem import InputProblems
    from ybscan.store.history import opened

    now = datetime.now().astimezone()
    document = {
        "schema": "ybscan.waiver-event/v1", "action": action, "day": today.isoformat(),
        "waiver": waiver.model_dump(mode="json"),
    }  # fmt: skip
    terminal = waiver.terminals[0] if len(waiver.terminals) == 1 and waiver.terminals[0] != "*" else ""
    try:
        with opened(_folder(state, site), create=True) as history:
            history.append("waiver", lambda _: document, terminal=terminal, at=now, now=now)
    except InputProblems as e:
        console.say(f"这一变动没有记入历史：{'；'.join(str(p) for p in e.problems)}")
