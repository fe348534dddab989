"""The documents that several tests look at: which results, which options, where the templates lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import BaseLoader

from tests.unit import results
from ybscan.model.attestation import Answer
from ybscan.model.ledger import Entry, LedgerEvent
from ybscan.model.result import ScanResult
from ybscan.report.dates import period_of
from ybscan.report.docx import render_docx
from ybscan.report.options import Kind, Missed, Options, TextFormat
from ybscan.report.render import render
from ybscan.rules.attestation import load_questions
from ybscan.rules.catalogue import LazyClauses
from ybscan.rules.templates import template_loader
from ybscan.store.ledger import SeenCheck, in_order, ledger

PROJECT = Path(__file__).resolve().parents[1]
CLAUSES = LazyClauses(PROJECT / "rules")
QUESTIONS = load_questions(PROJECT / "rules")


@cache
def templates() -> BaseLoader:
    """The project's own templates."""
    return template_loader(PROJECT / "templates")


def _answer(question: str, answer: str, basis: str, at: date = date(2026, 11, 20)) -> Answer:
    return Answer(question=question, answer=answer, basis=basis, person="赵科长", at=at)


def _hospital_options() -> Options:
    return Options(
        clauses=CLAUSES,
        period=period_of("month", date(2026, 11, 20)),
        expected=5,
        missed=(Missed(id="YB-0004", department="住院处", reason="设备送修"), Missed(id="YB-0005")),
        addressee="示例市医疗保障局",
        questions=QUESTIONS,
        answers=(
            _answer("leading-group", "组长孙某，成员张某、赵某", "示院信〔2026〕3 号"),
            _answer("advice", "建议统一更换老旧终端。", "院务会纪要"),
            _answer("media-ledger", "是", "移动介质台账第 12 页"),
            _answer("visitors", "否：11 月 18 日打印机维修无人陪同", "来访登记第 3 页"),
            # Expired the day before, given too long ago.
            _answer("boundary", "是", "机房巡检记录", date(2026, 11, 13)),
            _answer("duty", "是", "值班表", date(2026, 7, 1)),
        ),
    )  # fmt: skip


def ledger_of(found: tuple[ScanResult, ...]) -> tuple[Entry, ...]:
    """The ledger that these checks open; the first entry is assigned and overdue, the last closed by a person."""
    today = date(2026, 11, 20)
    seen = [SeenCheck(n, r) for n, r in enumerate(sorted(found, key=lambda r: r.started_at), 1)]
    ids = [e.id for e in ledger(seen, (), today)]
    events = []
    if ids:
        common = {"by": "赵科长", "day": "2026-11-13", "seq": 0}
        assigned = {"action": "assign", "entry": ids[0], "owner": "李工", "leader": "王主任", "department": "信息科"}
        events.append({**common, **assigned, "deadline": "2026-11-18", "measures": "禁用驱动并重新启动"})
        if len(ids) > 1:
            events.append({**common, "action": "close", "entry": ids[-1], "basis": "整改单〔2026〕12 号"})
    told = [LedgerEvent.model_validate({k: v for k, v in e.items() if k != "seq"}) for e in events]
    numbered = [e.model_copy(update={"seq": 100 + n}) for n, e in enumerate(told)]
    return tuple(in_order(ledger(seen, numbered, today), today))


def cases() -> dict[str, tuple[tuple[ScanResult, ...], Options]]:
    """Name → results and options."""
    return {
        "pharmacy": ((results.pharmacy(),), Options(clauses=CLAUSES, expected=1, questions=QUESTIONS)),
        "everything-wrong": ((results.everything_wrong(),), Options(clauses=CLAUSES, expected=1, questions=QUESTIONS)),
        "nothing-readable": ((results.nothing_readable(),), Options(clauses=CLAUSES, questions=QUESTIONS)),
        "hostile": ((results.hostile(),), Options(clauses=CLAUSES, expected=1, questions=QUESTIONS)),
        "hospital": (results.hospital(), _hospital_options()),
    }


def given(name: str, kind: Kind) -> tuple[tuple[ScanResult, ...], Options]:
    """What a document of a case is made from; a record is that of the last result, compared with the ones before it."""
    found, options = cases()[name]
    if kind in ("leader", "ledger"):
        options = replace(options, ledger=ledger_of(found), missed_weeks=(date(2026, 11, 6),))
    if kind == "record":
        options = Options(clauses=CLAUSES, previous=found[:1], answers=options.answers, questions=QUESTIONS)
        found = found[1:2] if len(found) > 1 else found
    return found, options


def document(name: str, kind: Kind, format: TextFormat) -> str:
    """One document of a case as text."""
    found, options = given(name, kind)
    return render(kind, format, found, templates=templates(), options=options)


def word(name: str, kind: Kind, reference: tuple[str, bytes] | None = None) -> bytes:
    """One document of a case as a Word file."""
    found, options = given(name, kind)
    return render_docx(kind, found, templates=templates(), options=options, reference=reference)
