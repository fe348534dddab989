"""A scan from end to end: read the facts the rules need, judge every rule, sum up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import ybscan
from ybscan.engine.coverage import coverage
from ybscan.engine.judge import PROCESS_FACT, Case, applicable, judge
from ybscan.engine.summary import summary
from ybscan.engine.wording import json_value
from ybscan.hosts.base import Host
from ybscan.model.expression import facts_read
from ybscan.model.facts import Fact, FactSet, FactSpec, Kind
from ybscan.model.reading import Absent, Cause, Known, Unknown
from ybscan.model.result import Finding, HostInfo, PackInfo, ScanResult, Status, Tool
from ybscan.model.rule import Role, Rule
from ybscan.model.site import Terminal
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack
from ybscan.rules.site import LoadedSite, bare_mac, find_terminal

T = TypeVar("T")

#: Longest time one probe may take before its facts are Unknown(timeout), seconds.
PROBE_SECONDS = 120.0

Progress = Callable[[str], None]
"""Called with the Chinese title of what is being read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a scan is made of."""

    packs: tuple[LoadedPack, ...]
    rules: tuple[Rule, ...]
    """The rules to judge, in report order; a selection of those in ``packs``."""
    registry: ProbeRegistry
    loaded: LoadedSite
    context: Context
    probe_seconds: float = PROBE_SECONDS


def needed(
    rules: Iterable[Rule], os: str, role: Role, *, delegations: bool
) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """The facts that judging these rules on this system needs: key → (name, arguments)."""
    facts: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {}
    for rule in rules:
        check = applicable(rule, os, role)  # type: ignore[arg-type]
        if check is None:
            continue
        facts.update(facts_read(check.expect))
        if check.when is not None:
            facts.update(facts_read(check.when))
    if delegations:
        facts[PROCESS_FACT] = (PROCESS_FACT, ())
    return facts


def read_facts(
    host: Host, plan: Plan, wanted: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]], progress: Progress
) -> dict[str, Fact]:
    """Read the wanted facts, each probe once, each under the time limit; whatever goes wrong becomes Unknown."""
    facts: dict[str, Fact] = {}
    for subject in sorted({name.partition(".")[0] for name, _ in wanted.values() if "." in name}):
        probe = plan.registry.probes.get(subject)
        if probe is None:
            continue
        progress(probe.title)
        readings = _bounded(partial(probe.read, host, plan.context), plan.probe_seconds)
        for spec in probe.facts:
            got = readings.get(spec.name) if isinstance(readings, Mapping) else readings
            facts[f"{subject}.{spec.name}"] = checked(got, spec)
    for key, (name, args) in wanted.items():
        parametric = plan.registry.parametric.get(name)
        if parametric is not None:
            reading = _bounded(partial(parametric.read, host, plan.context, dict(args)), plan.probe_seconds)
            facts[key] = checked(reading, parametric.spec(dict(args)))
    return facts


def _bounded(work: Callable[[], T], seconds: float) -> T | Unknown:
    """What ``work`` returns, or why not: it raised, or it took too long (it is then left behind in a daemon thread)."""
    box: list[T | Unknown] = []

    def run() -> None:
        try:
            box.append(work())
        except Exception as e:  # invariant 2: a crashing probe still gives a finding, with its reason
            box.append(Unknown(Cause.PROBE_ERROR, f"{type(e).__name__}: {e}"))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    # In slices: on Windows Ctrl+C does not interrupt a wait, it is noticed after it.
    deadline = time.monotonic() + seconds
    while thread.is_alive() and (left := deadline - time.monotonic()) > 0:
        thread.join(min(left, 0.2))
    return box[0] if box else Unknown(Cause.TIMEOUT, f"超过 {seconds:.0f} 秒没有读完")


_TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,), Kind.VERSION: (str,), Kind.ADDRESS: (str,), Kind.INTEGER: (int,), Kind.NUMBER: (int, float),
    Kind.BOOLEAN: (bool,), Kind.TIME: (datetime,), Kind.TEXTS: (tuple,), Kind.ITEMS: (tuple,),
}  # fmt: skip


def checked(reading: Fact | None, spec: FactSpec) -> Fact:
    """The reading, if it is what its fact declares; else Unknown(probe_error). A probe's bug must not pass a rule."""
    if reading is None:
        return Unknown(Cause.PROBE_ERROR, f"检查程序没有给出“{spec.label}”")
    if not isinstance(reading, Known):
        return reading
    value = reading.value
    if spec.never_empty and value == () and not reading.gaps:
        return Unknown(Cause.INCOMPLETE, f"“{spec.label}”没有读到任何一项", reading.origin)
    wrong = not _fits(value, spec.kind) or (reading.gaps and spec.kind not in (Kind.TEXTS, Kind.ITEMS))
    if not wrong and spec.kind is Kind.ITEMS and isinstance(value, tuple):
        for item in value:
            if (
                not isinstance(item, Mapping)
                or set(item) - set(spec.field_by_name)
                or not all(
                    v is None or isinstance(v, Unknown) or _fits(v, spec.field_by_name[k].kind) for k, v in item.items()
                )
            ):
                wrong = True
    return Unknown(Cause.PROBE_ERROR, f"“{spec.label}”的值与声明的类型不符", reading.origin) if wrong else reading


def _fits(value: object, kind: Kind) -> bool:
    if isinstance(value, bool) and kind is not Kind.BOOLEAN:
        return False
    if isinstance(value, datetime) and value.tzinfo is None:
        return False
    return isinstance(value, _TYPES[kind])


def scan(
    host: Host, plan: Plan, *, finished: Callable[[], datetime], progress: Progress = lambda _: None
) -> ScanResult:
    """Scan one terminal. ``finished`` is asked for the time when all is read."""
    info, role, terminal = describe(host, plan.loaded)
    site = plan.loaded.site
    if terminal is not None and site.terminal is None:
        # Probes find this terminal's row of the register where a site file would name the terminal itself.
        site = site.model_copy(update={"terminal": terminal})
        plan = replace(plan, context=replace(plan.context, site=site))
    wanted = needed(plan.rules, host.os, role, delegations=bool(site.delegations))
    facts = read_facts(host, plan, wanted, progress)
    case = Case(
        facts=facts, specs=plan.registry.spec_of, site=site, waivers=plan.loaded.waivers, now=plan.context.now,
        os=host.os, role=role, terminal=waived_as(info, terminal, plan.loaded),
    )  # fmt: skip
    findings = tuple(judged(rule, case) for rule in plan.rules)
    used = {r.pack for r in plan.rules}
    chosen = {r.id for r in plan.rules}
    left_out = tuple(r.id for p in plan.packs for r in p.rules if r.id not in chosen)
    result = ScanResult(
        tool=Tool(name="ybscan", version=ybscan.__version__),
        host=info,
        unit={k: str(v) for k, v in site.unit.model_dump().items() if v is not None} if site.unit else {},
        people={k: str(v) for k, v in site.people.model_dump().items() if v is not None},
        started_at=plan.context.now.isoformat(timespec="seconds"),
        finished_at=finished().isoformat(timespec="seconds"),
        packs=tuple(
            PackInfo(id=p.pack.id, title=p.pack.title, version=p.pack.version, sha256=p.sha256)
            for p in plan.packs if p.pack.id in used
        ),
        site_sha256=plan.loaded.sha256,
        summary=summary(findings, partial=bool(left_out)),
        left_out=left_out,
        findings=findings,
        coverage=coverage(findings),
        facts=facts_document(facts),
    )  # fmt: skip
    return result.sealed()


def judged(rule: Rule, case: Case) -> Finding:
    """The finding of a rule; a crash in judging becomes 无法判定 like any other failure to know."""
    try:
        return judge(rule, case)
    except Exception as e:
        return Finding(
            rule_id=rule.id, pack=rule.pack, title=rule.title, severity=rule.severity, status=Status.UNKNOWN,
            reason=f"{Cause.PROBE_ERROR.text}（{type(e).__name__}: {e}）", method=rule.method, clauses=rule.clauses,
        )  # fmt: skip


def facts_document(facts: FactSet) -> dict[str, object]:
    """All readings as the result carries them."""
    document: dict[str, object] = {}
    for key, reading in sorted(facts.items()):
        if isinstance(reading, Known):
            entry: dict[str, object] = {"status": "known", "value": json_value(reading.value), "origin": reading.origin}
            if reading.gaps:
                entry["gaps"] = [{"cause": g.cause.value, "detail": g.detail} for g in reading.gaps]
        elif isinstance(reading, Absent):
            entry = {"status": "absent", "origin": reading.origin}
        else:
            entry = {
                "status": "unknown",
                "cause": reading.cause.value,
                "detail": reading.detail,
                "origin": reading.origin,
            }
        document[key] = entry
    return document


#: Interfaces that are no card of the terminal: the record's head names cards.
_INNER = frozenset({"loopback", "virtual", "container"})


def waived_as(info: HostInfo, terminal: Terminal | None, loaded: LoadedSite) -> str:
    """The terminal id by which waivers may cover this host; empty when only those for all terminals may.

    A host name is easily given: a machine that merely calls itself like a registered terminal, or a copy of its disk
    in other hardware, must not inherit what was approved for that one.
    """
    if terminal is None:
        return "" if any(t.id.casefold() == info.id.casefold() for t in loaded.register) else info.id
    given = loaded.site.terminal is not None
    other = terminal.mac and info.macs and bare_mac(terminal.mac) not in {bare_mac(m) for m in info.macs}
    return "" if other and not given else terminal.id


def describe(host: Host, loaded: LoadedSite) -> tuple[HostInfo, Role, Terminal | None]:
    """Who the terminal is: for the record's head, the rules' roles and the waivers' terminals."""
    identity = host.system.identity()
    known = identity.value if isinstance(identity, Known) else None
    elevated = host.system.elevated()
    bits = host.system.bits() if host.os == "windows" else None
    interfaces = host.network.interfaces()
    addresses: list[str] = []
    macs: list[str] = []
    for i in interfaces.value if isinstance(interfaces, Known) else ():
        if i.kind in _INNER:
            continue
        # Link-local addresses say nothing about where the terminal stands in the unit's network.
        addresses.extend(a.address for a in i.addresses if not a.address.lower().startswith(("fe80:", "169.254.")))
        if i.mac and i.mac not in macs:
            macs.append(i.mac)
    hostname = known.hostname if known else ""
    terminal = find_terminal(loaded, hostname, tuple(macs))
    role = terminal.role if terminal else Role.SETTLEMENT
    identifier = terminal.id if terminal else hostname or "unknown"
    return (
        HostInfo(
            id=identifier, hostname=hostname, os=host.os, os_version=known.os_name if known else "",
            arch=known.arch if known else "", role=role.value, backend=host.backend,
            elevated=elevated.value if isinstance(elevated, Known) else None,
            department=(terminal.department or "") if terminal else "", owner=(terminal.owner or "") if terminal else "",
            addresses=tuple(addresses), macs=tuple(macs),
            process_bits=bits.value[0] if isinstance(bits, Known) else None,
        ),
        role,
        terminal,
    )  # fmt: skip
