"""Rules of iptables-nft, from nft's plain listing of them to the JSON statements of a native rule.

nft prints an iptables extension in its own words where libxtables knows how; JSON has only its name. Only the few
words below are understood: anything else makes the whole rule stay what JSON says, which counts as not understood.
"""

from __future__ import annotations

import re
from typing import Any

#: Extensions whose translation says all they do. ``recent``, ``set``, ``mark``, ``u32`` … are not among them.
TRANSLATABLE = frozenset(
    {"conntrack", "state", "multiport", "addrtype", "comment", "tcp", "udp", "pkttype", "iprange", "icmp", "icmp6",
     "LOG", "NFLOG", "REJECT"}
)  # fmt: skip

_TOKEN = re.compile(r'"[^"]*"|[{},]|[^\s{},]+')
_OPERATORS = frozenset({"==", "!="})
_RANGE = re.compile(r"([0-9a-fA-F.:]+)-([0-9a-fA-F.:]+)")
_PREFIX = re.compile(r"([0-9a-fA-F.:]+)/(\d+)")


class _Strange(Exception):
    """A word that is not understood."""


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(text)
        self._at = 0

    @property
    def more(self) -> bool:
        return self._at < len(self._tokens)

    def peek(self) -> str:
        return self._tokens[self._at] if self.more else ""

    def next(self) -> str:
        if not self.more:
            raise _Strange
        self._at += 1
        return self._tokens[self._at - 1]

    def expect(self, word: str) -> None:
        if self.next() != word:
            raise _Strange

    def skip(self, word: str) -> bool:
        if self.peek() == word:
            self._at += 1
            return True
        return False

    def values(self) -> Any:
        """``a``, ``a,b`` or ``{ a, b }`` as JSON has them."""
        if self.skip("{"):
            found = [self._value()]
            while self.skip(","):
                found.append(self._value())
            self.expect("}")
            return {"set": found}
        first = self._value()
        found = [first]
        while self.skip(","):
            found.append(self._value())
        return {"set": found} if len(found) > 1 else first

    def _value(self) -> Any:
        word = self.next()
        if word in "{},":
            raise _Strange
        if word.startswith('"'):
            return word.strip('"')
        if word.isdecimal():
            return int(word)
        if m := _RANGE.fullmatch(word):
            return {"range": [int(m[1]) if m[1].isdecimal() else m[1], int(m[2]) if m[2].isdecimal() else m[2]]}
        if m := _PREFIX.fullmatch(word):
            return {"prefix": {"addr": m[1], "len": int(m[2])}}
        return word


def translated(text: str) -> tuple[Any, ...] | None:
    """The statements of a printed rule; None when a word of it is not understood."""
    reader = _Reader(text)
    found: list[Any] = []
    try:
        while reader.more:
            statement = _statement(reader)
            if statement is not None:
                found.append(statement)
    except _Strange:
        return None
    return tuple(found)


def _match(reader: _Reader, left: Any) -> Any:
    operator = reader.next() if reader.peek() in _OPERATORS else "=="
    return {"match": {"op": operator, "left": left, "right": reader.values()}}


def _statement(reader: _Reader) -> Any:
    word = reader.next()
    if word in ("accept", "drop", "return", "continue"):
        return {word: None}
    if word in ("jump", "goto"):
        return {word: {"target": reader.next()}}
    if word == "reject":
        if not reader.skip("with"):
            return {"reject": None}
        kind = reader.next()
        if kind not in ("icmp", "icmpv6", "icmpx", "tcp"):
            raise _Strange
        while reader.more:
            reader.next()
        return {"reject": {"type": "tcp reset" if kind == "tcp" else kind}}
    if word == "counter":
        if reader.skip("packets"):
            reader.next()
            reader.expect("bytes")
            reader.next()
        return None
    if word == "comment":
        reader.next()
        return None
    if word == "log":
        while reader.peek() in ("prefix", "level", "group", "snaplen", "queue-threshold", "flags"):
            if reader.next() == "flags":
                while reader.peek() in ("tcp", "ip", "skuid", "ether", "all", "sequence", "options", ","):
                    reader.next()
            else:
                reader.next()
        return None
    if word == "limit":
        reader.expect("rate")
        over = reader.skip("over")
        reader.next()
        if reader.skip("burst"):
            reader.next()
            reader.next()
        return {"limit": {"inv": True} if over else {}}
    return _condition(reader, word)


def _condition(reader: _Reader, word: str) -> Any:
    if word in ("iifname", "oifname"):
        return _match(reader, {"meta": {"key": word}})
    key = reader.next()
    if word == "meta" and key in ("l4proto", "nfproto", "pkttype", "iifname", "oifname"):
        return _match(reader, {"meta": {"key": key}})
    if word == "ct" and key == "state":
        return _match(reader, {"ct": {"key": "state"}})
    if word == "fib" and key in ("daddr", "saddr"):
        reader.expect("type")
        return _match(reader, {"fib": {"result": "type", "flags": [key]}})
    if (word in ("tcp", "udp", "th") and key in ("sport", "dport")) or (
        word in ("ip", "ip6") and key in ("saddr", "daddr", "protocol", "nexthdr")
    ) or (word in ("icmp", "icmpv6") and key in ("type", "code")):  # fmt: skip
        return _match(reader, {"payload": {"protocol": word, "field": key}})
    raise _Strange
