"""The rules as ``nft -j list ruleset`` and ``nft -a list ruleset`` give them.

JSON is the main source. The plain listing adds two things that JSON of common releases (1.0.x) gets wrong: it says
which tables are dormant (the JSON key ``flags`` of a table holds garbage there), and it spells out the extension
matches of iptables-nft (``conntrack``, ``multiport`` …), of which JSON has the bare name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ybscan.probes._netfilter.translated import TRANSLATABLE, translated

Key = tuple[str, str]
"""Family and table."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain and its rules, each a list of statements as JSON has them. Base chains have a ``hook``."""

    family: str
    table: str
    name: str
    kind: str = ""
    hook: str = ""
    policy: str = "accept"
    rules: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A named set or map. ``elements`` is None when its content may change by itself or is not understood."""

    elements: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All active tables."""

    chains: Mapping[tuple[str, str, str], Chain]
    sets: Mapping[tuple[str, str, str], NamedSet]
    #: Names of everything that occurs as a statement anywhere; ``xt:NAME`` for iptables extensions.
    statements: frozenset[str] = frozenset()
    interfaces: frozenset[str] = frozenset()
    """Interface names that some rule mentions, without wildcards."""

    def base(self, hook: str) -> tuple[Chain, ...]:
        """The base chains of a hook, in a fixed order."""
        return tuple(c for _, c in sorted(self.chains.items()) if c.hook == hook)


@dataclass(slots=True)
class _Tables:
    """What the plain listing says."""

    dormant: set[Key] = field(default_factory=set)
    seen: set[Key] = field(default_factory=set)
    chains: set[tuple[str, str, str]] = field(default_factory=set)
    rules: dict[tuple[str, str, str, int], str] = field(default_factory=dict)


_TABLE = re.compile(r"^table (\S+) (\S+) \{")
_CHAIN = re.compile(r"^\s+chain (\S+) \{")
_HANDLE = re.compile(r"^\s+(.*?)\s*# handle (\d+)$")
_FLAGS = re.compile(r"^\s+flags ([\w, ]+)$")


def _plain(text: str) -> _Tables:
    tables = _Tables()
    table: Key = ("", "")
    chain = ""
    for line in text.splitlines():
        if m := _TABLE.match(line):
            table, chain = (m[1], m[2]), ""
            tables.seen.add(table)
        elif m := _CHAIN.match(line):
            chain = m[1]
            tables.chains.add((*table, chain))
        elif not chain and line.startswith("\tflags ") and (m := _FLAGS.match(line)):
            if "dormant" in m[1]:
                tables.dormant.add(table)
        elif line.startswith("\t}"):
            chain = ""
        elif chain and (m := _HANDLE.match(line)):
            tables.rules[(*table, chain, int(m[2]))] = m[1]
    return tables


def parse(json_text: str, plain_text: str) -> Ruleset:
    """The active rules.

    Raises:
        ValueError: the texts are not what nft prints, or do not agree with each other.
    """
    document = json.loads(json_text)
    if not isinstance(document, dict) or not isinstance(document.get("nftables"), list):
        raise ValueError("no nftables object")
    things = document["nftables"]
    if not any(isinstance(t, dict) and "metainfo" in t for t in things):
        raise ValueError("no metainfo")
    plain = _plain(plain_text)
    tables: set[Key] = set()
    chains: dict[tuple[str, str, str], dict[str, Any]] = {}
    rules: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
    sets: dict[tuple[str, str, str], Any] = {}
    for thing in things:
        if not isinstance(thing, dict) or len(thing) != 1:
            raise ValueError("not an object of one key")
        ((kind, body),) = thing.items()
        if kind == "table":
            tables.add((body["family"], body["name"]))
        elif kind == "chain":
            chains[body["family"], body["table"], body["name"]] = body
        elif kind in ("set", "map"):
            sets[body["family"], body["table"], body["name"]] = body
        elif kind == "rule":
            key = (body["family"], body["table"], body["chain"])
            text = plain.rules.get((*key, body["handle"]), "")
            rules.setdefault(key, []).append(_statements(body.get("expr", []), text))
    if tables != plain.seen or set(chains) != plain.chains or (tables and not plain_text.rstrip("\n").endswith("\n}")):
        raise ValueError("the two listings do not show the same")
    if set(rules) - set(chains):
        raise ValueError("rules of a chain that is not listed")
    made: dict[tuple[str, str, str], Chain] = {}
    for key, body in chains.items():
        if key[:2] in plain.dormant:
            continue
        made[key] = Chain(
            *key, kind=body.get("type", ""), hook=body.get("hook", ""), policy=body.get("policy", "accept"),
            rules=tuple(rules.get(key, ())),
        )  # fmt: skip
    names, interfaces, updated = _mentioned(made)
    return Ruleset(
        made, {k: _named_set(b, updated) for k, b in sets.items() if k[:2] not in plain.dormant}, names, interfaces
    )


def _statements(expressions: list[Any], text: str) -> tuple[Any, ...]:
    names = {e["xt"].get("name", "") if isinstance(e["xt"], dict) else "" for e in expressions
             if isinstance(e, dict) and "xt" in e}  # fmt: skip
    if names and names <= TRANSLATABLE and text:
        spelt = translated(text)
        if spelt is not None:
            return spelt
    return tuple(expressions)


def _named_set(body: Mapping[str, Any], updated: frozenset[tuple[str, str]]) -> NamedSet:
    """A set that rules or time-outs change is not what it was when it was listed."""
    flags = body.get("flags", ())
    changing = "timeout" in flags or "dynamic" in flags or (body["table"], body["name"]) in updated
    elements = body.get("elem", [])
    if changing or "timeout" in body or not isinstance(elements, list):
        return NamedSet(None)
    return NamedSet(tuple(elements))


def _mentioned(
    chains: Mapping[tuple[str, str, str], Chain],
) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]]]:
    names: set[str] = set()
    interfaces: set[str] = set()
    updated: set[tuple[str, str]] = set()
    for chain in chains.values():
        for rule in chain.rules:
            for statement in rule:
                if not isinstance(statement, dict):
                    names.add("?")
                    continue
                for name, body in statement.items():
                    names.add(name)
                    if name == "xt":
                        names.add("xt:" + (str(body.get("name", "?")) if isinstance(body, dict) else "?"))
                    if name in ("set", "map") and isinstance(body, dict):
                        updated.add((chain.table, str(body.get("set", body.get("map", ""))).lstrip("@")))
                    interfaces.update(_interfaces(body))
    return frozenset(names), frozenset(interfaces), frozenset(updated)


def _interfaces(body: Any) -> set[str]:
    """Every text in a statement about the incoming interface, wherever it stands; a few too many do no harm."""
    if "iif" not in json.dumps(body):
        return set()
    found: set[str] = set()
    todo = [body]
    while todo:
        here = todo.pop()
        if isinstance(here, str) and not here.endswith("*") and not here.startswith("@"):
            found.add(here)
        elif isinstance(here, dict):
            todo.extend(here.values())
        elif isinstance(here, list):
            todo.extend(here)
    return found - {"lo", "iif", "iifname", "==", "!=", "in"}
