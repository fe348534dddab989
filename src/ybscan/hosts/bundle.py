"""The evidence bundle ``ybscan.evidence/v1``: what a terminal answered, to be judged elsewhere or again later.

A zip of ``manifest.json`` and one ``answers/<group>.json`` per group of questions, all canonical JSON. The manifest
names every member with size and SHA-256 and carries a seal over itself. The seal shows damage and careless editing;
it is no signature, since whoever can write the file can compute it anew.

A bundle comes from another machine and may have been made to harm: sizes, counts and ratios are checked before
anything is inflated, names against the only ones there can be, and every value against the type its question declares.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import ybscan
from ybscan.hosts.base import Os
from ybscan.hosts.bundle_answers import Collector, answer_document, plain
from ybscan.hosts.bundle_zip import LIMITS, MANIFEST, Limit, Limits, members_of, packed
from ybscan.hosts.groups.system import Identity
from ybscan.hosts.recorder import Recording
from ybscan.hosts.replay import Answers
from ybscan.model.problem import InputProblems, Problem
from ybscan.model.reading import Known
from ybscan.model.result import canonical_json

SCHEMA = "ybscan.evidence/v1"

_MANIFEST_KEYS = frozenset({"schema", "tool", "os", "collected_at", "answers", "members", "seal"})


@dataclass(frozen=True, slots=True)
class Bundle:
    """The evidence of one terminal, as read."""

    os: Os
    answers: Answers
    """What :func:`ybscan.hosts.replay.replay` takes."""
    collected_at: datetime
    tool: str
    """Version of the program that collected."""
    identity: Identity | None
    """The terminal's names, where they were recorded."""
    ignored: int
    """Answers to questions that this version does not know."""
    sha256: str
    """Digest of the file, lower-case hex."""


def write_bundle(recording: Recording, *, os: Os, collected_at: datetime, path: Path, limits: Limits = LIMITS) -> None:
    """Write all answers of ``recording`` to the zip file ``path``, replacing it in one step.

    The same recording and time give the same bytes. The file is readable for its owner only.

    Raises:
        InputProblems: the answers exceed the size limits, or the file cannot be written.
        ValueError: ``collected_at`` has no offset.
    """
    if collected_at.tzinfo is None:
        raise ValueError("collected_at has no offset")
    with recording.lock:
        answers = sorted(recording.answers.values(), key=lambda a: (a.group, a.question, canonical_json(plain(a.args))))
    groups: dict[str, list[Any]] = {}
    for answer in answers:
        groups.setdefault(answer.group, []).append(answer_document(answer))
    members = {
        f"answers/{name}.json": canonical_json({"group": name, "answers": found}) for name, found in groups.items()
    }
    manifest: dict[str, Any] = {
        "schema": SCHEMA,
        "tool": {"name": "ybscan", "version": ybscan.__version__},
        "os": os,
        "collected_at": collected_at.isoformat(),
        "answers": len(answers),
        "members": [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(members.items())
        ],
    }
    members[MANIFEST] = canonical_json(manifest | {"seal": _seal(manifest)})
    try:
        _replace(path, packed(members, limits))
    except Limit as e:
        raise InputProblems([Problem(str(path), 0, f"证据包过大：{e}")]) from None
    except OSError as e:
        raise InputProblems([Problem(str(path), 0, f"无法写入证据包（{e.strerror or type(e).__name__}）")]) from None


def _seal(manifest: Mapping[str, Any]) -> str:
    unsealed = {k: v for k, v in manifest.items() if k != "seal"}
    return "sha256:" + hashlib.sha256(canonical_json(unsealed)).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` and rename it there, so that a broken-off run leaves no half bundle."""
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_bundle(path: Path, *, limits: Limits = LIMITS) -> Bundle:
    """The evidence in ``path``.

    Raises:
        InputProblems: with what is wrong, in Chinese; never anything else, whatever the file holds.
    """
    name = str(path)
    try:
        members, digest = members_of(path, limits)
    except Limit as e:
        raise InputProblems([Problem(name, 0, str(e), "请重新采集或复制证据包")]) from None
    manifest = _manifest(name, members)
    problems: list[Problem] = []
    collector = Collector(name, problems)
    for member in sorted(members):
        if member != MANIFEST:
            collector.read(member, _json(members[member], f"{name}:{member}"))
    if not problems and collector.total != manifest["answers"]:
        problems.append(Problem(name, 0, f"清单记有 {manifest['answers']} 条回答，实际为 {collector.total} 条"))
    if problems:
        raise InputProblems(problems)
    who = collector.answers.get(("system", "identity", ()))
    return Bundle(
        os=manifest["os"],
        answers=collector.answers,
        collected_at=datetime.fromisoformat(manifest["collected_at"]),
        tool=manifest["tool"]["version"],
        identity=who.value if isinstance(who, Known) and isinstance(who.value, Identity) else None,
        ignored=collector.ignored,
        sha256=digest,
    )


def _json(data: bytes, shown: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("duplicate key")
        return made

    try:
        return json.loads(data.decode("ascii"), object_pairs_hook=unique)
    except (ValueError, RecursionError):  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise InputProblems([Problem(shown, 0, "内容不是有效的 JSON", "证据包可能已损坏，请重新采集")]) from None


def _manifest(name: str, members: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest, checked against itself and against the members.

    Raises:
        InputProblems: something does not fit.
    """
    shown = f"{name}:{MANIFEST}"

    def refuse(message: str, suggestion: str = "") -> InputProblems:
        return InputProblems([Problem(shown, 0, message, suggestion)])

    if MANIFEST not in members:
        raise InputProblems([Problem(name, 0, f"其中没有 {MANIFEST}", "这不是 ybscan collect 生成的证据包")])
    manifest = _json(members[MANIFEST], shown)
    if not isinstance(manifest, dict):
        raise refuse("清单格式有误")
    schema = manifest.get("schema")
    if schema != SCHEMA:
        if isinstance(schema, str) and schema.startswith("ybscan.evidence/"):
            raise refuse(f"证据包版本为 {schema[:40]}，本程序只支持 {SCHEMA}", "请使用相同版本的 ybscan")
        raise refuse("不是 ybscan 的证据包")
    if set(manifest) != _MANIFEST_KEYS or not _well_formed(manifest):
        raise refuse("清单格式有误")
    if manifest["seal"] != _seal(manifest):
        raise refuse("清单的校验值不符", "证据包可能被改动，请重新采集")
    listed = [m["name"] for m in manifest["members"]]
    if sorted(listed) != sorted(n for n in members if n != MANIFEST):
        raise refuse("清单与证据包中的文件不一致")
    for member in manifest["members"]:
        data = members[member["name"]]
        if len(data) != member["bytes"] or hashlib.sha256(data).hexdigest() != member["sha256"]:
            raise InputProblems([Problem(f"{name}:{member['name']}", 0, "校验值不符", "证据包可能被改动，请重新采集")])
    return manifest


def _well_formed(manifest: Mapping[str, Any]) -> bool:
    tool, members, count = manifest["tool"], manifest["members"], manifest["answers"]
    try:
        moment = datetime.fromisoformat(manifest["collected_at"])
    except (TypeError, ValueError):
        return False
    return (
        moment.tzinfo is not None
        and manifest["os"] in ("linux", "windows")
        and isinstance(tool, dict) and set(tool) == {"name", "version"} and all(isinstance(v, str) for v in tool.values())
        and isinstance(count, int) and not isinstance(count, bool)
        and isinstance(members, list)
        and all(
            isinstance(m, dict) and set(m) == {"name", "bytes", "sha256"} and isinstance(m["name"], str) for m in members
        )
        and len({m["name"] for m in members}) == len(members)
    )  # fmt: skip
