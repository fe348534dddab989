"""What a command line starts, for unit files and cron tables. The line itself is never kept: it may hold secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ybscan.probes._software.text import shown

#: Folders anybody may write to; what starts from there at boot can be replaced by anybody.
WORLD_WRITABLE = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 - named, never written to
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "busybox"})
_INTERPRETERS = _SHELLS | {"python", "python2", "python3", "perl", "ruby", "node", "php", "lua", "java"}
_WRAPPERS = frozenset(
    {
        "env", "nohup", "sudo", "nice", "ionice", "setsid", "exec", "time", "command", "chronic", "flock", "timeout",
        "run-parts", "stdbuf", "start-stop-daemon",
    }
)  # fmt: skip
#: Short options of the wrappers that take a value as the next word.
_WITH_VALUE = frozenset({"-u", "-g", "-h", "-p", "-n", "-c", "-s", "-k", "-w", "-E", "-C", "-t", "-o", "-e", "-i"})
#: … but not in these: ``sudo -n``, ``flock -n`` and the like are switches.
_ALONE = {
    "-n": ("flock", "sudo"), "-s": ("flock", "sudo"), "-e": ("flock", "sudo", "chronic"), "-i": ("sudo", "env"), "-E": ("sudo",),
    "-k": ("sudo",), "-p": ("time", "command"), "-t": ("ionice",), "-c": ("setsid", "exec"), "-w": ("setsid",),
}  # fmt: skip
_FETCHERS = frozenset({"curl", "wget", "lwp-download"})
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([^\s"\';|&]+)')
_LIMIT = 8192


@dataclass(frozen=True, slots=True)
class Started:
    """The programs of a command, and why one of them is suspicious (empty when none is)."""

    programs: tuple[str, ...]
    why: str = ""

    @property
    def text(self) -> str:
        """The programs as one text, for ids and reports."""
        return shown("+".join(self.programs[:6]), 200)


def started(command: str) -> Started:
    """The programs a command starts: the first word of each part, scripts of interpreters, what wrappers start."""
    command = command.strip()[:_LIMIT].lstrip("-@:+!|")
    programs: list[str] = []
    for part in _parts(command):
        programs.extend(_programs([a or b or c for a, b, c in _WORD.findall(part)], depth=3))
    found = tuple(dict.fromkeys(p for p in programs if p))
    loose = next((p for p in found if p.startswith(WORLD_WRITABLE)), "")
    if loose:
        return Started(found, f"程序位于任何人可写的文件夹：{loose}")
    bases = {p.rsplit("/", 1)[-1] for p in found}
    if bases & _FETCHERS and bases & _SHELLS and "|" in command:
        return Started(found, "从网络下载内容并直接执行")
    return Started(found)


def _parts(command: str) -> list[str]:
    """The command split at ``;``, ``&`` and ``|`` outside of quotes."""
    parts, quote, here = [], "", ""
    for c in command:
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c in ";|&\n()":
            parts.append(here)
            here = ""
            continue
        here += c
    return [p for p in (*parts, here) if p.strip()]


def _programs(words: list[str], *, depth: int) -> list[str]:
    while words and (
        re.match(r"[A-Za-z_][A-Za-z0-9_]*=", words[0]) or words[0] in ("[", "test", "if", "then", "!", "{")
    ):
        if words[0] in ("[", "test"):
            return []
        words = words[1:]
    if not words:
        return []
    program, rest = words[0], words[1:]
    base = re.sub(r"[\d.]+$", "", program.rsplit("/", 1)[-1])
    found = [program]
    if not depth:
        return found
    if base in _INTERPRETERS:
        if base in _SHELLS and any(re.fullmatch(r"-[a-z]*c[a-z]*", w) for w in rest[:3]):
            at = next(i for i, w in enumerate(rest) if re.fullmatch(r"-[a-z]*c[a-z]*", w))
            inner = started(rest[at + 1]) if at + 1 < len(rest) else Started(())
            return found + list(inner.programs)
        script = next((w for w in rest if not w.startswith("-")), "")
        return [*found, script] if script.startswith(("/", ".", "~")) else found
    if base in _WRAPPERS:
        # Their own options and numbers come first; a flock has its lock file before the command.
        while rest and (rest[0].startswith("-") or re.fullmatch(r"\d+[smhd]?", rest[0])):
            rest = rest[2:] if rest[0] in _WITH_VALUE and base not in _ALONE.get(rest[0], ()) else rest[1:]
        if base == "flock":
            rest = rest[1:]
        return found + _programs(rest, depth=depth - 1)
    return found
