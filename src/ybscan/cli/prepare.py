"""What several commands do first: find rules, load the site, choose the host, fix the clock."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ybscan.cli import console
from ybscan.model.problem import InputProblems, Problem, did_you_mean

if TYPE_CHECKING:
    from ybscan.engine.scan import Plan
    from ybscan.hosts.base import Host
    from ybscan.model.rule import Rule
    from ybscan.rules.load import LoadedPack
    from ybscan.store.chain import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The terminal to look at, and when that was."""

    host: Host
    now: datetime
    fixed: bool
    """Whether the clock was given or recorded, so that the result does not depend on when it is made."""
    clock: Clock = "system"
    """Where ``now`` comes from, as the history notes it."""


def moment(given: str | None) -> datetime | None:
    """The value of ``--now``.

    Raises:
        InputProblems: it is no ISO time.
    """
    if given is None:
        return None
    try:
        when = datetime.fromisoformat(given)
        return when.astimezone() if when.tzinfo is None else when
    except (ValueError, OverflowError):  # the first and the last day of the calendar have no time in some zones
        raise InputProblems([Problem("--now", 0, f"“{given}”不是时间", "请写成 2026-11-20T10:00:00+08:00")]) from None


def live_host() -> Host:
    """The terminal we run on.

    Raises:
        InputProblems: this system has no live backend.
    """
    if sys.platform == "linux":
        from ybscan.hosts.live_linux import live_linux

        return live_linux()
    if sys.platform == "win32":
        from ybscan.hosts.live_windows import live_windows

        return live_windows()
    raise InputProblems(
        [Problem("ybscan", 0, f"本版本不能在线检查此系统（{sys.platform}）", "请用 --root 或 --evidence")]
    )


def source(*, root: Path | None, evidence: Path | None, now: str | None) -> Source:
    """The host the options name: a folder, an evidence bundle, else the live system.

    Raises:
        InputProblems: both were given, or what was given cannot be used.
    """
    given = moment(now)
    named: Clock | None = "given" if given is not None else None
    if root is not None and evidence is not None:
        raise InputProblems([Problem("--root", 0, "--root 和 --evidence 不能同时使用", "请只保留一个")])
    if evidence is not None:
        from ybscan.hosts.bundle import read_bundle
        from ybscan.hosts.collected.container import is_collected
        from ybscan.hosts.replay import replay

        if is_collected(evidence):
            return _collected(evidence, given)
        bundle = read_bundle(evidence)
        return Source(
            host=replay(bundle.os, bundle.answers),
            now=given or bundle.collected_at,
            fixed=True,
            clock=named or "recorded",
        )
    if root is not None:
        from ybscan.hosts.offline import offline_root, shortfall

        if root.is_dir() and (lacks := shortfall(root)):
            console.say(f"{root} 中{lacks}：其中没有的文件一律按“无法判定”处理。")
        return Source(
            host=offline_root(root),
            now=given or datetime.now().astimezone(),
            fixed=given is not None,
            clock=named or "system",
        )
    return Source(
        host=live_host(), now=given or datetime.now().astimezone(), fixed=given is not None, clock=named or "system"
    )


def _collected(path: Path, given: datetime | None) -> Source:
    """What a collector script brought.

    Raises:
        InputProblems: it cannot be used.
    """
    from ybscan.hosts.collected.evidence import read_evidence
    from ybscan.hosts.collected.load import collected_host

    evidence = read_evidence(path)
    now = given or evidence.at
    if now is None:
        raise InputProblems([Problem(str(path), 0, "其中没有采集时间", "请用 --now 给出采集时间")])
    if not evidence.finished:
        console.say(f"{path} 的采集没有做完：没有取得的内容一律按“无法判定”处理，请重新采集。")
    return Source(host=collected_host(evidence), now=now, fixed=True)


def site_path(given: Path | None) -> Path | None:
    """The site file: what the user named, else ``site.yml`` in the current folder."""
    if given is not None:
        from ybscan.cli.output import reachable

        return reachable(given)
    beside = Path("site.yml")
    return beside if beside.is_file() else None


def plan(*, rules: Path | None, site: Path | None, packs: list[str], only: list[str], now: datetime) -> Plan:
    """Everything that a scan needs besides the host.

    Raises:
        InputProblems: with every problem of rules, dictionary, site file and selection.
    """
    from ybscan.engine.params import tightened
    from ybscan.engine.scan import Plan
    from ybscan.probes.base import Context
    from ybscan.probes.registry import builtin
    from ybscan.rules.lifecycle import load_lifecycle
    from ybscan.rules.load import load_packs
    from ybscan.rules.locate import data_folder
    from ybscan.rules.site import check_against_rules, load_site, no_site
    from ybscan.rules.software import load_dictionary

    problems: list[Problem] = []
    registry = builtin()
    folder = data_folder("rules", rules)
    loaded = no_site()
    all_packs: tuple[LoadedPack, ...] = ()
    dictionary = lifecycle = None
    if site is not None:
        try:
            loaded = load_site(site)
        except InputProblems as e:
            problems.extend(e.problems)
    # A unit's own packs lie beside its site file and come after the standard ones.
    own = (site.parent / loaded.site.rules,) if site is not None and loaded.site.rules else ()
    try:
        all_packs = load_packs(folder, registry, more=own)
    except InputProblems as e:
        problems.extend(e.problems)
    try:
        # A unit's own rules folder need not repeat the dictionary.
        dictionary = load_dictionary(folder if (folder / "software").is_dir() else data_folder("rules"))
    except InputProblems as e:
        problems.extend(e.problems)
    try:
        lifecycle = load_lifecycle(folder if (folder / "lifecycle").is_dir() else data_folder("rules"))
    except InputProblems as e:
        problems.extend(e.problems)
    if problems or dictionary is None or lifecycle is None:
        raise InputProblems(problems)
    every = tuple(r for p in all_packs for r in p.rules)
    problems.extend(check_against_rules(loaded, every, tightened))
    chosen = _selected(all_packs, packs, only, problems)
    if problems:
        raise InputProblems(problems)
    context = Context(site=loaded.site, now=now, dictionary=dictionary, lifecycle=lifecycle)
    return Plan(packs=all_packs, rules=chosen, registry=registry, loaded=loaded, context=context)


def _selected(
    all_packs: tuple[LoadedPack, ...], packs: list[str], only: list[str], problems: list[Problem]
) -> tuple[Rule, ...]:
    by_pack = {p.pack.id: p for p in all_packs}
    every = [r for p in all_packs for r in p.rules]
    ids = {r.id for r in every}
    for name in packs:
        if name not in by_pack:
            problems.append(
                Problem(
                    "--pack", 0, f"没有规则包“{name}”", did_you_mean(name, by_pack) or f"可用：{'、'.join(by_pack)}"
                )
            )
    for name in only:
        if name.upper() not in ids:
            problems.append(
                Problem(
                    "--rule", 0, f"没有规则“{name}”", did_you_mean(name.upper(), ids) or "用 ybscan rules list 查看全部"
                )
            )
    wanted = {n.upper() for n in only}
    return tuple(r for r in every if (not packs or r.pack in packs) and (not wanted or r.id in wanted))
