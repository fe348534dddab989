"""``ybscan history``: past checks, what changed between them, and whether the records are as they were stored."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ybscan.cli import console
from ybscan.cli.options import NowOption, SiteOption
from ybscan.cli.state import StateOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ybscan.engine.compare import Comparison
    from ybscan.store.chain import Flaw, Header
    from ybscan.store.history import History
    from ybscan.store.results import Check
    from ybscan.store.signing import PublicKey, Signature

TerminalOption = Annotated[
    str | None,
    typer.Option("--terminal", "-t", help="只看这台终端；不写时为全部。", metavar="编号", show_default=False),
]
JsonOption = Annotated[str, typer.Option("--format", "-f", help="text 文字，json 供程序读取。", metavar="格式")]

_KINDS = {"result": "检查", "correction": "更正", "ledger": "整改", "waiver": "例外", "pruned": "清理"}
_CLOCKS = {"system": "", "recorded": "证据", "given": "指定"}


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group

    app = group("历史记录：查看以往的检查、两次检查的差别，核对记录是否被改动。")
    for name, command in (
        ("list", list_), ("show", show), ("diff", diff), ("verify", verify), ("export", export), ("backup", backup),
        ("prune", prune),
        ("keygen", keygen), ("sign", sign),
    ):  # fmt: skip
        app.command(name, cls=ZhCommand)(command)
    return app


def _folder(state: Path | None, site: Path | None) -> Path:
    """Raises: InputProblems: the site file cannot be used."""
    from ybscan.cli.prepare import site_path
    from ybscan.cli.state import state_folder

    if state is not None:
        return state
    from ybscan.rules.site import load_site

    found = site_path(site)
    return state_folder(None, load_site(found) if found is not None else None, found)


def _checked_format(format: str) -> None:
    """Raises: InputProblems: neither text nor json."""
    from ybscan.model.problem import InputProblems, Problem, did_you_mean

    if format not in ("text", "json"):
        raise InputProblems(
            [
                Problem(
                    "--format", 0, f"没有格式“{format}”", did_you_mean(format, ("text", "json")) or "可用：text、json"
                )
            ]
        )


def list_(
    terminal: TerminalOption = None, state: StateOption = None, site: SiteOption = None, format: JsonOption = "text"
) -> int:
    """列出历史记录：编号、时间、终端、结果；没有检查的星期五和时钟倒退一并列出。"""
    from ybscan.engine.fridays import weeks
    from ybscan.store.chain import clock_back
    from ybscan.store.history import opened
    from ybscan.store.results import checks

    _checked_format(format)
    with opened(_folder(state, site)) as history:
        headers = history.headers()
        found = {c.header.seq: c for c in checks(history, terminal=terminal)}
    chosen = [h for h in headers if terminal is None or h.terminal == terminal]
    days = [datetime.fromisoformat(c.header.at).date() for c in found.values()]
    missed = []
    if days:
        today = datetime.now().astimezone().date()
        missed = [w.friday.isoformat() for w in weeks(days, first=min(days), today=today) if w.missed]
    back = clock_back(headers)
    if format == "json":
        records = [_entry(h, found.get(h.seq)) for h in chosen]
        document = {"records": records, "missed_fridays": missed, "clock_set_back": [b.seq for _, b in back]}
        console.emit_json(document)
        return console.OK
    for header in chosen:
        console.emit(_line(header, found.get(header.seq)) + "\n")
    console.say(f"共 {len(chosen)} 条记录。")
    if missed:
        console.say(
            f"没有检查的星期五 {len(missed)} 个：{'、'.join(missed[-12:])}{'（只列最近 12 个）' if len(missed) > 12 else ''}"
        )
    for earlier, later in back:
        console.say(f"第 {later.seq} 号记录存入时本机时钟早于第 {earlier.seq} 号：时钟在其间被调回过。")
    return console.OK


def _entry(header: Header, check: Check | None) -> dict[str, object]:
    entry: dict[str, object] = {
        "seq": header.seq, "kind": header.kind, "terminal": header.terminal, "at": header.at,
        "stored_at": header.stored_at, "clock": header.clock, "refers": header.refers, "sha256": header.own.sha256,
        "sm3": header.own.sm3,
    }  # fmt: skip
    if check is not None:
        entry["summary"] = check.result.summary.model_dump(mode="json", by_alias=True)
        entry["corrected_by"] = check.corrected_by
    return entry


def _line(header: Header, check: Check | None) -> str:
    parts = [f"{header.seq:>5}", header.at[:16].replace("T", " "), _KINDS[header.kind], header.terminal or "（全部）"]
    if check is not None:
        s = check.result.summary
        parts.append(f"符合 {s.pass_} 不符合 {s.fail} 无法判定 {s.unknown} 等级 {s.grade}")
        if check.corrected_by:
            parts.append(f"（已由第 {check.corrected_by} 号更正）")
    if header.refers:
        parts.append(f"更正第 {header.refers} 号")
    if _CLOCKS[header.clock]:
        parts.append(f"时刻来自{_CLOCKS[header.clock]}")
    return "  ".join(parts)


def show(
    number: Annotated[int, typer.Argument(help="记录的编号，见 ybscan history list。", metavar="编号")],
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """以 JSON 显示一条记录的全文。"""
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.store.history import opened

    with opened(_folder(state, site)) as history:
        record = history.record(number)
        count = len(history.headers())
    if record is None:
        raise InputProblems([Problem("编号", 0, f"没有第 {number} 号记录", f"共 {count} 条，见 ybscan history list")])
    if record.body is None:
        raise InputProblems(
            [Problem("编号", 0, f"第 {number} 号记录的正文已清理或已损坏", "请用 ybscan history verify 核对")]
        )
    console.emit_json(record.document())
    return console.OK


def diff(
    before: Annotated[
        int | None,
        typer.Argument(help="较早一次检查的编号；不写时为上一次。", metavar="[较早编号]", show_default=False),
    ] = None,
    after: Annotated[
        int | None,
        typer.Argument(help="较晚一次检查的编号；不写时为最近一次。", metavar="[较晚编号]", show_default=False),
    ] = None,
    terminal: TerminalOption = None,
    state: StateOption = None,
    site: SiteOption = None,
    format: JsonOption = "text",
) -> int:
    """比较一台终端的两次检查：新增、消除和仍未整改的问题，软件、端口、账户、介质和网络的变化。"""
    from ybscan.engine.compare import compare, statuses_of, streaks
    from ybscan.store.history import opened

    _checked_format(format)
    with opened(_folder(state, site)) as history:
        row = _row(history, before, after, terminal)
    found = compare(row[-2].result, row[-1].result)
    lasting = streaks([statuses_of(c.result) for c in row])
    if format == "json":
        document = {
            "before": row[-2].header.seq,
            "after": row[-1].header.seq,
            "findings": [
                {
                    "rule": c.rule_id, "kind": c.kind, "before": c.before, "after": c.after,
                    "since": lasting[c.rule_id].since.isoformat() if c.rule_id in lasting else None,
                    "weeks": lasting[c.rule_id].weeks if c.rule_id in lasting else None,
                    "recurrences": lasting[c.rule_id].recurrences if c.rule_id in lasting else None,
                }
                for c in found.findings
            ],
            "things": [
                {"label": t.label, "added": t.added, "removed": t.removed, "unsure": t.unsure} for t in found.things
            ],
            "identity": found.identity,
        }  # fmt: skip
        console.emit_json(document)
        return console.OK
    console.emit("\n".join(_told(found, row)) + "\n")
    return console.OK


def _row(history: History, before: int | None, after: int | None, terminal: str | None) -> list[Check]:
    """The checks of one terminal up to ``after``, the last two being those to compare; corrected ones left out.

    Raises:
        InputProblems: they cannot be told, or are of different terminals.
    """
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.report.terminals import same_terminal
    from ybscan.store.results import checks

    # A single number is that of the later check only if nothing else makes sense: it names the earlier one.
    every = {c.header.seq: c for c in checks(history)}
    for number in (before, after):
        if number is not None and number not in every:
            raise InputProblems(
                [Problem("编号", 0, f"第 {number} 号不是检查记录或正文已清理", "见 ybscan history list")]
            )
    usable = [c for c in every.values() if not c.corrected_by or c.header.seq in (before, after)]
    if after is None:
        mine = [c for c in usable if terminal is None or c.header.terminal == terminal]
        if before is not None:
            mine = [c for c in usable if same_terminal(c.result, every[before].result)]
        if terminal is None and before is None and len({c.header.terminal for c in mine}) > 1:
            names = "、".join(sorted({c.header.terminal for c in mine})[:20])
            raise InputProblems([Problem("--terminal", 0, "历史中有多台终端，请指定一台", f"可用：{names}")])
        if not mine:
            raise InputProblems(
                [Problem("--terminal", 0, f"没有终端“{terminal or ''}”的检查记录", "见 ybscan history list")]
            )
        later = max(mine, key=lambda c: (datetime.fromisoformat(c.header.at), c.header.seq))
    else:
        later = every[after]
    row = [c for c in usable if same_terminal(c.result, later.result)]
    row.sort(key=lambda c: (datetime.fromisoformat(c.header.at), c.header.seq))
    row = row[: row.index(later) + 1]
    if before is not None:
        earlier = every[before]
        if earlier is later or not same_terminal(earlier.result, later.result):
            raise InputProblems([Problem("编号", 0, "两个编号不是同一台终端的两次检查", "请核对编号")])
        row = [c for c in row if c is not earlier]
        if datetime.fromisoformat(earlier.header.at) > datetime.fromisoformat(later.header.at):
            raise InputProblems([Problem("编号", 0, "第一个编号的检查晚于第二个", "请交换两个编号")])
        row.insert(len(row) - 1, earlier)
        row = [
            c
            for c in row
            if c in (earlier, later) or datetime.fromisoformat(c.header.at) <= datetime.fromisoformat(earlier.header.at)
        ]
    if len(row) < 2:
        raise InputProblems([Problem("历史", 0, "这台终端只检查过一次，没有可以比较的", "下次检查后再试")])
    return row


def _told(found: Comparison, row: list[Check]) -> Iterable[str]:
    from ybscan.engine.compare import CHANGE_TEXT, statuses_of, streaks

    lasting = streaks([statuses_of(c.result) for c in row])
    yield (
        f"终端 {found.after.host.id}：第 {row[-2].header.seq} 号（{found.before.started_at[:10]}）"
        f"与第 {row[-1].header.seq} 号（{found.after.started_at[:10]}）相比"
    )
    last = ""
    for change in found.findings:
        heading = CHANGE_TEXT[change.kind]
        if heading != last:
            yield f"{heading}："
            last = heading
        was = change.before.text if change.before else "没有检查"
        now = change.after.text if change.after else "没有检查"
        more = ""
        streak = lasting.get(change.rule_id)
        if streak is not None and change.kind in ("unchanged", "undetermined", "new"):
            more = f"，自 {streak.since.isoformat()} 起连续 {streak.checks} 次检查（{streak.weeks} 周）"
            more += f"，第 {streak.recurrences} 次重复出现" if streak.recurrences else ""
        yield f"  {change.rule_id}  {change.title}：{was} → {now}{more}"
    for thing in found.things:
        yield f"{thing.label}："
        yield from (f"  ＋ {name}" for name in thing.added)
        yield from (f"  － {name}" for name in thing.removed)
        if thing.unsure:
            yield f"  （{thing.unsure}）"
    yield from (f"终端标识：{sentence}" for sentence in found.identity)
    if not found.findings and not found.things and not found.identity:
        yield "没有变化，也没有未整改的问题。"


def verify(
    state: StateOption = None,
    site: SiteOption = None,
    folder: Annotated[
        Path | None,
        typer.Option("--export", help="核对 history export 导出的文件夹。", metavar="文件夹", show_default=False),
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option(
            "--digest", help="纸质记录上的摘要值：历史中必须有这一次检查。", metavar="摘要值", show_default=False
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="本单位的公钥：核对签名。", metavar="文件", show_default=False),
    ] = None,
) -> int:
    """核对历史（或导出的文件夹）中有无记录被改动、删除、调换或插入。没有问题以 0 退出，有则以 1 退出。"""
    from ybscan.store.export import exported_digests, exported_signatures, verify_export
    from ybscan.store.history import opened
    from ybscan.store.results import checks
    from ybscan.store.signing import load_public

    present = True
    public = load_public(key) if key is not None else None
    if folder is not None:
        headers, found = verify_export(folder)
        signatures = exported_signatures(folder)
        if digest is not None:
            present = _plain(digest) in map(_plain, exported_digests(folder, headers))
    else:
        with opened(_folder(state, site)) as history:
            found, headers = history.verify(), history.headers()
            signatures = history.signatures()
            if digest is not None:
                present = _plain(digest) in (_plain(c.result.digest) for c in checks(history))
    if public is not None:
        found = [*found, *_signature_flaws(public, headers, signatures)]
    _report_flaws(headers, found)
    if not present:
        where = "导出的文件夹" if folder is not None else "历史"
        console.say(f"{where}中没有摘要值为 {digest} 的检查，或其正文已清理。")
    return console.OK if not found and present else console.FAILED


def _plain(digest: str) -> str:
    return digest.strip().lower().removeprefix("sha256:")


def _signature_flaws(key: PublicKey, headers: list[Header], signatures: list[Signature]) -> list[Flaw]:
    """What the signatures by this key do not bear out. Says how far they reach where they do."""
    from ybscan.store.chain import Flaw
    from ybscan.store.signing import holds

    by_number = {h.seq: h for h in headers}
    mine = [s for s in signatures if s.key == key.name]
    if not mine:
        return [Flaw(0, "没有用这把密钥做的签名")]
    bad = [s.seq for s in mine if s.seq not in by_number or not holds(key, s, by_number[s.seq].own)]
    if bad:
        return [Flaw(n, f"第 {n} 号记录的签名与内容不符") for n in bad]
    rest = len([h for h in headers if h.seq > mine[-1].seq])
    console.say(f"√ 签名有效，覆盖第 1 至 {mine[-1].seq} 号记录" + (f"；其后 {rest} 条尚未签名。" if rest else "。"))
    return []


def keygen(
    output: Annotated[Path, typer.Option("--output", "-o", help="密钥写到哪个文件夹。", metavar="文件夹")],
    algorithm: Annotated[str, typer.Option("--algorithm", help="sm2 或 ed25519。", metavar="算法")] = "sm2",
) -> int:
    """生成一对签名密钥。私钥请由专人保管，不要放在受检终端上。"""
    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.model.problem import InputProblems, Problem, did_you_mean
    from ybscan.store.signing import generate

    names = ("sm2", "ed25519")
    if algorithm not in names:
        hint = did_you_mean(algorithm, names) or "可用：sm2、ed25519"
        raise InputProblems([Problem("--algorithm", 0, f"没有算法“{algorithm}”", hint)])
    private, public = output / "ybscan-private.pem", output / "ybscan-public.pem"
    if private.exists() or public.exists():
        raise InputProblems([Problem(str(output), 0, "其中已有密钥文件", "请换一个文件夹，以免覆盖")])
    secret, shown = generate("sm2" if algorithm == "sm2" else "ed25519")
    folder = prepared_folder(output)
    write_all(folder, {private.name: secret, public.name: shown})
    private.chmod(0o600)
    console.say(f"已写入 {private}（私钥，请妥善保管）和 {public}（公钥，交检查人员核对）。")
    return console.OK


def sign(
    key: Annotated[Path, typer.Option("--key", help="本单位的私钥。", metavar="文件")],
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """用本单位的密钥为到目前为止的全部记录签名。"""
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.store import signing
    from ybscan.store.history import opened

    private = signing.load_private(key)
    with opened(_folder(state, site)) as history:
        if history.verify():
            raise InputProblems([Problem("历史", 0, "历史核对有不符之处，没有签名", "请先运行 ybscan history verify")])
        headers = history.headers()
        if not headers:
            raise InputProblems([Problem("历史", 0, "历史中没有记录", "请先运行 ybscan scan")])
        history.add_signature(signing.sign(private, headers[-1].seq, headers[-1].own))
    console.say(f"已签名，覆盖第 1 至 {headers[-1].seq} 号记录。核对：ybscan history verify --key 公钥文件")
    return console.OK


def _report_flaws(headers: list[Header], found: list[Flaw]) -> None:
    for flaw in found:
        console.say(f"× {flaw.message}")
    if found:
        console.say(f"共 {len(headers)} 条记录，{len(found)} 处不符。请保留现场，并与纸质记录和备份核对。")
        return
    if not headers:
        console.say("历史中没有记录。")
        return
    console.say(f"√ 共 {len(headers)} 条记录，逐条核对无误。末号 {headers[-1].seq}：")
    console.say(f"  SM3     {headers[-1].own.sm3}")
    console.say(f"  SHA-256 {headers[-1].own.sha256}")
    console.say("摘要值只用于发现改动，不是可靠的电子签名；请与纸质记录上的摘要值核对。")


def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="导出到哪个文件夹（须不存在或为空）。", metavar="文件夹")
    ],
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """导出全部记录，供检查人员在没有本程序数据库的情况下核对。"""
    from ybscan.cli.output import prepared_folder, write_all
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.store.export import INDEX, RECORDS, export_files
    from ybscan.store.history import opened

    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputProblems([Problem(str(output), 0, "文件夹不是空的", "请指定一个新的文件夹")])
    with opened(_folder(state, site)) as history:
        flaws = history.verify()
        prepared_folder(output)
        prepared_folder(output / RECORDS)
        count = 0
        for name, data in export_files(history):
            # One by one, so that years of records do not have to fit into memory; the index comes last.
            write_all(output if name == INDEX else output / RECORDS, {Path(name).name: data})
            count += name != INDEX
    console.say(f"已导出 {count} 条记录到 {output}。核对：ybscan history verify --export {output}")
    for flaw in flaws:
        console.say(f"× {flaw.message}")
    return console.OK if not flaws else console.FAILED


def backup(
    output: Annotated[Path, typer.Option("--output", "-o", help="备份到哪个文件夹。", metavar="文件夹")],
    state: StateOption = None,
    site: SiteOption = None,
) -> int:
    """备份历史文件（连同封存文件）到另一个文件夹，例如服务器上的共享文件夹。"""
    import tempfile

    from ybscan.cli.output import prepared_folder
    from ybscan.store.history import FILE, SEAL, opened

    folder = prepared_folder(output)
    source = _folder(state, site)
    now = datetime.now().astimezone()
    with opened(source) as history, tempfile.TemporaryDirectory(prefix=".ybscan-", dir=folder) as scratch:
        made = Path(scratch) / FILE
        history.copy_to(made, now=now)
        with opened(Path(scratch)) as copy:
            flaws = copy.verify()
        stem = f"history-{now:%Y%m%d-%H%M%S}"
        (Path(scratch) / FILE).replace(folder / f"{stem}.sqlite3")
        if (source / SEAL).is_file():
            (folder / f"{stem}.seal.json").write_bytes((source / SEAL).read_bytes())
    console.say(f"已备份为 {folder / stem}.sqlite3。恢复时改名为 {FILE} 放回状态文件夹。")
    for flaw in flaws:
        console.say(f"× {flaw.message}")
    return console.OK if not flaws else console.FAILED


def prune(
    before: Annotated[
        str, typer.Option("--before", help="清理这一天以前的检查正文，例如 2024-11-01。", metavar="日期")
    ],
    state: StateOption = None,
    site: SiteOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不再询问，直接清理。")] = False,
    now: NowOption = None,
) -> int:
    """清理满两年的检查正文，留下摘要值和一条封存的汇总；记录本身不删除，链条仍可核对。"""
    from datetime import date

    from ybscan.cli.prepare import moment
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.store.history import opened
    from ybscan.store.prune import plan_of, prune_bodies

    try:
        day = date.fromisoformat(before)
    except ValueError:
        raise InputProblems([Problem("--before", 0, f"“{before}”不是日期", "请写成 2024-11-01")]) from None
    clock = moment(now) or datetime.now().astimezone()
    with opened(_folder(state, site)) as history:
        plan = plan_of(history, day, today=clock.date())
        if plan.to == 0:
            console.say("没有可以清理的记录。")
            return console.OK
        console.say(
            f"将清理第 1 至 {plan.to} 号记录的正文（其中检查 {plan.checks} 次），清理后不能恢复。请先导出或备份。"
        )
        if not yes and not typer.confirm("确定清理吗？"):
            console.say("没有清理。")
            return console.OK
        header = prune_bodies(history, plan, now=clock)
    console.say(f"已清理，汇总为第 {header.seq} 号记录。")
    return console.OK
