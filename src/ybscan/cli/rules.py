"""``ybscan rules``: what is checked, on what grounds, and whether the rules are sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ybscan.cli import console
from ybscan.cli.answers import AnswersOption
from ybscan.cli.options import NowOption, RulesOption, SiteOption

if TYPE_CHECKING:
    from ybscan.engine.coverage import ClauseState
    from ybscan.engine.scan import Plan
    from ybscan.model.rule import Rule

FormatOption = Annotated[str, typer.Option("--format", "-f", help="text 或 json。", metavar="格式")]
RuleArgument = Annotated[str, typer.Argument(help="规则编号，例如 PWD-01。", metavar="编号")]
CasesOption = Annotated[
    Path | None,
    typer.Option(
        "--cases", help="用例文件夹；不写时使用规则文件夹旁的 tests/rules。", metavar="文件夹", show_default=False
    ),
]


def build() -> typer.Typer:
    """The command group."""
    from ybscan.cli.app import ZhCommand, group
    from ybscan.cli.rules_diff import diff

    app = group("查看、解释、检查规则。")
    for name, command in (
        ("list", list_rules),
        ("show", show),
        ("explain", explain),
        ("lint", lint),
        ("test", run_cases),
        ("coverage", coverage),
        ("diff", diff),
    ):
        app.command(name, cls=ZhCommand)(command)
    return app


def _plan(rules: Path | None, site: Path | None = None) -> Plan:
    from datetime import datetime

    from ybscan.cli import prepare

    return prepare.plan(rules=rules, site=site, packs=[], only=[], now=datetime.now().astimezone())


def _format(given: str) -> str:
    from ybscan.model.problem import InputProblems, Problem

    if given not in ("text", "json"):
        raise InputProblems([Problem("--format", 0, f"没有格式“{given}”", "可用：text、json")])
    return given


def _one(plan: Plan, rule_id: str) -> Rule:
    from ybscan.model.problem import InputProblems, Problem, did_you_mean

    for rule in plan.rules:
        if rule.id == rule_id.upper():
            return rule
    raise InputProblems(
        [Problem("编号", 0, f"没有规则“{rule_id}”", did_you_mean(rule_id.upper(), [r.id for r in plan.rules]))]
    )


def list_rules(rules: RulesOption = None, format: FormatOption = "text") -> int:
    """列出全部规则。"""
    _format(format)
    plan = _plan(rules)
    if format == "json":
        document = [
            {"id": r.id, "pack": r.pack, "title": r.title, "severity": r.severity.value, "clauses": list(r.clauses),
             "os": sorted({o for c in r.checks for o in c.os})}
            for r in plan.rules
        ]  # fmt: skip
        console.emit_json(document)
        return console.OK
    for pack in plan.packs:
        console.emit(f"{pack.pack.title}（{pack.pack.id} {pack.pack.version}）\n")
        for r in pack.rules:
            console.emit(f"  {r.id:<8} [{r.severity.text}] {r.title}\n")
    return console.OK


def show(rule_id: RuleArgument, rules: RulesOption = None, site: SiteOption = None) -> int:
    """显示一条规则：内容、参数、依据、整改办法。"""
    from ybscan.engine.params import tightened
    from ybscan.rules.catalogue import load_catalogue, load_contradictions
    from ybscan.rules.locate import data_folder

    plan = _plan(rules, site)
    r = _one(plan, rule_id)
    given = plan.loaded.site.params.get(r.id, {})
    lines = [
        f"{r.id} {r.title}", f"规则包：{r.pack}    风险等级：{r.severity.text}    文件：{r.file}", "",
        f"为什么检查：{r.rationale}", f"检查方法：{r.method}",
    ]  # fmt: skip
    for name, param in r.params.items():
        value = tightened(param, given[name])[0] if name in given else param.default
        changed = "（本单位已收紧）" if name in given and value != param.default else ""
        lines.append(f"参数 {name}（{param.label}）：{value} {param.unit}{changed}    出处：{param.source or '未注明'}")
    catalogue = load_catalogue(data_folder("rules"), r.clauses)
    lines.append("依据：")
    for clause in r.clauses:
        entry = catalogue.get(clause)
        lines.append(
            f"  {clause}：{entry.document}{entry.article}：{entry.text}" if entry else f"  {clause}（目录中没有）"
        )
    for c in load_contradictions(data_folder("rules")):
        if c.concerns(r.id):
            lines.append(f"来源不一致（{c.topic}）：{c.resolution}默认：{c.default}修改：{c.how_to_change}")
    lines += ["", "整改办法（Windows）：", r.remediation.windows, "", "整改办法（Linux）：", r.remediation.linux]
    if r.notes:
        lines += ["", f"核实提示：{r.notes}"]
    console.emit("\n".join(lines) + "\n")
    return console.OK


def explain(rule_id: RuleArgument, rules: RulesOption = None) -> int:
    """用中文解释一条规则的判定逻辑和所用的信息来源。"""
    from ybscan.model.expression import facts_read
    from ybscan.rules.explain import TRUTH_TABLE
    from ybscan.rules.explain import explain as explained

    plan = _plan(rules)
    r = _one(plan, rule_id)
    lines = [f"{r.id} {r.title}", "", *explained(r, plan.registry), "", "信息来源："]
    seen: set[str] = set()
    for check in r.checks:
        for key, (name, args) in facts_read(check.expect).items():
            spec = plan.registry.spec_of(name, args)
            if spec is not None and key not in seen:
                seen.add(key)
                lines.append(f"  {key}（{spec.label}）  Linux：{spec.linux or '无'}；Windows：{spec.windows or '无'}")
    console.emit("\n".join([*lines, "", *TRUTH_TABLE]) + "\n")
    return console.OK


def _cases(rules: Path | None, cases: Path | None) -> Path | None:
    from ybscan.model.problem import InputProblems, Problem
    from ybscan.rules.locate import data_folder

    if cases is not None:
        if not cases.is_dir():
            raise InputProblems([Problem(str(cases), 0, "用例文件夹不存在", "请核对路径")])
        return cases
    beside = data_folder("rules", rules).parent / "tests" / "rules"
    return beside if beside.is_dir() else None


def lint(
    rules: RulesOption = None,
    cases: CasesOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="有提示时也以 1 退出。")] = False,
) -> int:
    """检查规则文件：有错误的一律列出（退出码 2），值得再看的给出提示。"""
    from ybscan.rules.catalogue import clause_ids
    from ybscan.rules.lint import Surroundings
    from ybscan.rules.lint import lint as linted
    from ybscan.rules.locate import data_folder

    plan = _plan(rules)
    around = Surroundings(clause_ids(data_folder("rules")), _cases(rules, cases), plan.registry)
    remarks = linted(plan.rules, around)
    for remark in remarks:
        console.emit(f"{remark}\n")
    console.say(f"{len(plan.rules)} 条规则没有错误，{len(remarks)} 处提示。")
    return console.FAILED if strict and remarks else console.OK


def run_cases(
    rules: RulesOption = None,
    cases: CasesOption = None,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", help="只运行指定规则的用例，可重复。", metavar="编号", show_default=False),
    ] = None,
) -> int:
    """运行规则的用例，核对每个用例的结果与文件名一致。"""
    import tempfile

    from ybscan.engine.cases import run_rule_case
    from ybscan.model.problem import InputProblems, Problem

    plan = _plan(rules)
    folder = _cases(rules, cases)
    if folder is None:
        raise InputProblems([Problem("--cases", 0, "没有找到用例文件夹", "请用 --cases 指定")])
    wanted = {w.upper() for w in rule or ()}
    ran = wrong = 0
    problems: list[Problem] = []
    for one in plan.rules:
        for path in sorted((folder / one.id).glob("*.yml")) if not wanted or one.id in wanted else ():
            ran += 1
            try:
                with tempfile.TemporaryDirectory(prefix="ybscan-case-") as scratch:
                    outcome = run_rule_case(
                        path, one, plan.registry, plan.context.dictionary, Path(scratch), plan.context.lifecycle
                    )
            except InputProblems as e:
                problems.extend(e.problems)
                continue
            if not outcome.ok:
                wrong += 1
                console.emit(
                    f"× {path}：应为 {outcome.expected}，实为 {outcome.finding.status.value}。{outcome.finding.reason}\n"
                )
    if problems:
        raise InputProblems(problems)
    if not ran:
        raise InputProblems([Problem(str(folder), 0, "没有用例", "用例应放在 <规则编号>/<说明>.<结果>.yml")])
    console.say(f"运行 {ran} 个用例，{wrong} 个不一致。")
    return console.FAILED if wrong else console.OK


def coverage(
    result: Annotated[
        Path | None,
        typer.Option("--result", help="检查结果（scan 生成的 .json）。", metavar="文件", show_default=False),
    ] = None,
    rules: RulesOption = None,
    answers: AnswersOption = None,
    site: SiteOption = None,
    now: NowOption = None,
    format: FormatOption = "text",
) -> int:
    """逐条列出条款目录：由哪些规则回答，结果如何，哪些须由人员确认。"""
    from datetime import datetime

    from ybscan.cli import prepare
    from ybscan.cli.answers import given_answers, questions
    from ybscan.engine.coverage import clause_states
    from ybscan.model.attestation import attested_clauses
    from ybscan.rules.catalogue import load_catalogue
    from ybscan.rules.locate import data_folder

    _format(format)
    plan = _plan(rules)
    findings = None
    if result is not None:
        from ybscan.cli.report import read_result

        findings = read_result(result).findings
    asked = questions(rules)
    today = (prepare.moment(now) or datetime.now().astimezone()).date()
    confirmed = attested_clauses(asked, given_answers(answers, prepare.site_path(site), asked), today)
    states = clause_states(
        load_catalogue(data_folder("rules")), {r.id: r.clauses for r in plan.rules}, findings, confirmed
    )
    if format == "json":
        document = [
            {"clause": s.clause.id, "kind": s.clause.kind, "document": s.clause.document, "article": s.clause.article,
             "status": s.status.value if s.status else None, "reason": s.reason, "rules": list(s.rules),
             "stands_for": list(s.clause.stands_for)}
            for s in states
        ]  # fmt: skip
        console.emit_json(document)
        return console.OK
    for s in states:
        shown = s.status.text if s.status else "－"
        console.emit(f"{s.clause.id:<26} {shown}  {s.clause.document}{s.clause.article}  {_answered_by(s)}\n")
    return console.OK


def _answered_by(state: ClauseState) -> str:
    """The rules, and the reason where no rule or a person's word gave the status."""
    rules = "、".join(state.rules)
    return state.reason if not rules else f"{rules}  {state.reason}" if state.reason.startswith("已由") else rules
