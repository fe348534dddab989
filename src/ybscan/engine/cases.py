"""Cases: a terminal's facts or files in a YAML file, and the verdict a rule must give on them.

``<what>.<verdict>.yml`` with any of ``facts`` (fact name → value), ``tree`` (path → content; laid out in a temporary
folder, of Windows held in :class:`ybscan.engine.casefiles.CaseFiles`), ``registry`` (key → values, of a Windows terminal)
and ``answers`` (recorded answers that take precedence). The same runner serves the project's own tests and
``ybscan rules test``.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ybscan.engine.casefiles import CaseFiles
from ybscan.engine.judge import Case, judge
from ybscan.engine.scan import Plan, checked, needed, read_facts
from ybscan.hosts.base import Host, answer_type
from ybscan.hosts.codec import decode
from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.linux.jobs import LinuxJobs
from ybscan.hosts.linux.network import LinuxNetwork
from ybscan.hosts.linux.usersettings import LinuxUserSettings
from ybscan.hosts.linux.volumes import LinuxVolumes
from ybscan.hosts.offline import offline_root
from ybscan.hosts.replay import group_types, replay
from ybscan.hosts.windows.keys import parts
from ybscan.hosts.windows.tree import Key, TreeRegistry
from ybscan.model.dictionary import Dictionary
from ybscan.model.facts import Fact, FactSpec, Kind
from ybscan.model.lifecycle import Lifecycle
from ybscan.model.problem import InputProblems, Problem, did_you_mean
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.model.result import Finding, Status
from ybscan.model.rule import Document, OsName, Role, Rule, Text, Waiver
from ybscan.model.site import Site
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import read_document, validated
from ybscan.rules.site import no_site
from ybscan.rules.strict_yaml import Map, line_at

#: The keys by which a case file writes a reading that is not plainly known.
_MARKERS = frozenset({"absent", "unknown", "known", "gaps"})

DEFAULT_NOW = "2026-11-20T10:00:00+08:00"
"""A Friday."""


class RecordedAnswer(Document):
    """One answer of the host."""

    ask: Text = Field(description="分组.问题，例如 files.text")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    known: Any = None
    absent: Literal[True] | None = None
    unknown: Cause | None = None
    gaps: tuple[Cause, ...] = ()


class CaseDocument(Document):
    """A case file, for a rule (``facts``) or a probe (``facts`` is then what must come out)."""

    description: Text
    os: OsName = "linux"
    role: Role = Role.SETTLEMENT
    now: str = DEFAULT_NOW
    site: Site = Site()
    facts: dict[str, Any] = Field(default_factory=dict)
    tree: dict[str, Any] | None = None
    live: bool = True
    """Whether the tree stands for a running system (/proc, /sys and /run count) or a disk that lies still."""
    registry: dict[str, dict[str, Any] | None] | None = None
    """All there is in the registry of a Windows terminal; see :func:`case_registry`."""
    bits: Literal[32, 64] = 64
    """Of the Windows terminal."""
    answers: tuple[RecordedAnswer, ...] = ()
    waivers: tuple[dict[str, Any], ...] = ()

    def moment(self) -> datetime:
        """The time of the scan."""
        return datetime.fromisoformat(self.now)


def reading_of(raw: Any, spec: FactSpec | None) -> Fact:
    """A reading from its short form: a value, or ``{absent: true}``, ``{unknown: denied}``, ``{known: …, gaps: [denied]}``."""
    if isinstance(raw, Mapping) and raw and set(raw) <= _MARKERS:
        if raw.get("absent"):
            return Absent("case")
        if "unknown" in raw:
            return Unknown(Cause(raw["unknown"]), "case", "case")
        gaps = tuple(Gap(Cause(g), "case", "case") for g in raw.get("gaps", ()))
        return Known(_value(raw["known"], spec), "case", gaps)
    return Known(_value(raw, spec), "case")


def _value(raw: Any, spec: FactSpec | None) -> Any:
    if spec is not None and spec.kind is Kind.ITEMS:
        return tuple({k: _field(v, spec, k) for k, v in item.items()} for item in raw)
    if spec is not None and spec.kind is Kind.TIME:
        return datetime.fromisoformat(raw)
    return tuple(raw) if isinstance(raw, list) else raw


def _field(raw: Any, spec: FactSpec, name: str) -> Any:
    if isinstance(raw, Mapping) and "unknown" in raw:
        return Unknown(Cause(raw["unknown"]), "case")
    field = spec.field_by_name.get(name)
    if field is not None and field.kind is Kind.TIME and isinstance(raw, str):
        return datetime.fromisoformat(raw)
    return tuple(raw) if isinstance(raw, list) else raw


def lay_out(tree: Mapping[str, Any], root: Path) -> None:
    """Write a case's tree below ``root``.

    A value is a text, or one of ``{gbk: text}``, ``{base64: data}``, ``{link: target}``, ``{dir: true}``,
    ``{fifo: true}``; ``{text: …, mtime: ISO time, mode: "0600"}`` sets metadata, ``{size: n}`` makes a sparse file.
    """
    times: list[tuple[Path, float]] = []
    for name, content in tree.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        spec = content if isinstance(content, Mapping) else {"text": "" if content is None else str(content)}
        if "link" in spec:
            path.symlink_to(spec["link"])
            continue
        if "dir" in spec:
            path.mkdir(exist_ok=True)
        elif "fifo" in spec:
            if sys.platform != "win32":
                os.mkfifo(path)
        elif "gbk" in spec:
            path.write_bytes(spec["gbk"].encode("gb18030"))
        elif "base64" in spec:
            path.write_bytes(base64.b64decode(spec["base64"]))
        elif "size" in spec:
            with path.open("wb") as f:
                f.truncate(int(spec["size"]))
        else:
            path.write_text(spec.get("text", ""), encoding="utf-8")
        if "mode" in spec:
            path.chmod(int(spec["mode"], 8))
        if "mtime" in spec:
            times.append((path, datetime.fromisoformat(spec["mtime"]).timestamp()))
    for path, when in reversed(times):
        os.utime(path, (when, when))


def host_of(case: CaseDocument, root: Path) -> Host:
    """The host a case describes: its answers first, then its tree (laid out below ``root``), else not recorded."""
    fallback: Host | None = None
    if case.tree is not None and case.os == "linux":
        tree = dict(case.tree)
        # A case shows the few files that matter; they stand for a whole disk, of no system in particular.
        if not case.live and not {"/etc/os-release", "/usr/lib/os-release"} & tree.keys():
            tree["/etc/os-release"] = "ID=linux\n"
        lay_out(tree, root)
        fallback = live_tree(root) if case.live else offline_root(root)
    elif case.os == "windows" and (case.registry is not None or case.tree is not None):
        groups: dict[str, Any] = {name: kind("检查样例中没有") for name, kind in group_types().items()}
        if case.registry is not None:
            groups["registry"] = case_registry(case)
        if case.tree is not None:
            groups["files"] = CaseFiles(case.tree)
        fallback = Host(backend="case", os=case.os, **groups)
    return replay(case.os, dict(map(_answer, case.answers)), backend="case", fallback=fallback)


def case_registry(case: CaseDocument) -> TreeRegistry:
    """The registry that a case states: a key that it does not name does not exist, except the way to one it names.

    A key holds its values by name (the default value's name is empty): a number is REG_DWORD, a text REG_SZ, a list
    REG_MULTI_SZ, ``{hex: "01 00"}`` REG_BINARY. ``.written`` is an ISO time; ``.unknown`` (a cause) refuses the key
    and all below it.
    """
    root = Key("")
    refused: dict[str, Unknown] = {}
    for name, values in (case.registry or {}).items():
        key = root.make(parts(name))
        for value_name, raw in (values or {}).items():
            if value_name == ".written":
                key.written = datetime.fromisoformat(raw).timestamp()
            elif value_name == ".unknown":
                refused[name] = Unknown(Cause(raw), "case", name)
            elif isinstance(raw, Mapping):
                key.values[value_name] = bytes.fromhex(raw["hex"])
            else:
                key.values[value_name] = tuple(raw) if isinstance(raw, list) else raw
    return TreeRegistry(root, covered=("HKLM", "HKU"), origin="检查样例", bits=case.bits, refused=refused)


def live_tree(root: Path) -> Host:
    """A folder as if it were a running system: /proc, /sys and /run count, but nothing of this machine is asked."""
    still = offline_root(_with_etc(root))
    base = str(root.resolve())
    files = LinuxFiles(root=base, live=True)
    settings = LinuxUserSettings(root=base)
    return replace(
        still, files=files, network=LinuxNetwork(files=files, tools=still.tools), user_settings=settings,
        volumes=LinuxVolumes(files, root=base), jobs=LinuxJobs(files, root=base),
    )  # fmt: skip


def _with_etc(root: Path) -> Path:
    (root / "etc").mkdir(exist_ok=True)
    return root


def _answer(recorded: RecordedAnswer) -> tuple[tuple[str, str, tuple[tuple[str, Any], ...]], Any]:
    group, _, question = recorded.ask.partition(".")
    kind = group_types()[group]
    if question not in set(kind.questions()):
        raise ValueError(f"no question {recorded.ask}")
    args = {k: tuple(v) if isinstance(v, list) else v for k, v in recorded.with_.items()}
    key = (group, question, tuple(sorted(args.items())))
    if recorded.absent:
        return key, Absent("case")
    if recorded.unknown is not None:
        return key, Unknown(recorded.unknown, "case", "case")
    value = decode(answer_type(kind, question), recorded.known)
    return key, Known(value, "case", tuple(Gap(g, "case", "case") for g in recorded.gaps))


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What came of running one rule case."""

    file: str
    expected: str
    finding: Finding

    @property
    def ok(self) -> bool:
        """Whether the verdict is the one the file's name demands."""
        return self.finding.status.value == self.expected


def run_rule_case(
    path: Path,
    rule: Rule,
    registry: ProbeRegistry,
    dictionary: Dictionary,
    scratch: Path,
    lifecycle: Lifecycle | None = None,
) -> CaseOutcome:
    """Judge ``rule`` on the case at ``path``; the expected verdict is the last part of its name.

    Raises:
        InputProblems: the case file cannot be used.
    """
    case, raw = read_document(CaseDocument, path)
    expected = path.name.removesuffix(".yml").rpartition(".")[2]
    if expected not in list(Status):
        raise InputProblems(
            [
                Problem(
                    str(path), 0, f"文件名应为“说明.结果.yml”，结果不能是“{expected}”", "例如 short-password.fail.yml"
                )
            ]
        )
    problems: list[Problem] = []
    given = case_facts(case, registry, str(path), raw, problems)
    waivers = tuple(
        w for w in (validated(Waiver, _as_map(w), str(path), problems) for w in case.waivers) if w is not None
    )
    if problems:
        raise InputProblems(problems)
    loaded = replace(no_site(), site=case.site, waivers=waivers)
    context = Context(site=case.site, now=case.moment(), dictionary=dictionary, lifecycle=lifecycle or Lifecycle())
    plan = Plan(packs=(), rules=(rule,), registry=registry, loaded=loaded, context=context)
    facts: dict[str, Fact] = {}
    if case.tree is not None or case.registry is not None or case.answers:
        host = host_of(case, scratch)
        wanted = needed((rule,), case.os, case.role, delegations=bool(case.site.delegations))
        facts = read_facts(host, plan, wanted, lambda _: None)
    facts.update(given)
    terminal = case.site.terminal.id if case.site.terminal else "case"
    judged_on = Case(
        facts=facts, specs=registry.spec_of, site=case.site, waivers=waivers, now=case.moment(), os=case.os,
        role=case.role, terminal=terminal,
    )  # fmt: skip
    return CaseOutcome(str(path), expected, judge(rule, judged_on))


def case_facts(
    case: CaseDocument, registry: ProbeRegistry, file: str, raw: Any, problems: list[Problem]
) -> dict[str, Fact]:
    """The facts a case states, with a problem for each that does not exist or does not fit its declared type."""
    facts: dict[str, Fact] = {}
    for key, value in case.facts.items():
        name, _, rest = key.partition("(")
        # An argument may itself hold commas and parentheses (a regular expression does): only ", name=" parts them.
        args = dict(p.split("=", 1) for p in re.split(r", (?=[a-z_]+=)", rest.removesuffix(")"))) if rest else {}
        spec = registry.spec_with_args(name, args)
        line = line_at(raw, ("facts", key))
        if spec is None:
            problems.append(Problem(file, line, f"没有名为“{name}”的事实", did_you_mean(name, registry.names())))
            continue
        try:
            reading = reading_of(value, spec)
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            problems.append(Problem(file, line, f"事实“{key}”的值无法识别（{type(e).__name__}: {e}）", ""))
            continue
        fit = checked(reading, spec)
        if isinstance(fit, Unknown) and fit.cause is Cause.PROBE_ERROR and fit is not reading:
            problems.append(Problem(file, line, f"事实“{key}”的值与类型（{spec.kind.label}）不符", ""))
        facts[key] = fit if isinstance(fit, Unknown) else reading
    return facts


def _as_map(raw: Any) -> Map:
    made = Map(1)
    made.update(raw)
    return made
