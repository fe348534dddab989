"""What single PAM modules demand, from their arguments and configuration files.

Sources: pam_pwquality(8), pwquality.conf(5), pam_cracklib(8), pam_passwdqc(8), pam_unix(8), pam_pwhistory(8),
pwhistory.conf(5), pam_faillock(8), faillock.conf(5), pam_tally2(8); deepin-pw-check's library for dde.conf.
All numbers are lower bounds of what is refused: what a module might demand beyond them is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._pam import Module

_CREDITS = ("dcredit", "ucredit", "lcredit", "ocredit")
_PWQUALITY_FLOOR = 6
#: Failures further apart than ``fail_interval`` do not add up; within less than this nobody types five passwords.
_SHORTEST_INTERVAL = 60
#: Releases whose libpwquality is older than 1.3: other defaults, and no pwquality.conf.d.
_OLD_PWQUALITY = re.compile(r"^(centos|rhel|ol|scientific|neokylin)-[67](\.|$)")


@dataclass(frozen=True, slots=True)
class Demands:
    """What a module demands of a new password. ``history`` is how many old passwords it refuses."""

    min_length: int = 0
    classes: int = 0
    history: int = 0
    for_root: bool = False


Conf = Mapping[str, str]


def conf_file(host: Host, path: str) -> Conf | Unknown | None:
    """``key = value`` lines (the equals sign may be missing), ``#`` comments; None when there is no such file."""
    text = host.files.text(path=path, limit=256 * 1024)
    if isinstance(text, Unknown):
        return text
    if not isinstance(text, Known):
        return None
    found: dict[str, str] = {}
    for line in text.value.split("\n"):
        m = re.match(r"([^\s=]+)(?:\s*=\s*|\s+)?(.*)", line.split("#", 1)[0].strip())
        if m:
            found[m[1]] = m[2].strip()
    return found


def number(value: str | None, default: int, where: str) -> int | Unknown:
    """A whole number, the default when not given, malformed else."""
    if value is None:
        return default
    return (
        int(value)
        if re.fullmatch(r"[+-]?\d{1,9}", value)
        else Unknown(Cause.MALFORMED, f"{where}：{value[:40]}", where)
    )


def arguments(module: Module) -> Conf:
    """The arguments of a line as settings; a flag without a value is empty."""
    return {a.partition("=")[0]: a.partition("=")[2] for a in module.args}


# ------------------------------------------------------------------------------------------------- quality of passwords


def pwquality(host: Host, module: Module) -> Demands | Unknown:
    """pam_pwquality: the folder's files in order, then the main file, then the arguments; later ones win."""
    identity = host.system.identity()
    if not isinstance(identity, Known) or identity.value.os_id == "linux":
        return Unknown(Cause.UNAVAILABLE, "不能确定系统版本，pwquality 的默认值因版本而异", "/etc/os-release")
    old = bool(_OLD_PWQUALITY.match(identity.value.os_id))
    settings: dict[str, str] = {}
    folder = "/etc/security/pwquality.conf.d"
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown):
        return names
    extra = [f"{folder}/{n}" for n in names.value if n.endswith(".conf")] if isinstance(names, Known) else []
    for path in (*([] if old else extra), "/etc/security/pwquality.conf"):
        conf = conf_file(host, path)
        if isinstance(conf, Unknown):
            return conf
        settings.update(conf or {})
    settings.update(arguments(module))
    enforcing = number(settings.get("enforcing"), 1, "pwquality 的 enforcing")
    if isinstance(enforcing, Unknown):
        return enforcing
    if enforcing == 0:
        return Demands()
    default = (9, 1) if old else (8, 0)
    return _with_credits(settings, *default, _PWQUALITY_FLOOR, for_root="enforce_for_root" in settings)


def cracklib(module: Module) -> Demands | Unknown:
    """pam_cracklib: length 9 by default, and every kind of character counts for one more unless told otherwise."""
    settings = arguments(module)
    return _with_credits(settings, 9, 1, 5, for_root="enforce_for_root" in settings)


def _with_credits(settings: Conf, length: int, credit: int, floor: int, *, for_root: bool) -> Demands | Unknown:
    minlen = number(settings.get("minlen"), length, "minlen")
    minclass = number(settings.get("minclass"), 0, "minclass")
    credits_ = [number(settings.get(k), credit, k) for k in _CREDITS]
    for one in (minlen, minclass, *credits_):
        if isinstance(one, Unknown):
            return one
    numbers = [c for c in credits_ if isinstance(c, int)]
    assert isinstance(minlen, int)  # noqa: S101 - checked above, for the type checker
    assert isinstance(minclass, int)  # noqa: S101
    # A positive credit lets each character of that kind count for more than itself, up to the credit.
    shortest = max(floor, minlen - sum(c for c in numbers if c > 0))
    # A negative one demands that many characters of the kind.
    demanded = sum(-c for c in numbers if c < 0)
    return Demands(
        max(shortest, demanded), min(4, max(minclass, sum(c < 0 for c in numbers), 1 if shortest else 0)), 0, for_root
    )


def passwdqc(host: Host, module: Module) -> Demands | Unknown:
    """pam_passwdqc: five shortest lengths, by how many kinds of characters the password has."""
    settings: dict[str, str] = {}
    for key, value in arguments(module).items():
        if key == "config":
            conf = conf_file(host, value)
            if not isinstance(conf, Mapping):
                return conf or Unknown(Cause.UNAVAILABLE, f"{value} 不存在", value)
            settings.update(conf)
        else:
            settings[key] = value
    if settings.get("enforce", "everyone") == "none":
        return Demands()
    parts = settings.get("min", "disabled,24,11,8,7").split(",")
    if len(parts) != 5 or not all(p == "disabled" or p.isdecimal() for p in parts):
        return Unknown(Cause.MALFORMED, "pam_passwdqc 的 min", module.source)
    lengths = [(int(p), kinds) for p, kinds in zip(parts, (1, 2, 2, 3, 4), strict=True) if p != "disabled"]
    if not lengths:
        return Demands(for_root=settings.get("enforce") == "everyone")
    return Demands(min(n for n, _ in lengths), min(k for _, k in lengths), 0, settings.get("enforce") == "everyone")


def deepin(host: Host) -> Demands | Unknown:
    """pam_deepin_pw_check: section ``[Password]`` of dde.conf."""
    path = "/etc/deepin/dde.conf"
    text = host.files.text(path=path)
    if isinstance(text, Unknown):
        return text
    if not isinstance(text, Known):
        return Unknown(Cause.UNCONFIRMED, f"{path} 不存在，deepin 口令模块的取值不能确定", path)
    section = ""
    settings: dict[str, str] = {}
    for line in text.value.split("\n"):
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == "Password" and "=" in line and not line.startswith(("#", ";")):
            key, value = line.split("=", 1)
            settings[key.strip()] = value.strip()
    strong = settings.get("STRONG_PASSWORD", "true").lower()
    if strong in ("false", "0"):
        return Demands()
    if strong not in ("true", "1"):
        return Unknown(Cause.MALFORMED, f"{path} 的 STRONG_PASSWORD", path)
    length = number(settings.get("PASSWORD_MIN_LENGTH"), 1, "PASSWORD_MIN_LENGTH")
    kinds = number(settings.get("VALIDATE_REQUIRED"), 1, "VALIDATE_REQUIRED")
    if isinstance(length, Unknown):
        return length
    return kinds if isinstance(kinds, Unknown) else Demands(max(length, kinds), min(4, kinds))


def unix(host: Host, module: Module, *, debian: bool) -> Demands | Unknown:
    """pam_unix itself: ``minlen=`` (6 on Debian's family, whose build checks the length) and ``remember=``."""
    minlen = number(module.option("minlen"), 6 if debian else 0, "pam_unix 的 minlen")
    remember = number(module.option("remember"), 0, "pam_unix 的 remember")
    if isinstance(minlen, Unknown):
        return minlen
    if isinstance(remember, Unknown):
        return remember
    if remember > 0:
        # pam_unix keeps old passwords only in a file that is there already.
        kept = host.files.stat(path="/etc/security/opasswd")
        if isinstance(kept, Unknown):
            return kept
        if not isinstance(kept, Known):
            remember = 0
    return Demands(minlen, 0, max(0, remember))


def pwhistory(host: Host, module: Module) -> Demands | Unknown:
    """pam_pwhistory: the argument, else pwhistory.conf (or the file that ``conf=`` names), else 10."""
    conf = conf_file(host, module.option("conf") or "/etc/security/pwhistory.conf")
    if isinstance(conf, Unknown):
        return conf
    settings = {**(conf or {}), **arguments(module)}
    remember = number(settings.get("remember"), 10, "pam_pwhistory 的 remember")
    return remember if isinstance(remember, Unknown) else Demands(history=max(0, remember))


# -------------------------------------------------------------------------------------------------------------- lockout


@dataclass(frozen=True, slots=True)
class Lock:
    """After how many failures an account is locked (0: never), for how long (0: until an administrator unlocks it)."""

    attempts: int
    seconds: int
    for_root: bool


def faillock(host: Host, module: Module) -> Lock | Unknown:
    """pam_faillock: arguments over faillock.conf (or the file that ``conf=`` names) over the defaults 3 and 600."""
    conf = conf_file(host, module.option("conf") or "/etc/security/faillock.conf")
    if isinstance(conf, Unknown):
        return conf
    settings = {**(conf or {}), **arguments(module)}
    deny = number(settings.get("deny"), 3, "pam_faillock 的 deny")
    interval = number(settings.get("fail_interval"), 900, "pam_faillock 的 fail_interval")
    for one in (deny, interval):
        if isinstance(one, Unknown):
            return one
    assert isinstance(deny, int)  # noqa: S101 - checked above, for the type checker
    assert isinstance(interval, int)  # noqa: S101
    if deny > 0 and interval < _SHORTEST_INTERVAL:
        why = f"pam_faillock 的 fail_interval 为 {interval} 秒，过短，失败次数很快不再累计，等于没有锁定"
        return Unknown(Cause.UNCONFIRMED, why, module.source)
    return _lock(deny, settings, 600, "pam_faillock")


def tally(module: Module) -> Lock | Unknown:
    """pam_tally2 and pam_tally: without ``deny=`` they only count; without ``unlock_time=`` a lock stays."""
    settings = arguments(module)
    deny = number(settings.get("deny"), 0, f"{module.name} 的 deny")
    if isinstance(deny, Unknown):
        return deny
    return _lock(deny, settings, 0, module.name)


def _lock(deny: int, settings: Conf, default: int, name: str) -> Lock | Unknown:
    seconds = 0 if settings.get("unlock_time") == "never" else number(
        settings.get("unlock_time"), default, f"{name} 的 unlock_time"
    )  # fmt: skip
    if isinstance(seconds, Unknown):
        return seconds
    return Lock(max(0, deny), max(0, seconds), "even_deny_root" in settings)
