"""Changing the unit's waiver file and nothing else in it: comments and the other exceptions stay as they were written.

Pure: text in, text out. What comes out is read back by the strict loader before anybody writes it.
"""

from __future__ import annotations

import json
from datetime import date

from ybscan.model.problem import InputProblems
from ybscan.model.rule import Waiver, WaiverFile
from ybscan.rules.strict_yaml import line_at, parse_yaml

HEAD = """# 经批准的例外。到期或撤销后自动恢复为“不符合”；例外期间该项仍在报告中列出。
schema: ybscan.waivers/v1
waivers:
"""


class NotEditable(Exception):
    """The file is written in a way in which it cannot be changed line by line; a person has to."""


def added(text: str, waiver: Waiver) -> str:
    """The file with one more exception; ``text`` is empty for a file that does not exist yet.

    Raises:
        NotEditable: the list is written in flow style, or does not stand at the end.
    """
    entry = [
        f"  - rule: {waiver.rule}",
        f"    terminals: [{', '.join(map(_quoted, waiver.terminals))}]",
        f"    reason: {_quoted(waiver.reason)}",
        f"    approver: {_quoted(waiver.approver)}",
        f"    document: {_quoted(waiver.document)}",
        f"    approved: {waiver.approved.isoformat()}",
        f"    expires: {waiver.expires.isoformat()}",
    ]
    body = text or HEAD
    body = body.replace("waivers: []", "waivers:")
    made = body.rstrip("\n") + "\n" + "\n".join(entry) + "\n"
    before = _read(text) if text else ()
    return _proven(made, (*before, waiver))


def revoked(text: str, index: int, day: date, by: str) -> str:
    """The file with the exception number ``index`` (from 0) revoked from ``day`` on.

    Raises:
        NotEditable: the entry is not written line by line.
    """
    before = _read(text)
    wanted = before[index].model_copy(update={"revoked": day, "revoked_by": by})
    line = line_at(parse_yaml(text, name="waivers.yml"), ("waivers", index, "expires"))
    lines = text.split("\n")
    if not lines[line - 1].lstrip().lstrip("-").lstrip().startswith("expires:"):
        raise NotEditable
    row = lines[line - 1]
    indent = " " * (len(row) - len(row.lstrip().removeprefix("-").lstrip()))
    lines[line:line] = [f"{indent}revoked: {day.isoformat()}", f"{indent}revoked_by: {_quoted(by)}"]
    return _proven("\n".join(lines), (*before[:index], wanted, *before[index + 1 :]))


def _read(text: str) -> tuple[Waiver, ...]:
    return WaiverFile.model_validate(parse_yaml(text, name="waivers.yml")).waivers


def _proven(made: str, wanted: tuple[Waiver, ...]) -> str:
    try:
        same = _read(made) == wanted
    except (InputProblems, ValueError):
        same = False
    if not same:
        raise NotEditable
    return made


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar, which JSON strings are."""
    return json.dumps(text, ensure_ascii=False)
