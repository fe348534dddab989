"""Rules of the kernel's audit, as rule files and ``auditctl -l`` write them. Pure.

Source: auditctl(8), audit.rules(7). Only what bears on watches of files is kept; the order matters: the first rule of a
list that matches an event decides.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

_NEVER_TASK = re.compile(r"^(never,task|task,never)$")


@dataclass(frozen=True, slots=True)
class Watch:
    """Writing to (``w``) and changing the attributes of (``a``) a file or everything below a folder is recorded."""

    path: str
    below: bool
    """Whether it covers what lies below ``path``."""
    permissions: str


@dataclass(frozen=True, slots=True)
class AuditRules:
    """The watches in force, whether recording is switched off for all tasks, and how many lines made no sense."""

    watches: tuple[Watch, ...]
    off: bool
    strange: int


def parse_rules(text: str) -> AuditRules:
    """Rules from a file or from ``auditctl -l``, which says ``No rules`` where there are none."""
    watches: list[Watch] = []
    off = False
    strange = 0
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#") or line.strip() == "No rules":
            continue
        try:
            words = shlex.split(line, comments=False)
        except ValueError:
            strange += 1
            continue
        if words[:1] == ["-D"]:
            watches, off = [], False
        elif words[:1] in (["-w"], ["-a"], ["-A"]):
            off = off or _all_tasks_off(words)
            watch = _watch(words)
            if watch is not None:
                watches.append(watch)
        elif not words or not re.fullmatch(r"-[A-Za-z]|--[a-z-]+", words[0]):
            strange += 1
    return AuditRules(tuple(watches), off, strange)


def _all_tasks_off(words: list[str]) -> bool:
    """``-a task,never`` without conditions: no system call of any new process is recorded, watches included."""
    return len(words) == 2 and bool(_NEVER_TASK.match(words[1]))


def _values(words: list[str], option: str) -> list[str]:
    return [words[i + 1] for i, w in enumerate(words[:-1]) if w == option]


def _watch(words: list[str]) -> Watch | None:
    if words[0] == "-w" and len(words) >= 2:
        permissions = (_values(words, "-p") or ["rwxa"])[-1]
        # A watch on a folder covers all below it; on a file the extra reach does no harm.
        return Watch(words[1].rstrip("/") or "/", True, permissions)
    if (
        words[0] in ("-a", "-A")
        and len(words) >= 2
        and set(words[1].split(",")) in ({"always", "exit"}, {"exit", "always"})
    ):
        fields = dict(
            f.split("=", 1) for f in _values(words, "-F") if "=" in f and "!" not in f and ">" not in f and "<" not in f
        )
        path = fields.get("path") or fields.get("dir")
        # Other conditions (a uid, an exit code) leave something out: no full watch then.
        extra = {f for f in fields if f not in ("path", "dir", "perm", "key", "arch")}
        bare = [f for f in _values(words, "-F") if f.partition("=")[0] not in fields]
        calls = _values(words, "-S")
        if path and not extra and not bare and "perm" in fields and (not calls or calls == ["all"]):
            return Watch(path.rstrip("/") or "/", "dir" in fields, fields["perm"])
    return None


def covered(rules: AuditRules, path: str) -> bool:
    """Whether writing to ``path`` and changing its attributes is recorded."""
    if rules.off:
        return False
    found: set[str] = set()
    for watch in rules.watches:
        if path == watch.path or (watch.below and _below(path, watch.path)):
            found.update(watch.permissions)
    return {"w", "a"} <= found


def _below(path: str, folder: str) -> bool:
    return path.startswith("/" if folder == "/" else f"{folder}/")


def joined(parts: Iterable[AuditRules]) -> AuditRules:
    """Rules of several files as one."""
    every = list(parts)
    return AuditRules(
        tuple(w for p in every for w in p.watches), any(p.off for p in every), sum(p.strange for p in every)
    )
