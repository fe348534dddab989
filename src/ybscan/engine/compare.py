"""What changed between two checks of one terminal, and since when things are as they are. Pure.

A comparison is as careful as a verdict: what one of the two checks could not read is 无法比较, not "gone", and a thing that
is missing from a list that was read in part may still be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from typing import Any, Literal

from ybscan.model.result import Finding, ScanResult, Status
from ybscan.model.rule import Severity

ChangeKind = Literal["new", "fixed", "unchanged", "undetermined", "determined", "added", "dropped", "other"]
"""``new``: now 不符合, before not; ``fixed``: 不符合 before, 符合 now; ``unchanged``: 不符合 both times; ``undetermined``:
could be judged before and not now; ``determined``: the reverse; ``added``/``dropped``: only one check has the rule."""

CHANGE_TEXT: Mapping[ChangeKind, str] = {
    "new": "新增问题",
    "fixed": "已消除",
    "unchanged": "仍未整改",
    "undetermined": "变为无法判定",
    "determined": "由无法判定变为可判定",
    "added": "本次新增的检查项",
    "dropped": "本次没有检查",
    "other": "结果有变化",
}

_OPEN = (Status.UNKNOWN, Status.MANUAL)
#: An approved exception covers a problem that is still there.
_BAD = (Status.FAIL, Status.WAIVED)


@dataclass(frozen=True, slots=True)
class FindingChange:
    """One rule in two checks; ``before`` or ``after`` is None where that check does not have it."""

    rule_id: str
    title: str
    severity: Severity
    before: Status | None
    after: Status | None
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing whose list two checks are compared by: a fact, the fields that tell one from another, the name."""

    fact: str
    label: str
    key: tuple[str, ...]
    name: tuple[str, ...]


#: Software, listeners, accounts, devices, network identity.
THINGS: tuple[Thing, ...] = (
    Thing("software.products", "检出的受限软件", ("id",), ("name", "version")),
    Thing("software.unapproved", "未列入许可清单的软件", ("name", "source"), ("name", "version")),
    Thing("autostart.items", "自启动项", ("kind", "path", "owner"), ("path", "program")),
    Thing("ports.listeners", "监听端口", ("proto", "port", "address"), ("proto", "port", "program")),
    Thing("login_accounts.entries", "可登录账户", ("account",), ("account",)),
    Thing("administrators.entries", "管理员", ("account", "via"), ("account", "via")),
    Thing("usb_devices.storage", "接入的移动存储", ("kind", "model", "serial"), ("kind", "model", "serial")),
    Thing("usb_history.arrivals", "移动存储使用痕迹", ("kind", "model", "serial", "last"), ("kind", "model", "last")),
    Thing("net_identity.addresses", "IP 地址", ("interface", "address"), ("interface", "address")),
    Thing("net_cards.cards", "网卡 MAC 地址", ("interface", "mac"), ("interface", "mac")),
    Thing("net_names.resolvers", "DNS 服务器", ("address",), ("address",)),
    Thing("net_saved.networks", "保存的网络连接", ("id", "kind"), ("id", "kind")),
)


@dataclass(frozen=True, slots=True)
class ThingChange:
    """What was added to and what went from a list; ``unsure`` says why (part of) it could not be compared."""

    label: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    unsure: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs between two checks of a terminal, the worst first."""

    before: ScanResult
    after: ScanResult
    findings: tuple[FindingChange, ...]
    """Rules whose result changed, and those that stayed 不符合."""
    things: tuple[ThingChange, ...]
    identity: tuple[str, ...]
    """Sentences on host name, addresses and hardware that are no longer those of the earlier check."""

    def of(self, *kinds: ChangeKind) -> tuple[FindingChange, ...]:
        """The changes of these kinds."""
        return tuple(c for c in self.findings if c.kind in kinds)


def compare(before: ScanResult, after: ScanResult) -> Comparison:
    """Compare two checks of one terminal, ``before`` being the earlier one."""
    old = {f.rule_id: f for f in before.findings}
    new = {f.rule_id: f for f in after.findings}
    changes = []
    for rule_id in dict.fromkeys((*new, *old)):
        change = _change(old.get(rule_id), new.get(rule_id))
        if change is not None:
            changes.append(change)
    order = list(CHANGE_TEXT)
    severities = list(Severity)
    changes.sort(key=lambda c: (order.index(c.kind), severities.index(c.severity)))
    things = tuple(t for t in (_things(thing, before.facts, after.facts) for thing in THINGS) if t is not None)
    return Comparison(before, after, tuple(changes), things, _identity(before, after))


def _change(old: Finding | None, new: Finding | None) -> FindingChange | None:
    finding = new or old
    if finding is None:
        return None
    before, after = old.status if old else None, new.status if new else None
    kind = change_kind(before, after)
    if kind is None:
        return None
    return FindingChange(finding.rule_id, finding.title, finding.severity, before, after, kind)


def change_kind(before: Status | None, after: Status | None) -> ChangeKind | None:
    """What became of a rule; None when nothing worth telling did."""
    if after is None:
        return "dropped"
    if after is Status.FAIL:
        return "unchanged" if before in _BAD else "new"
    if before is None:
        return "added"
    if before in _BAD and after is Status.PASS:
        return "fixed"
    if before == after:
        return None
    if after in _OPEN and before not in _OPEN:
        return "undetermined"
    if before in _OPEN and after not in _OPEN:
        return "determined"
    return "other"


def _things(thing: Thing, before: Mapping[str, Any], after: Mapping[str, Any]) -> ThingChange | None:
    old, why_old = _items(before.get(thing.fact))
    new, why_new = _items(after.get(thing.fact))
    if old is None and new is None:
        return None
    if old is None or new is None:
        which = "上次" if old is None else "本次"
        return ThingChange(thing.label, (), (), f"{which}没有读到，无法比较：{why_old or why_new}")
    had = {_key(thing, i): i for i in old}
    has = {_key(thing, i): i for i in new}
    added = tuple(_name(thing, has[k]) for k in has if k not in had)
    removed = tuple(_name(thing, had[k]) for k in had if k not in has)
    doubts = []
    if added and why_old:
        doubts.append(f"上次只读到一部分（{why_old}），新增的可能早已存在")
    if removed and why_new:
        doubts.append(f"本次只读到一部分（{why_new}），减少的可能仍然存在")
    if not added and not removed:
        return None
    return ThingChange(thing.label, tuple(sorted(added)), tuple(sorted(removed)), "；".join(doubts))


def _items(entry: Any) -> tuple[list[Mapping[str, Any]] | None, str]:
    """The items of a recorded list fact and what it may lack; None with the reason where there is no list."""
    if not isinstance(entry, Mapping):
        return None, "该次检查不含此项"
    if entry.get("status") == "absent":
        return [], ""
    if entry.get("status") != "known" or not isinstance(entry.get("value"), list):
        return None, str(entry.get("detail") or entry.get("cause") or "未知")
    gaps = entry.get("gaps") or []
    why = "、".join(dict.fromkeys(str(g.get("detail") or g.get("cause")) for g in gaps if isinstance(g, Mapping)))
    return [i for i in entry["value"] if isinstance(i, Mapping)], why


def _key(thing: Thing, item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_text(item.get(k)) for k in thing.key)


def _name(thing: Thing, item: Mapping[str, Any]) -> str:
    return " ".join(t for t in (_text(item.get(k)) for k in thing.name) if t)


def _text(value: Any) -> str:
    # An unknown field is an object with its cause: it tells nothing apart.
    return "" if value is None or isinstance(value, (Mapping, list)) else str(value)


def _identity(before: ScanResult, after: ScanResult) -> tuple[str, ...]:
    old, new = before.host, after.host
    found = []
    for label, a, b in (
        ("计算机名", (old.hostname,), (new.hostname,)),
        ("IP 地址", old.addresses, new.addresses),
        ("MAC 地址", tuple(m.lower() for m in old.macs), tuple(m.lower() for m in new.macs)),
        ("操作系统", (old.os_version,), (new.os_version,)),
    ):
        if set(a) != set(b) and any(a) and any(b):
            found.append(f"{label}由“{'、'.join(a)}”变为“{'、'.join(b)}”")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Streak:
    """How long a rule has had its present status, counted over the checks that were made."""

    status: Status
    since: date
    """Day of the first check in the unbroken row of checks with this status."""
    checks: int
    weeks: int
    """How many different ISO weeks those checks lie in."""
    recurrences: int
    """How often the rule became 不符合 again after it had been 符合, over all checks."""


Statuses = tuple[date, Mapping[str, Status]]
"""The day of a check, and the status of every rule it judged."""


def statuses_of(result: ScanResult) -> Statuses:
    """What :func:`streaks` needs of a check."""
    return datetime.fromisoformat(result.started_at).date(), {f.rule_id: f.status for f in result.findings}


def streaks(checks: Sequence[Statuses]) -> dict[str, Streak]:
    """The streak of every rule of the newest check. ``checks`` are one terminal's, oldest first."""
    found: dict[str, Streak] = {}
    if not checks:
        return found
    by_rule: dict[str, list[tuple[date, Status]]] = {rule_id: [] for rule_id in checks[-1][1]}
    for day, statuses in checks:
        # A scan limited to other rules says nothing of those it left out.
        for rule_id, status in statuses.items():
            if rule_id in by_rule:
                by_rule[rule_id].append((day, status))
    for rule_id, history in by_rule.items():
        status = history[-1][1]
        row = [day for day, _ in takewhile(lambda h, s=status: h[1] is s, reversed(history))]  # type: ignore[misc]
        weeks = {d.isocalendar()[:2] for d in row}
        found[rule_id] = Streak(status, row[-1], len(row), len(weeks), recurrences(s for _, s in history))
    return found


def recurrences(statuses: Iterable[Status]) -> int:
    """How often 不符合 came back after 符合; what could not be judged in between neither ends nor begins a problem."""
    count, seen_bad, cleared = 0, False, False
    for status in statuses:
        if status is Status.PASS:
            cleared = seen_bad
        elif status in _BAD:
            if cleared:
                count += 1
            seen_bad, cleared = True, False
    return count
