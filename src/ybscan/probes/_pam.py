"""PAM stacks: read, flatten and play through, without running PAM.

Sources: pam.conf(5) for the syntax and the meaning of controls; Linux-PAM's dispatcher for jumps, substacks and what
counts as success; Debian's ``@include``. A service without its own file, or without lines of a type, takes ``other``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

#: First wins. The later ones are where distributions with a stateless /etc put the vendor's files.
_FOLDERS = ("/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d", "/usr/share/pam.d")
_TYPES = frozenset({"auth", "account", "password", "session"})
_MAX_DEPTH = 16
_MAX_LINES = 1000
#: How many combinations of what modules may answer are played through before we give up.
_MAX_PLAYS = 4096

_TOKEN = re.compile(r"\[((?:\\.|[^\]\\])*)\]|(\S+)")
_KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}
_ACTIONS = frozenset({"ignore", "ok", "done", "bad", "die", "reset"})

Answers = tuple[str, ...]
"""What a module may answer in a scenario: ``success``, ``ignore``, ``auth_err``, ``user_unknown``."""

ANY: Answers = ("success", "ignore", "auth_err", "user_unknown")


@dataclass(frozen=True, slots=True)
class Module:
    """One line of a flattened stack. A substack's own line has an empty name; its content lies one level deeper."""

    name: str
    """``pam_unix`` for ``/lib/security/pam_unix.so``."""
    actions: Mapping[str, str]
    args: tuple[str, ...]
    level: int
    source: str
    file: str = ""
    """The module as the line writes it."""
    may_lack: bool = False
    """Whether the line begins with ``-``: without the module it counts for nothing."""

    def action(self, answer: str) -> str:
        """What the line does with an answer."""
        return self.actions.get(answer, self.actions["default"])

    def option(self, name: str) -> str | None:
        """The last ``name=value`` of the arguments; None without one."""
        values = [a.partition("=")[2] for a in self.args if a.partition("=")[0] == name and "=" in a]
        return values[-1] if values else None


Chain = tuple[Module, ...]


class _Bad(Exception):
    def __init__(self, why: Unknown) -> None:
        super().__init__(why.text)
        self.why = why


def has_service(host: Host, service: str) -> Reading[str]:
    """The file of a service; Absent when it has none of its own."""
    for folder in _FOLDERS:
        path = f"{folder}/{service}"
        found = host.files.stat(path=path)
        if isinstance(found, Unknown):
            return found
        if isinstance(found, Known):
            return Known(path, path)
    return Absent(f"{_FOLDERS[0]}/{service}")


def chain(host: Host, service: str, kind: str, present: Reading[frozenset[str]]) -> Reading[Chain]:
    """The flattened stack of ``kind`` (``auth``, ``password``) that holds for a service.

    Args:
        present: the module files of the system, as :func:`installed` gives them.

    Absent when neither the service nor ``other`` has lines; Unknown when a file cannot be read or makes no sense, an
    include leads in a circle or nowhere, or a module that the stack needs is not on the disk (PAM then refuses everyone).
    """
    origin = f"{_FOLDERS[0]}/{service}"
    try:
        for name in (service, "other"):
            found = tuple(_flatten(host, name, kind, 0, ()))
            if found:
                return _with_files(host, found, present, origin)
    except _Bad as e:
        return e.why
    return Absent(origin)


def installed(host: Host) -> Reading[frozenset[str]]:
    """The names of the module files in the system's module folders."""
    names: set[str] = set()
    seen = False
    for base in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        entries = host.files.entries(path=base)
        if isinstance(entries, Unknown):
            return entries
        folders = entries.value if isinstance(entries, Known) else ()
        for folder in (base, *(f"{base}/{n}" for n in folders if "-linux-" in n)):
            modules = host.files.entries(path=f"{folder}/security")
            if isinstance(modules, Unknown):
                return modules
            if isinstance(modules, Known):
                seen = True
                names.update(n for n in modules.value if n.endswith(".so"))
    if not seen:
        return Unknown(Cause.UNAVAILABLE, "没有找到 PAM 模块所在文件夹", "/usr/lib/security")
    return Known(frozenset(names), "/usr/lib/security")


def _with_files(host: Host, found: Chain, present: Reading[frozenset[str]], origin: str) -> Reading[Chain]:
    kept = []
    for module in found:
        there = not module.name or _on_disk(host, module, present)
        if isinstance(there, Unknown):
            return there
        if not there and not module.may_lack:
            return Unknown(Cause.UNAVAILABLE, f"{module.source} 使用的模块 {module.file} 不在系统中", module.source)
        if there:
            kept.append(module)
    return Known(tuple(kept), origin)


def _on_disk(host: Host, module: Module, present: Reading[frozenset[str]]) -> bool | Unknown:
    if module.file.startswith("/"):
        path = module.file.replace("$ISA", "")
        found = host.files.stat(path=path)
        return found if isinstance(found, Unknown) else isinstance(found, Known)
    if not isinstance(present, Known):
        return present if isinstance(present, Unknown) else False
    return module.file.rsplit("/", 1)[-1] in present.value


# ---------------------------------------------------------------------------------------------------------- reading


def _text(host: Host, name: str) -> tuple[str, str] | None:
    places = (name,) if name.startswith("/") else tuple(f"{f}/{name}" for f in _FOLDERS)
    for path in places:
        text = host.files.text(path=path, limit=256 * 1024)
        if isinstance(text, Unknown):
            raise _Bad(text)
        if isinstance(text, Known):
            return path, text.value
    return None


def _flatten(host: Host, name: str, kind: str, level: int, inside: tuple[str, ...]) -> Iterator[Module]:
    if name in inside or len(inside) >= _MAX_DEPTH:
        raise _Bad(Unknown(Cause.MALFORMED, f"PAM 配置 {name} 的引用成环或层数过多", name))
    found = _text(host, name)
    if found is None:
        if inside:
            raise _Bad(Unknown(Cause.MALFORMED, f"{inside[-1]} 引用的 {name} 不存在", name))
        return
    path, text = found
    lines = text.replace("\\\n", " ").replace("\\\r\n", " ").split("\n")
    if len(lines) > _MAX_LINES:
        raise _Bad(Unknown(Cause.TOO_LARGE, path, path))
    for line in lines:
        yield from _line(host, path, line.split("#", 1)[0].strip(), kind, level, (*inside, name))


def _line(host: Host, path: str, line: str, kind: str, level: int, inside: tuple[str, ...]) -> Iterator[Module]:
    tokens = _TOKEN.findall(line)
    if not tokens:
        return
    words = [bracket or word for bracket, word in tokens]
    if words[0] == "@include" and len(words) == 2:
        yield from _flatten(host, words[1], kind, level, inside)
        return
    may_lack = words[0].startswith("-")
    of = words[0].removeprefix("-").lower()
    if of not in _TYPES or len(words) < 3:
        raise _Bad(Unknown(Cause.MALFORMED, f"{path} 中有无法识别的行", path))
    if of != kind:
        return
    control = words[1].lower()
    if not tokens[1][0] and control in ("include", "substack"):
        deeper = level
        if control == "substack":
            yield Module("", {"default": "ignore"}, (), level, path)
            deeper = level + 1
        yield from _flatten(host, words[2], kind, deeper, inside)
        return
    actions = _actions(words[1]) if tokens[1][0] else _KEYWORDS.get(control)
    if actions is None:
        raise _Bad(Unknown(Cause.MALFORMED, f"{path} 中的控制字段 {words[1][:40]} 无法识别", path))
    name = words[2].rsplit("/", 1)[-1].removesuffix(".so")
    yield Module(name, actions, tuple(words[3:]), level, path, words[2], may_lack)


def _actions(text: str) -> Mapping[str, str] | None:
    actions = {"default": "bad"}
    for part in text.split():
        answer, sign, action = part.partition("=")
        action = action.lower()
        if not sign or not (action in _ACTIONS or action.isdecimal()):
            return None
        actions[answer.lower()] = action
    return actions


# ---------------------------------------------------------------------------------------------------------- playing


@dataclass(frozen=True, slots=True)
class Play:
    """One run through a stack: whether PAM says yes, and which lines ran, in order."""

    granted: bool
    ran: tuple[int, ...]


def play(modules: Chain, answers: Sequence[str]) -> Play:
    """Run a stack, each line answering as told."""
    verdict: bool | None = None  # None undecided, True positive, False negative
    success = False
    saved: dict[int, tuple[bool | None, bool]] = {0: (None, False)}
    ran: list[int] = []
    at = 0
    while at < len(modules):
        module = modules[at]
        level = module.level
        if not module.name:
            saved[level + 1] = (verdict, success)
            at += 1
            continue
        ran.append(at)
        answer = answers[at]
        action = module.action(answer)
        decided = False
        if action == "reset":
            verdict, success = saved[level]
        elif action in ("ok", "done"):
            if verdict is None or (verdict and success):
                verdict, success = True, answer == "success"
            decided = action == "done" and verdict is True
        elif action in ("bad", "die"):
            verdict, success = False, False
            decided = action == "die"
        elif action != "ignore":
            at, short = _jump(modules, at, int(action), level)
            if short:
                verdict, success = False, False
        if decided:
            while at + 1 < len(modules) and modules[at + 1].level >= level:
                at += 1
        at += 1
    return Play(verdict is True and success, tuple(ran))


def _jump(modules: Chain, at: int, count: int, level: int) -> tuple[int, bool]:
    """Where a jump over ``count`` lines lands (a substack counts as one), and whether it leads too far."""
    while count and at + 1 < len(modules) and modules[at + 1].level >= level:
        at += 1
        while at + 1 < len(modules) and modules[at + 1].level > level:
            at += 1
        count -= 1
    return at, count > 0


def plays(modules: Chain, may_answer: Callable[[Module], Answers]) -> list[Play] | None:
    """Every run that the modules' possible answers allow; None when there are too many to tell."""
    choices: list[list[str]] = []
    total = 1
    for module in modules:
        # Answers that the line treats alike are one.
        distinct = {(module.action(a), a == "success"): a for a in reversed(may_answer(module) if module.name else ANY)}
        options = sorted(distinct.values()) if module.name else ["ignore"]
        choices.append(options)
        total *= len(options)
        if total > _MAX_PLAYS:
            return None
    return [play(modules, answers) for answers in product(*choices)]
