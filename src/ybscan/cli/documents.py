"""From results to the bytes of documents: finds templates and the clause catalogue, and renders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ybscan.model.attestation import Answer, Question
from ybscan.model.result import ScanResult
from ybscan.report.options import Format, Kind, Options
from ybscan.report.render import render
from ybscan.rules.catalogue import load_catalogue
from ybscan.rules.locate import data_folder
from ybscan.rules.templates import template_loader


def render_documents(
    kind: Kind,
    formats: Sequence[Format],
    results: tuple[ScanResult, ...],
    *,
    template: Path | None,
    expected: int | None = None,
    questions: tuple[Question, ...] = (),
    answers: tuple[Answer, ...] = (),
    today: date | None = None,
    previous: tuple[ScanResult, ...] = (),
) -> dict[str, bytes]:
    """Each format's document, UTF-8.

    Args:
        kind: ``record`` or ``self-inspection``.
        formats: ``md``, ``html``.
        results: what the document is about.
        template: the unit's own templates, which hide ours of the same name.
        expected: how many terminals there are to check, where that is known.
        questions: what only a person can answer.
        answers: the answers to them.
        today: the day the documents are made on.
        previous: earlier checks, for the comparison with the last one.

    Raises:
        InputProblems: a template or the catalogue cannot be used.
    """
    folders = [template] if template is not None else []
    loader = template_loader(*folders, data_folder("templates"))
    named = {clause for r in results for f in r.findings for clause in f.clauses}
    clauses = load_catalogue(data_folder("rules"), sorted(named))
    options = Options(
        clauses=clauses, expected=expected, questions=questions, answers=answers, today=today, previous=previous
    )
    return {f: render(kind, f, results, templates=loader, options=options).encode("utf-8") for f in formats}
