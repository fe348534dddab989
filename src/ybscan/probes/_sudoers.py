"""sudoers: who may run what as whom. Files are read and parsed; sudo itself is never asked.

Source: sudoers(5). What a rule grants is reduced to what matters here: everything or some commands, as root or as
somebody else, with or without a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown

FILE = "/etc/sudoers"
_MAX_DEPTH = 16
_MAX_EXPANSIONS = 1000
_TAGS = (
    "NOPASSWD|PASSWD|NOEXEC|EXEC|NOSETENV|SETENV|NOLOG_INPUT|LOG_INPUT|NOLOG_OUTPUT|LOG_OUTPUT|NOMAIL|MAIL|NOFOLLOW"
    "|FOLLOW|NOINTERCEPT|INTERCEPT"
)
_TAG = re.compile(rf"(?<![\w/])({_TAGS})\s*:")
_DIGEST = re.compile(r"\bsha(?:224|256|384|512)\s*:\s*[\w+/=]+(?=\s)")
_OPTION = re.compile(r"^(?:ROLE|TYPE|PRIVS|LIMITPRIVS|TIMEOUT|NOTBEFORE|NOTAFTER|CWD|CHROOT|APPARMOR_PROFILE)=\S+\s*")
_INCLUDE = re.compile(r'^[@#](include|includedir)\s+(?:"([^"]+)"|(\S.*))$')
_ALIAS = re.compile(r"^(User|Runas|Host|Cmnd|Cmd)_Alias\b\s*(.*)$")
#: A comment begins at a #, unless it is escaped or begins a number (a uid).
_COMMENT = re.compile(r"(?<!\\)#(?!\d+(?:[\s,=)]|$)).*$")
_DEFAULTS = re.compile(r"^Defaults(?:[@:!>]\S+)?(?:\s|$)")
#: Commands that give a shell as the target user: whoever may run one of them may do everything.
_SHELLS = frozenset({"su", "bash", "sh", "dash", "zsh", "ksh", "csh", "tcsh", "fish", "visudo", "sudo"})


@dataclass(frozen=True, slots=True)
class Grant:
    """One user specification, with its aliases expanded."""

    users: tuple[str, ...]
    """As written: names, ``#uid``, ``%group``, ``%#gid``, ``+netgroup``, ``ALL``; with ``!`` before those excepted."""
    hosts: tuple[str, ...]
    as_root: bool | None
    """None where exceptions make it unclear."""
    everything: bool
    """All commands, or one that gives a shell."""
    no_password: bool
    path: str


@dataclass
class Sudoers:
    """Everything the files say, and what of them could not be read."""

    grants: list[Grant] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    others_password: bool = False
    """Whether sudo asks for root's or the target's password (targetpw, rootpw, runaspw) instead of the user's own."""
    never_asks: bool = False
    """``Defaults !authenticate``."""


@dataclass
class _State:
    out: Sudoers
    hostname: str
    aliases: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    lines: list[tuple[str, str]] = field(default_factory=list)
    read: int = 0


def read_sudoers(host: Host, hostname: str) -> Sudoers | Absent | Unknown:
    """All rules in force. Absent without /etc/sudoers: nobody may use sudo."""
    state = _State(Sudoers(), hostname)
    text = host.files.text(path=FILE)
    if not isinstance(text, Known):
        return text
    _collect(host, state, FILE, text.value, 0)
    for path, line in state.lines:
        if m := _ALIAS.match(line):
            _alias(state, "Cmnd" if m[1] == "Cmd" else m[1], m[2], path)
    for path, line in state.lines:
        if _DEFAULTS.match(line):
            _defaults(state.out, line)
        elif not _ALIAS.match(line):
            _specification(state, path, line)
    return state.out


def _collect(host: Host, state: _State, path: str, text: str, depth: int) -> None:
    for raw in re.sub(r"\\\r?\n[ \t]*", " ", text).split("\n"):
        line = raw.strip()
        if m := _INCLUDE.match(line):
            _include(host, state, m[1], (m[2] or m[3]).strip(), path, depth)
            continue
        line = _COMMENT.sub("", line).strip()
        if line:
            state.lines.append((path, line))


def _include(host: Host, state: _State, kind: str, target: str, path: str, depth: int) -> None:
    state.read += 1
    if depth >= _MAX_DEPTH or state.read > _MAX_EXPANSIONS:
        state.out.gaps.append(Gap(Cause.MALFORMED, f"{path} 的引用层数或数量过多", path))
        return
    target = target.replace("%h", state.hostname.split(".", 1)[0]).replace("\\ ", " ")
    if not target.startswith("/"):
        target = f"{path.rsplit('/', 1)[0]}/{target}"
    files = [target]
    if kind == "includedir":
        names = host.files.entries(path=target)
        if isinstance(names, Unknown):
            state.out.gaps.append(names.as_gap())
        # Names with a dot or a tilde at the end are left out, sudoers(5).
        listed = names.value if isinstance(names, Known) else ()
        files = [f"{target.rstrip('/')}/{n}" for n in listed if "." not in n and not n.endswith("~")]
    for file in files:
        text = host.files.text(path=file)
        if isinstance(text, Unknown):
            state.out.gaps.append(text.as_gap())
        elif isinstance(text, Known):
            _collect(host, state, file, text.value, depth + 1)


def _alias(state: _State, kind: str, text: str, path: str) -> None:
    for part in re.split(r"(?<!\\):(?=\s*[A-Z][A-Z0-9_]*\s*=)", _DIGEST.sub("", text)):
        name, sign, value = part.partition("=")
        if sign and re.fullmatch(r"[A-Z][A-Z0-9_]*", name.strip()):
            state.aliases[kind, name.strip()] = _listed(value)
        else:
            state.out.gaps.append(Gap(Cause.MALFORMED, f"{path} 中的别名无法识别", path))


def _defaults(out: Sudoers, line: str) -> None:
    words = {w.strip() for w in re.sub(r'"[^"]*"', "", line.partition(" ")[2]).split(",")}
    if words & {"targetpw", "rootpw", "runaspw"}:
        out.others_password = True
    if "!authenticate" in words:
        out.never_asks = True


def _listed(text: str) -> list[str]:
    return [re.sub(r"^!\s+", "!", w.strip()) for w in re.split(r"(?<!\\),", text) if w.strip()]


def _expanded(state: _State, kind: str, words: list[str], inside: tuple[str, ...] = ()) -> list[str]:
    found: list[str] = []
    for word in words:
        bare = word.lstrip("!")
        known = state.aliases.get((kind, bare))
        if known is None or bare in inside:
            found.append(word)
            continue
        turned = (len(word) - len(bare)) % 2 == 1
        for one in _expanded(state, kind, known, (*inside, bare)):
            found.append(one.removeprefix("!") if turned and one.startswith("!") else f"!{one}" if turned else one)
        if len(found) > _MAX_EXPANSIONS:
            break
    return found


def _specification(state: _State, path: str, line: str) -> None:
    text = re.sub(r"\s*(?<!\\),\s*", ",", line)
    text = re.sub(r"!\s+", "!", text)
    text = re.sub(r'"([^"]*)"', lambda m: m[1].replace(" ", "\x03") or '""', text.replace("\\ ", "\x03"))
    users, _, rest = text.partition(" ")
    if "\t" in users:
        users, _, more = users.partition("\t")
        rest = f"{more} {rest}"
    # Colons that part no specifications (in (user:group), after a tag, in a digest), commas that part no commands.
    rest = re.sub(r"\(([^()]*)\)", _run_as, rest)
    rest = _TAG.sub(lambda m: f"\x01{m[1]}\x01 ", _DIGEST.sub("", rest))
    specifications = re.split(r"(?<!\\):", rest)
    if not users or any("=" not in s for s in specifications):
        state.out.gaps.append(Gap(Cause.MALFORMED, f"{path} 中有无法识别的行", path))
        return
    names = tuple(w.replace("\x03", " ") for w in _expanded(state, "User", _listed(users)))
    for one in specifications:
        hosts, _, commands = one.partition("=")
        where = tuple(_expanded(state, "Host", _listed(hosts)))
        state.out.grants.extend(_grants(state, names, where, commands, path))


def _run_as(found: re.Match[str]) -> str:
    return "(" + re.sub(r"\s", "", found[1]).replace(":", "\x02").replace(",", "\x04") + ")"


def _grants(state: _State, users: tuple[str, ...], hosts: tuple[str, ...], commands: str, path: str) -> Iterator[Grant]:
    as_root: bool | None = True
    no_password = False
    for raw in re.split(r"(?<!\\),", commands):
        word = raw.strip()
        if m := re.match(r"\(([^()]*)\)\s*", word):
            as_root = _root(state, m[1])
            word = word[m.end() :]
        while True:
            if m := re.match(r"\x01(\w+)\x01\s*", word):
                no_password = {"NOPASSWD": True, "PASSWD": False}.get(m[1], no_password)
            elif not (m := _OPTION.match(word)):
                break
            word = word[m.end() :]
        for command in _expanded(state, "Cmnd", [word]):
            if command and not command.startswith("!"):
                yield Grant(users, hosts, as_root, _everything(command), no_password, path)


def _root(state: _State, text: str) -> bool | None:
    users = text.split("\x02", 1)[0]
    if not users:
        return False  # (:group), as oneself
    words = _expanded(state, "Runas", _listed(users.replace("\x04", ",")))
    if any(w.startswith("!") for w in words):
        return None
    return any(w in ("ALL", "root", "#0", "%root", "%wheel") for w in words)


def _everything(command: str) -> bool:
    program = command.split("\x03", 1)[0].split(None, 1)
    if command == "ALL":
        return True
    # With arguments a shell may be held to one script; without any it takes every argument, "" allows none.
    return len(program) == 1 and program[0].rsplit("/", 1)[-1] in _SHELLS
