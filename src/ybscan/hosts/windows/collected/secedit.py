"""The security template that ``secedit /export /areas SECURITYPOLICY`` writes.

Sources: [MS-GPSB] "Security Policy Settings" (section ``System Access``), whose section and value names are never
localised. UTF-16 with byte order mark; the tool's exit code is no proof that it wrote anything.
"""

from __future__ import annotations

import codecs
import re

from ybscan.hosts.collected.records import Malformed, decoded
from ybscan.hosts.groups.accounts import AccountPolicy, Member
from ybscan.model.reading import Cause, Gap, Known, Reading, Unknown

_DAY = 86400
_ORIGIN = "secedit"


def sections(data: bytes) -> dict[str, dict[str, str]]:
    """The values by section, both in lower case.

    Raises:
        Malformed: it is no such template, or is cut off.
    """
    if data.startswith(codecs.BOM_UTF16_LE) and len(data) % 2:
        raise Malformed("UTF-16 不完整，文件被截断")
    made: dict[str, dict[str, str]] = {}
    here: dict[str, str] | None = None
    for number, line in enumerate(decoded(data).splitlines(), 1):
        line = line.strip("\x00 \t")
        if not line or line.startswith(";"):
            continue
        if head := re.fullmatch(r"\[([A-Za-z ]+)\]", line):
            here = made.setdefault(head[1].lower(), {})
        elif here is not None and "=" in line:
            name, _, value = line.partition("=")
            if name.strip().lower() in here:
                raise Malformed(f"第 {number} 行：{name.strip()} 重复")
            here[name.strip().lower()] = value.strip()
        else:
            raise Malformed(f"第 {number} 行：无法识别")
    if "system access" not in made or "version" not in made:
        raise Malformed("缺少 [System Access] 或 [Version]，不是完整的安全模板")
    return made


def policy_of(data: bytes) -> Reading[AccountPolicy]:
    """Password and lockout policy; Unknown when a value is missing or makes no sense."""
    try:
        found = sections(data)["system access"]
        threshold = _number(found, "lockoutbadcount")
        # Windows leaves duration and window out while nothing is ever locked.
        duration = _number(found, "lockoutduration") if threshold else 0
        window = _number(found, "resetlockoutcount") if threshold else 0
        longest = _number(found, "maximumpasswordage")
        return Known(
            AccountPolicy(
                min_length=_whole(found, "minimumpasswordlength"),
                max_age=longest * _DAY if longest > 0 else None,
                min_age=max(_number(found, "minimumpasswordage"), 0) * _DAY,
                history=_whole(found, "passwordhistorysize"),
                complexity=_switch(found, "passwordcomplexity"),
                reversible=_switch(found, "cleartextpassword"),
                lockout_threshold=_whole(found, "lockoutbadcount"),
                lockout_duration=duration * 60 if duration >= 0 else None,
                lockout_window=max(window, 0) * 60,
            ),
            _ORIGIN,
        )
    except Malformed as e:
        return Unknown(Cause.MALFORMED, f"secedit.inf {e}", _ORIGIN)


def holders_of(data: bytes, right: str) -> Reading[tuple[Member, ...]]:
    """Those who hold a user right: the section names the rights that somebody holds, SIDs with a star before them."""
    try:
        rights = sections(data).get("privilege rights")
    except Malformed as e:
        return Unknown(Cause.MALFORMED, f"secedit.inf {e}", _ORIGIN)
    if not rights:
        return Unknown(Cause.NOT_RECORDED, "安全模板中没有用户权限", _ORIGIN)
    found: list[Member] = []
    gaps: list[Gap] = []
    for item in filter(None, (i.strip() for i in rights.get(right.lower(), "").split(","))):
        if item.upper().startswith("*S-1-"):
            found.append(Member(item[1:], "", "unknown"))
        else:
            gaps.append(Gap(Cause.INCOMPLETE, f"{right} 的持有者 {item} 没有 SID", _ORIGIN))
    return Known(tuple(sorted(found, key=lambda m: m.sid)), _ORIGIN, tuple(gaps))


def _number(found: dict[str, str], name: str) -> int:
    raw = found.get(name, "")
    if re.fullmatch(r"-1|\d{1,9}", raw) is None:
        raise Malformed(f"没有有效的 {name}")
    return int(raw)


def _whole(found: dict[str, str], name: str) -> int:
    number = _number(found, name)
    if number < 0:
        raise Malformed(f"没有有效的 {name}")
    return number


def _switch(found: dict[str, str], name: str) -> bool:
    number = _number(found, name)
    if number not in (0, 1):
        raise Malformed(f"没有有效的 {name}")
    return number == 1
