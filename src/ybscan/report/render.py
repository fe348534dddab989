"""From results to a document as text; :mod:`ybscan.report.docx` makes Word files of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from jinja2 import BaseLoader, Environment, TemplateNotFound

from ybscan.model.problem import InputProblems, Problem
from ybscan.model.result import ScanResult, Status
from ybscan.model.rule import Severity
from ybscan.report.claims import EvidenceMissing
from ybscan.report.dates import day_text
from ybscan.report.environment import described, environment
from ybscan.report.grading import DIGEST_NOTE, GRADING
from ybscan.report.inspection import build_inspection
from ybscan.report.leader import build_leader
from ybscan.report.ledger import build_ledger
from ybscan.report.lint import Hit, lint
from ybscan.report.options import KINDS, TEXT_FORMATS, Kind, Options, TextFormat
from ybscan.report.parts import OPEN
from ybscan.report.record import build_record
from ybscan.report.terminals import grouped, when
from ybscan.report.text import MARKS, Prose, scrub, without_blank_runs, without_marks


def render(
    kind: Kind,
    format: TextFormat,
    results: Sequence[ScanResult],
    *,
    templates: BaseLoader,
    options: Options | None = None,
) -> str:
    """One document as text.

    Args:
        kind: ``record`` (one chapter per result), ``self-inspection`` (one report over all results), ``leader`` (one page
            over the newest result of each terminal), ``ledger`` (what ``options.ledger`` holds).
        format: ``md`` or ``html``.
        results: at least one.
        templates: gives the templates by name (``record.md.j2``); see :func:`ybscan.rules.templates.template_loader`.
        options: everything that is not in a result.

    Returns:
        The same text for the same arguments, byte for byte.

    Raises:
        InputProblems: a template is wrong, a verdict has no evidence, or the text says what no document may say.
    """
    if kind not in KINDS or format not in TEXT_FORMATS:
        raise ValueError(f"no such document: {kind}.{format}")
    if not results:
        raise InputProblems([Problem("ybscan report", 0, "没有检查结果，不能生成报告", "请先用 ybscan scan 检查")])
    options = options or Options()
    name = f"{kind}.{format}.j2"
    env = environment(templates, format)
    try:
        view, complete = view_of(kind, tuple(results), options)
    except EvidenceMissing as e:
        raise InputProblems([Problem("检查结果", 0, str(e), "结果文件可能不完整，请重新检查")]) from None
    try:
        marked = env.get_template(name).render(**_unforged(view))
    except InputProblems:
        raise
    except Exception as e:
        raise described(e, name) from e
    unblemished = not any(
        f.status is Status.FAIL and f.severity is Severity.CRITICAL for r in results for f in r.findings
    )
    hits = lint(marked, complete=complete, unblemished=unblemished)
    if hits:
        raise InputProblems(_placed(env, name, hits))
    return without_marks(without_blank_runs(marked).strip() + "\n")


def view_of(kind: Kind, results: tuple[ScanResult, ...], options: Options) -> tuple[dict[str, Any], bool]:
    """What the template sees, and whether words such as 全部 may be used."""
    rendered = Prose(day_text(options.rendered_at.date())) if options.rendered_at else Prose("")
    shared: dict[str, Any] = {"grading": GRADING, "digest_note": DIGEST_NOTE, "rendered_at": rendered}
    determined = not any(f.status in OPEN for r in results for f in r.findings)
    if kind == "record":
        ordered = sorted(results, key=lambda r: (r.host.id, when(r), r.digest))
        places = [str(i) for i in range(1, len(ordered) + 1)] if len(ordered) > 1 else [""]
        records = tuple(build_record(r, options, place=p) for r, p in zip(ordered, places, strict=True))
        return {**shared, "records": records}, determined
    if kind == "ledger":
        return {**shared, "ledger": build_ledger(results, options)}, False
    if kind == "leader":
        page = build_leader(results, options)
        return {**shared, "page": page}, determined and options.expected is not None and options.expected == len(
            grouped(results)
        )
    report = build_inspection(results, options)
    return {**shared, "report": report}, determined and report.scope.complete


def _unforged(value: Any) -> Any:
    """The view with our marks in its data shown as code points.

    What a template builds from several values arrives as plain text with marks in it, which are then taken out; data that
    brought such characters along must not lose them that way.
    """
    if isinstance(value, Prose):
        return value
    if isinstance(value, str):
        return scrub(value, limit=len(value), lines=True) if any(m in value for m in MARKS) else value
    if isinstance(value, tuple):
        inner = [_unforged(v) for v in value]
        return value if all(a is b for a, b in zip(inner, value, strict=True)) else tuple(inner)
    if isinstance(value, Mapping):
        return {k: _unforged(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        held = {f.name: getattr(value, f.name) for f in fields(value)}
        changed = {n: new for n, old in held.items() if (new := _unforged(old)) is not old}
        return replace(value, **changed) if changed else value
    return value


def _placed(env: Environment, name: str, hits: tuple[Hit, ...]) -> list[Problem]:
    """The hits at the template lines they come from, where a template has the words literally."""
    problems = []
    loader = env.loader
    assert loader is not None  # noqa: S101 - we made it
    sources: list[tuple[str, str]] = []
    for one in (name, *(f"_macros.{f}.j2" for f in TEXT_FORMATS)):
        try:
            source, shown, _ = loader.get_source(env, one)
        except TemplateNotFound:
            continue
        sources.append((shown or one, source))
    for hit in dict.fromkeys(hits):
        place = next(
            ((shown, i) for shown, s in sources for i, line in enumerate(s.split("\n"), 1) if hit.words in line),
            (sources[0][0] if sources else name, 0),
        )
        problems.append(Problem(*place, f"报告不得出现“{hit.words}”", hit.why))
    return problems
