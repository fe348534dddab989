"""Whether usbguard keeps a kind of USB device out.

Sources: usbguard-daemon.conf(5) (defaults, RuleFile and RuleFolder), usbguard-rules.conf(5) (the first rule that fits
a device decides; operators of ``with-interface``; without a rule the implicit target holds).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Known, Reading, Unknown

CONFIG = "/etc/usbguard/usbguard-daemon.conf"
_DEFAULT_RULES = "/etc/usbguard/rules.conf"
_DEFAULTS = {
    "ImplicitPolicyTarget": "block",
    "PresentDevicePolicy": "apply-policy",
    "InsertedDevicePolicy": "apply-policy",
}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]|[^\s{}"]+', re.ASCII)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
#: An interface type: the class in full, and what follows a wildcard is one too.
_INTERFACE = re.compile(r"[0-9a-f]{2}:(?:\*:\*|[0-9a-f]{2}:(?:\*|[0-9a-f]{2}))", re.IGNORECASE)
_OPERATORS = frozenset({"all-of", "one-of", "none-of", "equals", "equals-ordered", "match-all"})
_ATTRIBUTES = frozenset(
    {"id", "hash", "parent-hash", "name", "serial", "via-port", "with-interface", "with-connect-type", "label", "if"}
)

Interface = tuple[str, str, str]
"""Class, subclass and protocol in two lower-case hex digits."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``attributes``: name → (operator, values); an attribute of a single value has the operator equals."""

    target: str
    attributes: dict[str, tuple[str, tuple[str, ...]]]
    path: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The daemon's settings that matter, and its rules in order."""

    implicit: str
    present: str
    inserted: str
    rules: tuple[Rule, ...]


def parse_rule(line: str, path: str) -> Rule | None:
    """One line of a rule file; None when it is none (a comment, or not of the language).

    What usbguard's own parser refuses must be refused here: the daemon does not start on such a file.
    """
    if "\r" in line or re.search(r"[^\s{]\{", _STRING.sub('""', line).split("#", 1)[0], re.ASCII):
        return None
    tokens = _TOKEN.findall(line)
    tokens = tokens[: next((i for i, t in enumerate(tokens) if t.startswith("#")), None)]
    if not tokens or tokens[0] not in ("allow", "block", "reject"):
        return None
    attributes: dict[str, tuple[str, tuple[str, ...]]] = {}
    i = 1
    # The device id may stand right behind the target without its name.
    if i < len(tokens) and re.fullmatch(r"[0-9a-fA-F*]{1,4}:[0-9a-fA-F*]{1,4}", tokens[i]):
        attributes["id"] = ("equals", (tokens[i],))
        i += 1
    while i < len(tokens):
        name = tokens[i]
        i += 1
        if name not in _ATTRIBUTES or i >= len(tokens):
            return None
        operator = "equals"
        if tokens[i] in _OPERATORS:
            operator = tokens[i]
            i += 1
        values: list[str] = []
        if i < len(tokens) and tokens[i] == "{":
            i += 1
            while i < len(tokens) and tokens[i] != "}":
                values.append(tokens[i].strip('"'))
                i += 1
            if i >= len(tokens):
                return None
            i += 1
        elif name == "if":
            # Conditions may hold blanks and braces of their own; that one stands there is all that is used.
            return Rule(tokens[0], {**attributes, "if": ("equals", (" ".join(tokens[i:]),))}, path)
        elif i < len(tokens):
            values.append(tokens[i].strip('"'))
            i += 1
        if name == "with-interface" and not (values and all(map(_INTERFACE.fullmatch, values))):
            return None
        attributes[name] = (operator, tuple(values))
    return Rule(tokens[0], attributes, path)


def read_policy(host: Host) -> Policy | Absent | Unknown:
    """The configured policy. Absent without usbguard; Unknown when any part of it cannot be read or understood."""
    text = host.files.text(path=CONFIG)
    if not isinstance(text, Known):
        return text
    settings = dict(_DEFAULTS)
    for line in text.value.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith("#"):
            settings[key.strip()] = value.strip().strip('"')
    paths = [settings.get("RuleFile") or _DEFAULT_RULES]
    folder = settings.get("RuleFolder", "").rstrip("/")
    if folder:
        names = host.files.entries(path=folder)
        if isinstance(names, Unknown):
            return names
        paths += [f"{folder}/{n}" for n in names.value] if isinstance(names, Known) else []
    rules: list[Rule] = []
    for path in paths:
        content = host.files.text(path=path)
        if isinstance(content, Unknown):
            return content
        if isinstance(content, Absent):
            continue
        for number, line in enumerate(content.value.split("\n"), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            rule = parse_rule(line, path)
            if rule is None:
                return Unknown(Cause.MALFORMED, f"{path} 第 {number} 行", path)
            rules.append(rule)
    return Policy(
        settings["ImplicitPolicyTarget"].lower(), settings["PresentDevicePolicy"].lower(),
        settings["InsertedDevicePolicy"].lower(), tuple(rules),
    )  # fmt: skip


def keeps_out(
    policy: Policy, kinds: Iterable[Interface], *, what: str, registered: frozenset[str] = frozenset()
) -> Reading[bool]:
    """Whether no device with an interface of ``kinds`` is admitted, other than those with a ``registered`` serial."""
    wanted = tuple(kinds)
    if policy.present not in ("apply-policy", "block", "reject"):
        return Known(False, f"{CONFIG}（PresentDevicePolicy={policy.present}）")
    if policy.inserted not in ("apply-policy", "block", "reject"):
        return Known(False, f"{CONFIG}（InsertedDevicePolicy={policy.inserted}）")
    doubt: Unknown | None = None
    pure_out = False
    for rule in policy.rules:
        pure, mixed = _could_fit(rule, wanted)
        if rule.target in ("block", "reject"):
            if set(rule.attributes) <= {"with-interface", "label"}:
                covers = _covers(rule, wanted)
                if covers == "all":
                    return doubt or Known(True, rule.path)
                pure_out = pure_out or covers == "pure"
            continue
        if not (pure or mixed):
            continue
        if _serials(rule) and _serials(rule) <= registered:
            continue
        if pure is True and not pure_out:
            return Known(False, f"{rule.path}（存在放行{what}的 allow 规则）")
        if pure is None and not pure_out:
            doubt = doubt or Unknown(
                Cause.UNCONFIRMED, f"{rule.path} 有 allow 规则没有写明接口类型，可能放行{what}", rule.path
            )
        elif mixed:
            doubt = doubt or Unknown(
                Cause.UNCONFIRMED, f"{rule.path} 有 allow 规则可能放行同时带有{what}接口的复合设备", rule.path
            )
    if policy.implicit in ("block", "reject"):
        return doubt or Known(True, f"{CONFIG}（ImplicitPolicyTarget={policy.implicit}）")
    if pure_out:
        return Unknown(
            Cause.UNCONFIRMED, f"ImplicitPolicyTarget={policy.implicit}，带有{what}接口的复合设备可能被放行", CONFIG
        )
    return Known(False, f"{CONFIG}（ImplicitPolicyTarget={policy.implicit}）")


def _serials(rule: Rule) -> frozenset[str]:
    operator, values = rule.attributes.get("serial", ("equals", ()))
    return frozenset(v for v in values if v) if operator in ("equals", "one-of") else frozenset()


def _matches(pattern: str, interface: Interface) -> bool:
    parts = pattern.lower().split(":")
    return len(parts) == 3 and all(p in ("*", v) for p, v in zip(parts, interface, strict=True))


def _overlaps(pattern: str, wanted: tuple[Interface, ...]) -> bool:
    return any(_matches(pattern, w) for w in wanted)


def _could_fit(rule: Rule, wanted: tuple[Interface, ...]) -> tuple[bool | None, bool]:
    """Whether the rule may fit a device that has only wanted interfaces (None: it does not say), and one that has others too."""
    stated = rule.attributes.get("with-interface")
    if stated is None:
        specific = {"id", "hash", "name", "serial", "parent-hash"} & set(rule.attributes)
        wild = rule.attributes.get("id", ("", ()))[1] == ("*:*",)
        return (None if specific and not (wild and specific == {"id"}) else True), True
    operator, values = stated
    some = any(_overlaps(v, wanted) for v in values)
    every = all(_overlaps(v, wanted) for v in values)
    if operator in ("equals", "equals-ordered"):
        return some and every, some
    if operator == "match-all":
        return some, some
    if operator == "none-of":
        covered = all(any(_matches(v, w) for v in values) for w in wanted)
        return not covered, not covered
    if operator == "all-of":
        return some and every, True
    return some, True


def _covers(rule: Rule, wanted: tuple[Interface, ...]) -> str:
    """``all``: fits every device with a wanted interface; ``pure``: every device with wanted interfaces only; or nothing."""
    stated = rule.attributes.get("with-interface")
    if stated is None:
        return "all"
    operator, values = stated
    complete = all(any(_matches(v, w) for v in values) for w in wanted)
    if not complete:
        return ""
    if operator == "one-of" or (operator == "all-of" and len(values) == 1):
        return "all"
    # A set that must be equal fits a device of that one interface only where wildcards stand for the rest.
    return "pure" if operator in ("equals", "equals-ordered", "match-all") and len(values) == 1 else ""
