"""From results to the bytes of documents: finds templates and the clause catalogue, and renders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ybscan.model.result import ScanResult
from ybscan.report.document import document_json
from ybscan.report.options import Format, Kind, Options
from ybscan.report.render import render
from ybscan.report.tables import TableFormat, tables
from ybscan.rules.catalogue import load_catalogue
from ybscan.rules.locate import data_folder
from ybscan.rules.templates import template_loader, word_reference

DataFormat = Literal["json"] | TableFormat


def render_documents(
    kind: Kind,
    formats: Sequence[Format | DataFormat],
    results: tuple[ScanResult, ...],
    *,
    template: Path | None,
    options: Options | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, bytes]:
    """Each format's document; text as UTF-8.

    Args:
        kind: what kind of document.
        formats: ``md``, ``html``, ``docx``; as data ``json``, and of tables ``csv``, ``xlsx``.
        results: what the document is about.
        template: the unit's own templates, which hide ours of the same name, and its Word files for styles.
        options: everything that is not in a result; the clause catalogue is added here.
        progress: told the name of each format before it is made.

    Raises:
        InputProblems: a template or the catalogue cannot be used.
    """
    folders = [template] if template is not None else []
    loader = template_loader(*folders, data_folder("templates"))
    options = options or Options()
    named = {clause for r in results for f in r.findings for clause in f.clauses}
    named |= {clause for e in options.ledger for clause in e.clauses}
    options = replace(options, clauses=load_catalogue(data_folder("rules"), sorted(named)))
    documents: dict[str, bytes] = {}
    for f in formats:
        progress(f)
        if f == "json":
            documents[f] = document_json(kind, results, options=options)
        elif f == "csv" or f == "xlsx":
            documents[f] = tables(kind, f, results, options=options)
        elif f == "docx":
            from ybscan.report.docx import render_docx

            reference = word_reference(template, kind) if template is not None else None
            documents[f] = render_docx(kind, results, templates=loader, options=options, reference=reference)
        else:
            documents[f] = render(kind, f, results, templates=loader, options=options).encode("utf-8")
    return documents
