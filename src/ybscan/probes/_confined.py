"""What the arguments of parametric facts may name: configuration, never secrets, never a person's files. Pure.

A rule pack is data from elsewhere. Whatever it asks for by path or key has to lie in one of the places below, and must
not be one of the places known to hold keys or passwords.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from ybscan.model.problem import did_you_mean

#: Folders whose text files a rule may look into.
_TEXT_FOLDERS = ("/etc/", "/usr/etc/", "/usr/lib/systemd/", "/usr/lib/sysctl.d/", "/usr/lib/modprobe.d/", "/lib/systemd/",
                 "/proc/sys/")  # fmt: skip
#: Where links from there may lead besides: generated or shipped configuration without secrets.
_LINK_TARGETS = (*_TEXT_FOLDERS, "/usr/lib/os-release", "/usr/share/", "/run/systemd/resolve/", "/run/NetworkManager/resolv.conf",
                 "/run/resolvconf/")  # fmt: skip
#: Folders of whose files a rule may ask size, time, mode and owner.
_META_FOLDERS = ("/etc/", "/usr/", "/opt/", "/boot/", "/srv/", "/var/", "/bin/", "/sbin/", "/lib/", "/lib64/")

_WINDOWS_TEXT = ("c:\\windows\\system32\\drivers\\etc\\",)
_WINDOWS_META = ("c:\\windows\\", "c:\\program files\\", "c:\\program files (x86)\\", "c:\\programdata\\")

#: Files that hold keys, hashes or passwords, by any part of their path.
_SECRET_PATH = re.compile(
    r"/(private|system-connections|wireguard|openvpn|ipsec\.d|ppp|sssd|wpa_supplicant|krb5kdc|polkit-1/localauthority)(/|$)"
    r"|/(g?shadow|opasswd|passwd|sudo_debug|debian\.cnf|hostapd\.conf|chap-secrets|pap-secrets|iscsid\.conf)[^/]*$"
    r"|(secret|credential|token|passwd|password|keytab|_key|htpasswd|authinfo|netrc|pgpass)[^/]*$"
    r"|\.(key|pem|p12|pfx|jks|kdbx|gpg|psk|ovpn|nmconnection)$",
    re.IGNORECASE,
)
#: Lines that give a secret, wherever they stand. ``passwd:`` is the name of a database in nsswitch.conf(5).
_SECRET_LINE = re.compile(
    r"^\s*[\"']?[\w.-]*(password|passphrase|psk|secret|token|bindpw|authtok|private[-_]?key|passwd)[\"']?\s*=(?!=)"
    r"|^\s*-?\s*[\"']?[\w.-]*(password|passphrase|psk|secret|token|private[-_]?key)[\"']?\s*:",
    re.IGNORECASE,
)

_REGISTRY = ("HKLM\\SOFTWARE\\", "HKLM\\SYSTEM\\CurrentControlSet\\", "HKU\\.DEFAULT\\", "HKU\\S-1-5-18\\")
_REGISTRY_SECRET = re.compile(r"\\(sam|security|secrets|credentials|cachedlogon\w*|vault)(\\|$)", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(password|passwd|pwd|secret|token|psk|privatekey)\d*$", re.IGNORECASE)

MAX_PATTERN = 200
_REPEAT = re.compile(r"[+*]|\{\d*,\d*\}|\{\d+\}")
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def wrong_keys(args: Mapping[str, str], needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[str]:
    """Sentences on arguments that are missing or not known."""
    known = (*needed, *optional)
    problems = [f"缺少参数 {name}" for name in needed if not args.get(name)]
    for name in args:
        if name not in known:
            hint = did_you_mean(name, known)
            problems.append(f"没有名为“{name}”的参数，可用：{'、'.join(known)}" + (f"；{hint}" if hint else ""))
    return problems


def wrong_choice(args: Mapping[str, str], name: str, choices: tuple[str, ...]) -> list[str]:
    """A sentence when an argument is given and is none of the choices."""
    if name in args and args[name] not in choices:
        return [f"{name} 不能是“{args[name]}”，只能是 {'、'.join(choices)}"]
    return []


def is_windows(path: str) -> bool:
    """Whether a path is written the Windows way."""
    return bool(re.match(r"[A-Za-z]:\\", path))


def wrong_path(path: str, *, meta: bool = False) -> list[str]:
    """What is wrong with a path that a rule names; nothing when it may be read (``meta``: its metadata asked for)."""
    if len(path) > 400 or any(ord(c) < 32 for c in path):
        return ["路径过长，或含有控制字符"]
    if not path.startswith("/") and not is_windows(path):
        return [f"路径“{path}”应为绝对路径，例如 /etc/login.defs"]
    if any(c in path for c in "*?["):
        return [f"路径“{path}”不能含有通配符"]
    steps = path.split("\\" if is_windows(path) else "/")
    if ".." in steps or "." in steps or "" in steps[1:]:
        return [f"路径“{path}”不能含有 .、.. 或重复的分隔符"]
    folders: tuple[str, ...]
    if is_windows(path):
        folders = _WINDOWS_META if meta else _WINDOWS_TEXT
        inside = path.casefold().startswith(folders) and "/" not in path and ":" not in path[2:]
    else:
        folders = _META_FOLDERS if meta else _TEXT_FOLDERS
        inside = path.startswith(folders)
    if not inside:
        return [f"路径“{path}”不在允许的范围内（{'、'.join(f.rstrip('/') for f in folders)}）"]
    if not meta and _secret(path.replace("\\", "/")):
        return [f"“{path}”可能含有口令或密钥，不允许读取"]
    return []


def strays(real: str, *, meta: bool = False) -> bool:
    """Whether the place a path really leads to is one a rule must not read."""
    if is_windows(real):
        # A 32-bit process sees the system's own folder by another name.
        here = real.casefold().replace("\\windows\\sysnative\\", "\\windows\\system32\\")
        inside = here.startswith(_WINDOWS_META if meta else _WINDOWS_TEXT)
        return not inside or (not meta and _secret(here.replace("\\", "/")))
    here = str(PurePosixPath(real))
    folders = _META_FOLDERS if meta else _LINK_TARGETS
    return not any(here == f or here.startswith(f if f.endswith("/") else f + "/") for f in folders) or (
        not meta and _secret(here)
    )


def _secret(path: str) -> bool:
    # Files of pam.d are named after passwords and hold none.
    return not path.startswith("/etc/pam.d/") and bool(_SECRET_PATH.search(path))


def gives_secret(line: str) -> bool:
    """Whether a line of a configuration file sets a password or key."""
    return bool(_SECRET_LINE.search(line))


def wrong_pattern(pattern: str) -> list[str]:
    """What is wrong with a regular expression that a rule gives."""
    if len(pattern) > MAX_PATTERN:
        return [f"正则表达式超过 {MAX_PATTERN} 个字符"]
    try:
        groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as e:
        return [f"正则表达式有误（{getattr(e, 'msg', type(e).__name__)}）"]
    if groups == 0:
        return ["正则表达式中应有一个括号组，标出要取的值，例如 ^PASS_MAX_DAYS\\s+(\\d+)"]
    if _explodes(pattern):
        return ["正则表达式中不能重复一个含有重复或“|”的括号组（例如 (a+)+、(a|b)*），否则可能极慢"]
    return []


def _explodes(pattern: str) -> bool:
    """Whether a group that repeats or chooses inside is itself repeated: such a pattern may run for ever on one line."""
    plain = _ESCAPED.sub("x", pattern)
    open_groups = [False]
    for at, char in enumerate(plain):
        if char == "(":
            open_groups.append(False)
        elif char == ")" and len(open_groups) > 1:
            inner = open_groups.pop()
            repeated = _REPEAT.match(plain, at + 1) is not None
            if inner and repeated:
                return True
            open_groups[-1] = open_groups[-1] or inner or repeated
        elif char == "|" or _REPEAT.match(plain, at):
            open_groups[-1] = True
    return False


def wrong_key(key: str, name: str, *, text: bool) -> list[str]:
    """What is wrong with a registry value that a rule names; ``text`` when the value itself would be shown as text."""
    if (
        "/" in key
        or "\\\\" in key
        or key.endswith("\\")
        or any(c in key for c in "*?")
        or any(ord(c) < 32 for c in key + name)
    ):
        return [f"注册表键“{key}”的写法不对，应类似 HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows"]
    if not (key + "\\").upper().startswith(tuple(r.upper() for r in _REGISTRY)):
        return [f"注册表键“{key}”不在允许的范围内（{'、'.join(r.rstrip(chr(92)) for r in _REGISTRY)}）"]
    if ".." in key.split("\\") or _REGISTRY_SECRET.search(key) or len(key) > 400 or len(name) > 255:
        return [f"注册表键“{key}”不允许读取"]
    if text and _SECRET_VALUE.search(name):
        return [f"注册表值“{name}”可能是口令或密钥，不允许读取"]
    return []
