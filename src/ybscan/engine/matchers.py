"""The leaf words: typed comparisons of one value with one operand. Pure.

Every matcher answers True, False, or why it cannot tell (an Unknown). Texts compare after NFKC normalisation and case
folding, so that full-width letters and capitals hide nothing.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from ybscan.model.facts import Kind, Plain
from ybscan.model.reading import Cause, Unknown
from ybscan.model.site import duration_text, parse_duration

MAX_TEXT = 4096
#: How far a time may lie in the future before the clock, not the thing, is in doubt.
CLOCK_SLACK = timedelta(minutes=5)

Answer = bool | Unknown


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """NFKC, case-folded, trimmed."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def same(kind: Kind, value: Plain, wanted: Plain) -> Answer:
    """Equality in the sense of ``kind``."""
    if kind is Kind.ADDRESS:
        return in_network(str(value), str(wanted))
    if kind is Kind.VERSION:
        if folded(str(value)) == folded(str(wanted)):
            return True
        have, need = version_key(str(value)), version_key(str(wanted))
        if have is None or need is None:
            # Two versions that cannot be read are not the same for that.
            return Unknown(Cause.MALFORMED, f"版本号“{value}”无法比较")
        return have == need
    if isinstance(value, str) and isinstance(wanted, str):
        return folded(value) == folded(wanted)
    if isinstance(value, bool) != isinstance(wanted, bool):
        return False
    return value == wanted


def in_network(address: str, network: str) -> Answer:
    """Whether an address is, or lies in, another one. A zone index (``fe80::1%eth0``) is ignored."""
    try:
        return ipaddress.ip_address(address.split("%", 1)[0]) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return Unknown(Cause.MALFORMED, f"“{address[:60]}”不是 IP 地址")


def version_key(text: str) -> tuple[int, ...] | None:
    """The numbers of a dotted version such as ``8.2`` or ``10.0.19045``; None when it is not plainly that."""
    m = re.fullmatch(r"[vV]?(\d+(?:\.\d+)*)", text.strip())
    if m is None:
        return None
    numbers = [int(n) for n in m[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _is(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return same(kind, value, wanted)


def _is_not(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return inverted(same(kind, value, wanted))


def inverted(answer: Answer) -> Answer:
    """The opposite; unknown stays unknown."""
    return answer if isinstance(answer, Unknown) else not answer


def _at_least(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return bool(value >= wanted)


def _at_most(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return bool(value <= wanted)


def _between(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return bool(wanted[0] <= value <= wanted[1])


def _one_of(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    answers = [same(kind, value, w) for w in wanted]
    if any(a is True for a in answers):
        return True
    return next((a for a in answers if isinstance(a, Unknown)), False)


def _none_of(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return inverted(_one_of(kind, value, wanted, now))


def like(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether a text is like one of the wildcard patterns (``*`` and ``?``), folded on both sides."""
    text = folded(value)
    return any(fnmatch.fnmatchcase(text, folded(p)) for p in patterns)


def _like_any(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return like(value, tuple(str(w) for w in wanted))


def _matches(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    text = unicodedata.normalize("NFKC", value)
    if len(text) > MAX_TEXT:
        return Unknown(Cause.TOO_LARGE, f"文字超过 {MAX_TEXT} 字符")
    return re.search(unicodedata.normalize("NFKC", wanted), text, re.IGNORECASE) is not None


def _contains(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    if isinstance(value, tuple):
        return any(folded(v) == folded(wanted) for v in value)
    return folded(wanted) in folded(value)


def _newer_than(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    if value > now + CLOCK_SLACK:
        return Unknown(Cause.MALFORMED, "时间晚于检查时刻，时钟或文件日期有误")
    return bool(value >= now - parse_duration(wanted))


def _older_than(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    return inverted(_newer_than(kind, value, wanted, now))


def _version_at_least(kind: Kind, value: Any, wanted: Any, now: datetime) -> Answer:
    have, need = version_key(value), version_key(wanted)
    if have is None or need is None:
        return Unknown(Cause.MALFORMED, f"版本号“{value}”无法比较")
    return have >= need


MATCHERS: Mapping[str, Callable[[Kind, Any, Any, datetime], Answer]] = {
    "is": _is, "is_not": _is_not, "at_least": _at_least, "at_most": _at_most, "between": _between,
    "one_of": _one_of, "none_of": _none_of, "like_any": _like_any, "matches": _matches, "contains": _contains,
    "newer_than": _newer_than, "older_than": _older_than, "version_at_least": _version_at_least,
}  # fmt: skip


def expected_text(
    word: str, wanted: Any, *, unit: str = "", words: tuple[str, str] = ("是", "否"), negated: bool = False
) -> str:
    """What a comparison demands, in Chinese: ``不少于 8 位``. ``negated`` words the opposite."""

    def shown(v: Any) -> str:
        if isinstance(v, bool):
            return words[0] if v else words[1]
        return f"{v} {unit}" if unit and isinstance(v, (int, float)) else str(v)

    many = "、".join(shown(v) for v in wanted) if isinstance(wanted, tuple) else shown(wanted)
    span = duration_text(parse_duration(wanted)) if word in ("newer_than", "older_than") else ""
    if isinstance(wanted, bool) and word in ("is", "is_not"):
        return f"为“{shown(wanted if (word == 'is') != negated else not wanted)}”"
    if isinstance(wanted, tuple) and word == "between":
        low, high = shown(wanted[0]), shown(wanted[1])
        return f"不在 {low} 至 {high} 之间" if negated else f"在 {low} 至 {high} 之间"
    plain, opposite = {
        "is": (f"为 {many}", f"不为 {many}"),
        "is_not": (f"不为 {many}", f"为 {many}"),
        "at_least": (f"不小于 {many}", f"小于 {many}"),
        "at_most": (f"不大于 {many}", f"大于 {many}"),
        "one_of": (f"属于 {many}", f"不属于 {many}"),
        "none_of": (f"不属于 {many}", f"属于 {many}"),
        "like_any": (f"与 {many} 之一相符", f"与 {many} 均不相符"),
        "matches": (f"与 {many} 相符", f"与 {many} 不相符"),
        "contains": (f"包含 {many}", f"不包含 {many}"),
        "newer_than": (f"在最近 {span} 之内", f"不在最近 {span} 之内"),
        "older_than": (f"早于 {span} 之前", f"不早于 {span} 之前"),
        "version_at_least": (f"版本不低于 {many}", f"版本低于 {many}"),
    }[word]
    return opposite if negated else plain
