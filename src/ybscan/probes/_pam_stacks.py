"""What whole PAM stacks come to: password rules and lockout of one service.

A password stack is run twice (pam_chauthtok(3)): first every module agrees to the change, then the new password is
asked for and stored. A refused password is kept out in one of two ways, observed with Linux-PAM 1.5: the line of the
checking module ends the run there and then (``requisite``), or the storing module accepts only a password that an
earlier one let through (``use_authtok``). With ``required`` and no ``use_authtok`` pam_unix asks again by itself and
stores what was refused, although the command ends with an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Unknown
from ybscan.probes._pam import ANY, Answers, Chain, Module, Play, plays
from ybscan.probes._pam_modules import (
    Demands,
    Lock,
    cracklib,
    deepin,
    faillock,
    passwdqc,
    pwhistory,
    pwquality,
    tally,
    unix,
)  # fmt: skip

Effect = Literal["yes", "no", "maybe"]

_YES: Answers = ("success",)
_NO: Answers = ("auth_err",)
_SKIP: Answers = ("ignore",)
#: Modules that have their say only about accounts of a directory; for a local account they step aside.
_DIRECTORY = frozenset({"pam_sss", "pam_ldap", "pam_krb5", "pam_winbind", "pam_nslcd"})
#: Modules that ask for something else than the password.
OTHER_FACTORS = frozenset({"pam_fprintd", "pam_u2f", "pam_pkcs11", "pam_p11"})
_COUNTERS = frozenset({"pam_tally", "pam_tally2"})
_PASSWORD_MODULES = frozenset(
    {"pam_unix", "pam_pwquality", "pam_cracklib", "pam_passwdqc", "pam_pwhistory", "pam_deepin_pw_check"}
)
#: Modules that let a normal login pass and neither check passwords nor count failures.
_NEUTRAL = frozenset(
    {
        "pam_access", "pam_cap", "pam_env", "pam_group", "pam_keyinit", "pam_limits", "pam_listfile",
        "pam_localuser", "pam_loginuid", "pam_lastlog", "pam_lastlog2", "pam_mail", "pam_mkhomedir", "pam_motd",
        "pam_namespace", "pam_nologin", "pam_permit", "pam_securetty", "pam_selinux", "pam_shells",
        "pam_systemd", "pam_time", "pam_umask",
    }
)  # fmt: skip
#: Modules that step aside; the last two (one module, two names) for everyone whom sepermit.conf does not name.
_SILENT = frozenset({"pam_echo", "pam_faildelay", "pam_issue", "pam_warn", "pam_sepermit", "pam_selinux_permit"})
#: Modules whose answer we do not foresee, but of which it is known that they set no rule for passwords or failures.
_HARMLESS = frozenset(
    {
        "pam_ecryptfs", "pam_gnome_keyring", "pam_kwallet", "pam_kwallet5", "pam_mount", "pam_rootok", "pam_succeed_if",
        "pam_usertype", "pam_wheel", "pam_ssh", "pam_ssh_agent_auth", "pam_console", "pam_deny", "pam_gdm",
    }
)  # fmt: skip

_FLAGS = frozenset({"debug", "use_uid", "quiet", "quiet_fail", "quiet_success", "audit"})
_SUCCEED_IF = re.compile(r"^(uid)\s+(>=|<=|>|<|eq|ge|gt|le|lt|=|==|ne|!=)\s+(\d+)$")


def recognised(module: Module) -> bool:
    """Whether we know what the module is for."""
    return module.name in (
        _DIRECTORY | OTHER_FACTORS | _COUNTERS | _PASSWORD_MODULES | _NEUTRAL | _SILENT | _HARMLESS | {"", "pam_faillock"}
    )  # fmt: skip


def common(module: Module) -> Answers:
    """What a module answers about an ordinary local account, as far as both scenarios agree."""
    name = module.name
    if name in _NEUTRAL or name in _COUNTERS:
        return _YES
    if name in _SILENT:
        return _SKIP
    if name in ("pam_deny", "pam_rootok"):
        return _NO
    if name in _DIRECTORY:
        return "ignore", "user_unknown"
    if name == "pam_usertype":
        return _YES if "isregular" in module.args else _NO
    if name == "pam_succeed_if":
        return _succeed_if(module)
    return ANY


def _succeed_if(module: Module) -> Answers:
    """pam_succeed_if for a person's account: not root, a uid from 1000 on, in none of the special groups."""
    text = " ".join(w for w in module.args if w not in _FLAGS)
    if re.fullmatch(r"user\s+ingroup\s+\S+", text) or re.fullmatch(r"user\s+(=|eq)\s+root", text):
        return _NO
    if re.fullmatch(r"user\s+notingroup\s+\S+", text) or re.fullmatch(r"user\s+(!=|ne)\s+root", text):
        return _YES
    m = _SUCCEED_IF.match(text)
    if m and int(m[3]) in (0, 500, 1000):
        low = m[2] in ("<", "lt", "<=", "le", "=", "==", "eq")
        return _NO if low else _YES
    return ANY


# ------------------------------------------------------------------------------------------------------------ passwords


def _changing(module: Module) -> Answers:
    return _YES if module.name in _PASSWORD_MODULES else common(module)


def _effects(modules: Chain) -> list[Effect] | Unknown:
    """For every line, whether a weak password is stopped when the module refuses it."""
    runs = plays(modules, _changing)
    if runs is None:
        return Unknown(Cause.UNCONFIRMED, "口令配置过于复杂，不能推算", modules[0].source)
    stores = [i for i, m in enumerate(modules) if m.name == "pam_unix"]
    ways = [r.ran for r in runs if r.granted]
    if not ways or not stores:
        return Unknown(Cause.UNCONFIRMED, "口令配置中没有可识别的保存口令的模块", modules[0].source)
    return [_effect([_stops(modules, way, stores, i) for way in ways]) for i in range(len(modules))]


def _stops(modules: Chain, way: Sequence[int], stores: list[int], index: int) -> Effect:
    store = next((i for i in way if i in stores), None)
    if store is None:
        return "maybe"  # something else than pam_unix keeps the password on this way
    if index not in way or index > store:
        return "no"
    if index == store:
        return "yes"
    if "use_authtok" in modules[store].args:
        return "yes"
    # A substack that ends early does not end the stack around it.
    together = all(m.level >= modules[index].level for m in modules[index : store + 1])
    return "yes" if together and modules[index].action("authtok_err") == "die" else "no"


def _effect(parts: Sequence[Effect]) -> Effect:
    return parts[0] if len(set(parts)) == 1 else "maybe"


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """The rules of one service's password stack. ``doubts`` name modules that may demand more than we can tell."""

    demands: Demands
    doubts: tuple[str, ...]
    history_doubts: tuple[str, ...]
    length_known: bool
    """False where only pam_unix sets a length and its default is not known."""


def password_rules(host: Host, modules: Chain, *, debian: bool) -> PasswordRules | Unknown:
    """What the stack demands of a new password of an ordinary local account."""
    effects = _effects(modules)
    if isinstance(effects, Unknown):
        return effects
    total = Demands()
    doubts: list[str] = []
    history_doubts: list[str] = []
    length_known = False
    for module, effect in zip(modules, effects, strict=True):
        if not recognised(module):
            doubts.append(f"{module.name} 的口令规则无法识别")
            history_doubts.append(f"{module.name} 的口令规则无法识别")
            continue
        if module.name not in _PASSWORD_MODULES or effect == "no":
            continue
        if module.name == "pam_deepin_pw_check":
            history_doubts.append("deepin 口令模块是否检查历史口令未能确认")
        demands = _demands(host, module, debian=debian)
        if isinstance(demands, Unknown):
            # Nothing below may rest on a module we could not read; it might also have demanded everything.
            (history_doubts if module.name == "pam_pwhistory" else doubts).append(demands.text)
            if module.name == "pam_unix":
                history_doubts.append(demands.text)
            continue
        if effect == "maybe":
            why = f"{module.name} 是否真正起作用不能确定（检查 pam_unix 的 use_authtok 与各行次序）"
            (history_doubts if module.name == "pam_pwhistory" else doubts).append(why)
            continue
        length_known = length_known or demands.min_length > 0
        total = Demands(
            max(total.min_length, demands.min_length),
            max(total.classes, demands.classes),
            max(total.history, demands.history),
            total.for_root or demands.for_root,
        )
    return PasswordRules(total, tuple(dict.fromkeys(doubts)), tuple(dict.fromkeys(history_doubts)), length_known)


def _demands(host: Host, module: Module, *, debian: bool) -> Demands | Unknown:
    if module.name == "pam_unix":
        return unix(host, module, debian=debian)
    if module.name == "pam_pwquality":
        return pwquality(host, module)
    if module.name == "pam_cracklib":
        return cracklib(module)
    if module.name == "pam_passwdqc":
        return passwdqc(host, module)
    return pwhistory(host, module) if module.name == "pam_pwhistory" else deepin(host)


# -------------------------------------------------------------------------------------------------------------- lockout


def _logging_in(*, right: bool) -> Callable[[Module], Answers]:
    def answer(module: Module) -> Answers:
        name = module.name
        if name == "pam_rootok":
            return _YES  # it looks at who asks, and every program that lets people in runs as root
        if name == "pam_unix":
            return _YES if right else _NO
        if name == "pam_faillock":
            return _NO if "authfail" in module.args else _YES
        if name in OTHER_FACTORS or (name in _DIRECTORY and not right):
            return ("success", "auth_err") if right else _NO
        return common(module)

    return answer


def _runs(modules: Chain, *, right: bool, refuses: int | None = None) -> list[Play] | None:
    answer = _logging_in(right=right)
    refusing = modules[refuses] if refuses is not None else None

    def may_answer(module: Module) -> Answers:
        return _NO if module is refusing else answer(module)

    return plays(modules, may_answer)


#: Vendors' modules that ask a person for something (a face, a finger, the password itself).
_VENDOR_PROMPTS = frozenset({"pam_deepin_auth", "pam_deepin_authentication", "pam_biometric"})


def opens_to_anyone(modules: Chain) -> bool | None:
    """Whether the stack grants a login although every password is wrong; None when a module we do not know decides."""
    answer = _logging_in(right=False)
    runs = plays(modules, lambda m: _NO if m.name in _VENDOR_PROMPTS else answer(m))
    if runs is None:
        return None
    granted = [r.granted for r in runs]
    return True if granted and all(granted) else None if any(granted) else False


@dataclass(frozen=True, slots=True)
class Exempt:
    """Whom a stack lets in without a password: members of groups, users by name; ``unclear`` conditions as written."""

    groups: frozenset[str]
    users: frozenset[str]
    unclear: tuple[str, ...]


def exempt(modules: Chain) -> Exempt:
    """Every pam_succeed_if condition of the stack that alone lets someone in."""
    groups: set[str] = set()
    users: set[str] = set()
    unclear: list[str] = []
    ordinary = _logging_in(right=False)
    for module in modules:
        if module.name != "pam_succeed_if" or _succeed_if(module) == _YES:
            continue

        def may_answer(m: Module, met: Module = module) -> Answers:
            if m is met:
                return _YES
            # Vendors' modules ask for something too; what is in doubt here is this one condition.
            return _NO if m.name == "pam_succeed_if" or not recognised(m) else ordinary(m)

        runs = plays(modules, may_answer)
        if runs is not None and not any(r.granted for r in runs):
            continue
        words = " ".join(w for w in module.args if w not in _FLAGS)
        if m := re.fullmatch(r"user\s+ingroup\s+(\S+)", words):
            groups.update(m[1].split(":"))
        elif m := re.fullmatch(r"user\s+(?:=|eq|in)\s+(\S+)", words):
            users.update(m[1].split(":"))
        else:
            unclear.append(f"{module.source} 中 pam_succeed_if 的条件“{words[:60]}”")
    return Exempt(frozenset(groups), frozenset(users), tuple(dict.fromkeys(unclear)))


def lockout(host: Host, modules: Chain) -> Lock | Unknown:
    """How the stack locks an account after wrong passwords; ``attempts`` 0 when it does not."""
    wrong = _runs(modules, right=False)
    if wrong is None:
        return Unknown(Cause.UNCONFIRMED, "登录配置过于复杂，不能推算", modules[0].source)
    refused = [r for r in wrong if not r.granted]
    best: Lock | None = None
    doubts = [f"{m.name} 是否限制登录失败次数不能确定" for m in modules if not recognised(m)]
    for index, module in enumerate(modules):
        if module.name not in ("pam_faillock", *_COUNTERS) or "authfail" in module.args:
            continue
        counted = _effect([_counted(modules, r, index) for r in refused]) if refused else "no"
        gate = _gates(modules, index)
        if "no" in (counted, gate):
            continue
        lock = faillock(host, module) if module.name == "pam_faillock" else tally(module)
        if isinstance(lock, Unknown):
            doubts.append(lock.detail if lock.cause is Cause.UNCONFIRMED else lock.text)
        elif "maybe" in (counted, gate):
            doubts.append(f"{module.name} 是否真正起作用不能确定（检查各行次序与控制字段）")
        elif lock.attempts and (best is None or lock.attempts < best.attempts):
            best = lock
    if best is not None:
        return best
    return (
        Unknown(Cause.UNCONFIRMED, "；".join(dict.fromkeys(doubts)), modules[0].source) if doubts else Lock(0, 0, False)
    )


def _counted(modules: Chain, run: Play, gate: int) -> Effect:
    """Whether a wrong password is counted on this run: by pam_faillock's own line, or by the counting gate."""
    if modules[gate].name in _COUNTERS:
        return "yes" if gate in run.ran else "no"
    counters = [modules[i] for i in run.ran if modules[i].name == "pam_faillock" and "authfail" in modules[i].args]
    # What is counted in one folder is not seen by a gate that looks into another.
    return "yes" if any(c.option("dir") == modules[gate].option("dir") for c in counters) else "no"


def _gates(modules: Chain, index: int) -> Effect:
    """Whether a right password is refused when this line says no."""
    if modules[index].name == "pam_faillock" and not {"preauth", "authsucc"} & set(modules[index].args):
        return "no"
    runs = _runs(modules, right=True, refuses=index)
    if runs is None:
        return "maybe"
    free = [r.granted for r in runs]
    return "no" if all(free) else "yes" if not any(free) else "maybe"


def weakest(rules: Sequence[PasswordRules]) -> PasswordRules:
    """What holds whichever service a password is changed through."""
    first = rules[0]
    for one in rules[1:]:
        a, b = first.demands, one.demands
        first = replace(
            first,
            demands=Demands(
                min(a.min_length, b.min_length), min(a.classes, b.classes), min(a.history, b.history),
                a.for_root and b.for_root,
            ),
            doubts=tuple(dict.fromkeys(first.doubts + one.doubts)),
            history_doubts=tuple(dict.fromkeys(first.history_doubts + one.history_doubts)),
            length_known=first.length_known and one.length_known,
        )  # fmt: skip
    return first
