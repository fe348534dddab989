"""Whether udev rules take the authorisation from USB storage, or make its disks read-only.

Sources: udev(7) for folders, hiding, order, operators and GOTO; the kernel's ABI documents of
``/sys/bus/usb/devices/*/authorized`` (device) and of the interfaces' own ``authorized``. A value is compared as text:
``ATTR{bInterfaceClass}=="8"`` never fits, the kernel writes ``08``.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown
from ybscan.probes._usb.layers import Layered, layered, logical_lines

FOLDERS = (
    "/etc/udev/rules.d",
    "/run/udev/rules.d",
    "/usr/local/lib/udev/rules.d",
    "/usr/lib/udev/rules.d",
    "/lib/udev/rules.d",
)

_TOKEN = re.compile(
    r'\s*([A-Z_]+)(?:\{([^}]*)\})?\s*(==|!=|\+=|-=|:=|=)\s*e?"((?:[^"\\]|\\.)*)"\s*(?:,|$|(?=\s))', re.ASCII
)
_CLASS_KEYS = frozenset({"ATTR{bInterfaceClass}", "ATTRS{bInterfaceClass}"})
#: Keys that decide whether a rule goes on, whatever operator stands behind them (udev takes ``=`` for ``==`` there).
_TESTING_KEYS = ("PROGRAM", "IMPORT", "RESULT", "TEST", "WAIT_FOR")
_SET_READ_ONLY = re.compile(r"^\S*\bblockdev\s+--setro\s+(?:/dev/(?:%k|\$kernel)|%N|\$devnode|\$env\{DEVNAME\})$")
_ECHO_ZERO = re.compile(
    r"""(?:/bin/)?(?:ba|da)?sh\s+-c\s+['"\\]*\s*echo\s+-?n?\s*['"\\]*0['"\\]*\s*>\s*/sys/?\\?(?:\$env\{DEVPATH\}|\$DEVPATH|%p|\$devpath)/(?P<up>\.\./)?authorized\b"""
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a rules file: its tokens as (key, operator, value)."""

    tokens: tuple[tuple[str, str, str], ...]
    path: str

    def values(self, key: str, *operators: str) -> list[str]:
        """The values given to ``key`` with one of ``operators``."""
        return [v for k, o, v in self.tokens if k == key and o in operators]


def parse_line(line: str, path: str) -> Rule | None:
    """One logical line as a rule; None for comments, blank lines and what udev itself would refuse."""
    text = line.strip(" \t\r")
    if not text or text.startswith("#"):
        return None
    tokens: list[tuple[str, str, str]] = []
    at = 0
    while at < len(text):
        m = _TOKEN.match(text, at)
        if m is None:
            return None
        tokens.append((f"{m[1]}{{{m[2]}}}" if m[2] is not None else m[1], m[3], m[4]))
        at = m.end()
        while at < len(text) and text[at] in ", \t":
            at += 1
    return Rule(tuple(tokens), path)


def read_rules(host: Host) -> Layered:
    """The rules files of the terminal."""
    return layered(host, FOLDERS, ".rules")


def deauthorises(layers: Layered, kernels: Reading[tuple[str, ...]]) -> Reading[bool]:
    """Whether every USB storage interface loses its authorisation as soon as it appears.

    True needs one rule for interface class 08 without further conditions, no way around it, and no later rule that
    gives authorisation back. A rule with conditions of its own is Unknown(unconfirmed): which devices escape it is
    for a person to say. Interfaces have an authorisation of their own since Linux 4.4; ``kernels`` are the ones that
    count.
    """
    if not layers.folders and not layers.gaps:
        return Absent("udev")
    doubt = Unknown(layers.gaps[0].cause, layers.gaps[0].detail, "udev") if layers.gaps else None
    found: Rule | None = None
    partial: Rule | None = None
    for path, text in layers.files:
        if isinstance(text, Unknown):
            doubt = doubt or text
            continue
        jump: list[str] = []
        for rule in _rules(text, path):
            label = rule.values("LABEL", "=", ":=")
            jump = [j for j in jump if j not in label]
            if rule.values("GOTO", "=", ":=") and not _guard(rule):
                jump += rule.values("GOTO", "=", ":=")
            if _grants(rule) and (found is not None or _denies(rule)):
                partial, found = rule, None
                continue
            if not _denies(rule):
                continue
            # That udev writes through ".." is not documented: such a rule is left for a person to confirm.
            if jump or _narrowed(rule) or rule.values("ATTR{../authorized}", "=", ":="):
                partial = partial or rule
            else:
                found = found or rule
    if found is not None and partial is None and doubt is None:
        if _on_interface(found) and not _since_4_4(kernels):
            return Unknown(
                Cause.UNCONFIRMED, f"{found.path} 中的规则要求 4.4 以上内核，不能确认所用内核版本", found.path
            )
        return Known(True, found.path)
    if doubt is not None:
        return doubt
    if partial is not None:
        return Unknown(
            Cause.UNCONFIRMED, f"{partial.path} 中的规则附带其他条件或写法未经核实，限制的范围需人工核对", partial.path
        )
    return Known(False, "udev rules.d")


def _on_interface(rule: Rule) -> bool:
    """Whether the rule takes the authorisation of the interface, not that of the whole device above it."""
    runs = [m for v in rule.values("RUN", "=", "+=", ":=") if (m := _ECHO_ZERO.search(v))]
    return not any(m["up"] for m in runs)


def _since_4_4(kernels: Reading[tuple[str, ...]]) -> bool:
    if not isinstance(kernels, Known) or not kernels.value:
        return False
    versions = [re.match(r"(\d+)\.(\d+)", k) for k in kernels.value]
    return all(v is None or (int(v[1]), int(v[2])) >= (4, 4) for v in versions) and any(versions)


def write_protects(layers: Layered) -> Reading[bool]:
    """Whether every disk that comes by USB is made read-only when it appears."""
    if not layers.folders and not layers.gaps:
        return Absent("udev")
    if layers.gaps:
        return Unknown(layers.gaps[0].cause, layers.gaps[0].detail, "udev")
    for path, text in layers.files:
        if isinstance(text, Unknown):
            return text
        jump: list[str] = []
        for rule in _rules(text, path):
            label = rule.values("LABEL", "=", ":=")
            jump = [j for j in jump if j not in label]
            if not any(_never_of_a_new_usb_disk(c) for c in rule.tokens):
                jump += rule.values("GOTO", "=", ":=")
            # ATTR{ro} looks like a way, but the kernel lets nobody write that attribute.
            read_only = any(_SET_READ_ONLY.search(v) for v in rule.values("RUN", "=", "+=", ":="))
            conditions = {(k, o, v) for k, o, v in rule.tokens if o in ("==", "!=")}
            narrow = {c for c in conditions if not _of_a_new_usb_disk(c)} | {
                c for c in rule.tokens if c[0].startswith(_TESTING_KEYS)
            }
            kernel = {c for c in narrow if c == ("KERNEL", "==", "sd*") or c == ("KERNEL", "==", "sd*|sr*")}
            by_usb = ("SUBSYSTEMS", "==", "usb") in conditions or ("ENV{ID_BUS}", "==", "usb") in conditions
            if read_only and by_usb and narrow == kernel and not jump:
                return Known(True, path)
            if read_only:
                return Unknown(Cause.UNCONFIRMED, f"{path} 中的只读规则附带其他条件，需人工核对", path)
    return Known(False, "udev rules.d")


def _of_a_new_usb_disk(condition: tuple[str, str, str]) -> bool:
    """Whether the condition holds for every disk that comes by USB, at the moment it appears."""
    key, operator, value = condition
    return (
        (key == "SUBSYSTEM" and operator == "==" and _fits(value, "block"))
        or (key == "ACTION" and operator == "==" and _fits(value, "add"))
        or (key == "ACTION" and operator == "!=" and not _fits(value, "add"))
        or (key == "SUBSYSTEMS" and operator == "==" and _fits(value, "usb"))
        or (key == "ENV{ID_BUS}" and operator == "==" and _fits(value, "usb"))
    )


def _never_of_a_new_usb_disk(condition: tuple[str, str, str]) -> bool:
    """Whether the condition never holds for a disk that comes by USB, at the moment it appears."""
    key, operator, value = condition
    new = {"SUBSYSTEM": "block", "ACTION": "add", "SUBSYSTEMS": "usb", "ENV{ID_BUS}": "usb"}.get(key)
    if new is None:
        return (key, operator, value) == ("KERNEL", "!=", "sd*")
    # ``SUBSYSTEMS`` looks at the parents as well: that none of them is something else cannot be said.
    return (operator == "!=" and _fits(value, new)) or (
        operator == "==" and key != "SUBSYSTEMS" and not _fits(value, new)
    )


def _rules(text: Reading[str], path: str) -> Iterator[Rule]:
    if isinstance(text, Known):
        for line in logical_lines(text.value):
            rule = parse_line(line, path)
            if rule is not None:
                yield rule


def _fits(pattern: str, value: str) -> bool:
    return any(fnmatch.fnmatchcase(value, p) for p in pattern.split("|"))


def _is_storage(rule: Rule) -> bool:
    """Whether the rule speaks of interfaces of class 08."""
    wanted = [v for k in _CLASS_KEYS for v in rule.values(k, "==")]
    return bool(wanted) and all(_fits(v, "08") for v in wanted)


def _denies(rule: Rule) -> bool:
    attributes = [v for k, o, v in rule.tokens if k in ("ATTR{authorized}", "ATTR{../authorized}") and o in ("=", ":=")]
    runs = any(_ECHO_ZERO.search(v) for v in rule.values("RUN", "=", "+=", ":="))
    return _is_storage(rule) and (attributes[-1:] == ["0"] or runs)


def _grants(rule: Rule) -> bool:
    """Whether the rule gives authorisation, to storage or to anything at all."""
    return any(
        k in ("ATTR{authorized}", "ATTR{../authorized}") and o in ("=", ":=") and v != "0" for k, o, v in rule.tokens
    ) or any(
        re.search(r"echo\s+-?n?\s*['\"\\]*1\b[^>]*>\s*\S*authorized", v) for v in rule.values("RUN", "=", "+=", ":=")
    )


def _narrowed(rule: Rule) -> bool:
    """Whether conditions beyond "a USB interface of class 08 appears" stand in the rule."""
    for key, operator, value in rule.tokens:
        if key.startswith(_TESTING_KEYS):
            return True
        if operator not in ("==", "!="):
            continue
        harmless = (
            (key in ("SUBSYSTEM", "SUBSYSTEMS") and operator == "==" and _fits(value, "usb"))
            or (key == "ACTION" and operator == "==" and _fits(value, "add"))
            or (key == "ACTION" and operator == "!=" and not _fits(value, "add"))
            or (key in _CLASS_KEYS and operator == "==" and _fits(value, "08"))
            or (key == "ENV{DEVTYPE}" and operator == "==" and value == "usb_interface")
            or (
                key in ("ATTR{bInterfaceSubClass}", "ATTR{bInterfaceProtocol}")
                and operator == "=="
                and value in ("*", "??")
            )
        )
        if not harmless:
            return True
    return False


def _guard(rule: Rule) -> bool:
    """Whether a GOTO only skips what no storage interface that appears can be."""
    conditions = [(k, o, v) for k, o, v in rule.tokens if o in ("==", "!=")]
    return any(
        (k == "ACTION" and o == "!=" and _fits(v, "add"))
        or (k == "ACTION" and o == "==" and not _fits(v, "add"))
        or (k in ("SUBSYSTEM", "SUBSYSTEMS") and o == "!=" and _fits(v, "usb"))
        or (k == "SUBSYSTEM" and o == "==" and not _fits(v, "usb"))
        for k, o, v in conditions
    )
