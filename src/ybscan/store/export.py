"""A folder for the inspector: every record as a file, and what verifies them without ybscan's database.

``index.json`` holds all headers, the head and the schema; ``records/<number>.json`` the canonical body of each record.
Whoever has sha256sum or an SM3 tool can check a body against the index by hand; ``ybscan history verify --export`` checks
everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from ybscan.model.problem import InputProblems, Problem
from ybscan.model.result import canonical_json
from ybscan.store.chain import Clock, Flaw, Header, RecordKind, body_flaw, flaws, may_lack_body, pruned_to
from ybscan.store.digests import Digests
from ybscan.store.history import MAX_BODY, History
from ybscan.store.signing import Signature

SCHEMA = "ybscan.history/v1"
INDEX = "index.json"
RECORDS = "records"
_KEYS = {"schema", "head", "records", "signatures"}
_MAX_INDEX = 256 * 1024 * 1024


def export_files(history: History) -> Iterator[tuple[str, bytes]]:
    """The files of an export: relative name and content, the index last (its presence means that the export is whole)."""
    headers = []
    for record in history.records():
        headers.append(record.header)
        if record.body is not None:
            yield f"{RECORDS}/{record.header.seq:06}.json", record.body
    head = {"seq": headers[-1].seq, **asdict(headers[-1].own)} if headers else None
    signed = [{**asdict(s), "value": s.value.hex()} for s in history.signatures()]
    index = {"schema": SCHEMA, "head": head, "records": [asdict(h) for h in headers], "signatures": signed}
    yield INDEX, canonical_json(index)


def verify_export(folder: Path) -> tuple[list[Header], list[Flaw]]:
    """The headers of an export and everything in it that is not as it was stored.

    Raises:
        InputProblems: the folder holds no export that can be read at all.
    """
    index = _index(folder)
    try:
        headers = [_header(h) for h in index["records"]]
        head = index["head"]
        sealed = (int(head["seq"]), Digests(str(head["sha256"]), str(head["sm3"]))) if head is not None else None
    except (KeyError, TypeError, ValueError):
        raise _bad(folder / INDEX, "目录文件的内容不完整") from None
    found = flaws(headers, sealed) if headers or sealed else []
    to = _pruned_to(folder, headers)
    for header in headers:
        body = _body(folder, header)
        if body is None:
            if not may_lack_body(header, to):
                found.append(Flaw(header.seq, f"第 {header.seq} 号记录的正文文件不见了或无法读取"))
        elif (flaw := body_flaw(header, body)) is not None:
            found.append(flaw)
    known = {f"{h.seq:06}.json" for h in headers}
    for name in sorted(p.name for p in (folder / RECORDS).iterdir()) if (folder / RECORDS).is_dir() else ():
        if name not in known:
            found.append(Flaw(0, f"{RECORDS} 中有目录没有列出的文件 {name}"))
    return headers, found


def exported_digests(folder: Path, headers: list[Header]) -> Iterator[str]:
    """The digests that the checks of an export give themselves, as they stand on paper."""
    for header in headers:
        body = _body(folder, header) if header.kind in ("result", "correction") else None
        if body is not None and body_flaw(header, body) is None:
            yield str(json.loads(body).get("digest", ""))


def exported_signatures(folder: Path) -> list[Signature]:
    """The signatures of an export.

    Raises:
        InputProblems: the folder holds no export that can be read.
    """
    try:
        return [
            Signature(int(s["seq"]), s["algorithm"], str(s["key"]), bytes.fromhex(s["value"]))
            for s in _index(folder)["signatures"]
        ]
    except (KeyError, TypeError, ValueError):
        raise _bad(folder / INDEX, "目录文件中的签名不完整") from None


def _pruned_to(folder: Path, headers: list[Header]) -> int:
    """The last number that a summary of pruned records, itself part of the chain, speaks of."""
    for header in reversed(headers):
        if header.kind == "pruned":
            body = _body(folder, header)
            if body is not None and body_flaw(header, body) is None:
                return pruned_to(body)
    return 0


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        with path.open("rb") as f:
            data = f.read(_MAX_INDEX + 1)
    except OSError as e:
        raise _bad(path, f"无法读取导出的目录文件（{e.strerror or type(e).__name__}）") from None
    if len(data) > _MAX_INDEX:
        raise _bad(path, "目录文件过大")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _bad(path, "目录文件不是完整的 JSON") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or set(document) != _KEYS:
        raise _bad(path, f"不是 {SCHEMA} 导出")
    if canonical_json(document) != data:
        raise _bad(path, "目录文件被改动过：写法与导出时不同")
    return document


def _header(raw: Any) -> Header:
    """A header from JSON, refusing whatever is not exactly one.

    Raises:
        ValueError: it is none.
    """
    wanted = {"seq", "kind", "terminal", "at", "stored_at", "clock", "refers", "body", "previous", "own"}
    if not isinstance(raw, dict) or set(raw) != wanted:
        raise ValueError("header")
    for name in ("body", "previous", "own"):
        if not isinstance(raw[name], dict) or set(raw[name]) != {"sha256", "sm3"}:
            raise ValueError("header")
    numbers = all(type(raw[n]) is int for n in ("seq", "refers"))
    texts = all(isinstance(raw[n], str) for n in ("terminal", "at", "stored_at"))
    if not numbers or not texts or raw["kind"] not in get_args(RecordKind) or raw["clock"] not in get_args(Clock):
        raise ValueError("header")
    return Header(
        seq=raw["seq"], kind=raw["kind"], terminal=raw["terminal"], at=raw["at"], stored_at=raw["stored_at"],
        clock=raw["clock"], refers=raw["refers"], body=Digests(**raw["body"]), previous=Digests(**raw["previous"]),
        own=Digests(**raw["own"]),
    )  # fmt: skip


def _body(folder: Path, header: Header) -> bytes | None:
    try:
        with (folder / RECORDS / f"{header.seq:06}.json").open("rb") as f:
            data = f.read(MAX_BODY + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_BODY else None


def _bad(path: Path, message: str) -> InputProblems:
    return InputProblems([Problem(str(path), 0, message, "请使用 ybscan history export 导出的文件夹")])
