"""The template engine as we run it: sandboxed, strict, every value escaped for its format, errors with their place."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from ybscan.model.problem import InputProblems, Problem
from ybscan.report import charts
from ybscan.report.claims import BLANK, UNCONFIRMED, Claim, EvidenceMissing, Ref
from ybscan.report.lint import lint_words
from ybscan.report.options import TextFormat
from ybscan.report.text import (
    CLAIM_CLOSE,
    CLAIM_OPEN,
    MARKS,
    code_html,
    code_markdown,
    to_html,
    to_markdown,
)

#: How many references a sentence names before it only counts them.
MAX_REFS = 6
#: Filters that would let data through unescaped, or that give other output on every run.
_REMOVED = ("safe", "forceescape", "tojson", "urlize", "xmlattr", "pprint", "random", "striptags", "mark_safe")


class _Checked(BaseLoader):
    """A loader whose templates were looked over: no marks of ours in them, no forbidden words in their strings."""

    def __init__(self, inner: BaseLoader) -> None:
        self._inner = inner

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, filename, _ = self._inner.get_source(environment, template)
        shown = filename or template
        for number, line in enumerate(source.split("\n"), 1):
            if any(mark in line for mark in MARKS):
                raise InputProblems([Problem(shown, number, "模板含有不可见的控制字符", "请删除")])
        for number, kind, value in environment.lex(source, template, shown):
            if kind == "string":
                for hit in lint_words(value):
                    raise InputProblems([Problem(shown, number, f"模板不得出现“{hit.words}”", hit.why)])
        return source, shown, lambda: True


def _finalize(to_format: Callable[[str], Markup], claimed: Callable[[Claim], Markup]) -> Callable[[Any], Any]:
    def finalize(value: Any) -> Any:
        if isinstance(value, (Markup, StrictUndefined)):
            return value  # printing an undefined value raises by itself
        if isinstance(value, Claim):
            return claimed(value)
        if isinstance(value, str):
            return to_format(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return to_format(str(value))
        kind = "没有值" if value is None else f"不能直接输出（{type(value).__name__}）"
        raise TemplateRuntimeError(f"要输出的内容{kind}")

    return finalize


def _refs(refs: Any) -> tuple[Ref, ...]:
    found = tuple(refs) if isinstance(refs, (tuple, list)) else ()
    if not found or not all(isinstance(r, Ref) for r in found):
        raise EvidenceMissing("stated 的句子没有证据，必须给出 refs")
    return found


def _labels(refs: tuple[Ref, ...]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((r.anchor, r.rule or r.record) for r in refs))


def _refs_html(refs: tuple[Ref, ...]) -> Markup:
    labels = _labels(refs)
    links = "、".join(f'<a href="#{a}">{to_html(t)}</a>' for a, t in labels[:MAX_REFS])
    more = f"等 {len(labels)} 项" if len(labels) > MAX_REFS else ""
    return Markup(f'<span class="ref">〔{links}{more}〕</span>')  # noqa: S704 - anchors are plain, labels escaped


def _refs_markdown(refs: tuple[Ref, ...]) -> Markup:
    labels = _labels(refs)
    more = f"等 {len(labels)} 项" if len(labels) > MAX_REFS else ""
    return Markup(f"〔{'、'.join(to_markdown(t) for _, t in labels[:MAX_REFS])}{more}〕")  # noqa: S704 - escaped


def environment(loader: BaseLoader, format: TextFormat) -> Environment:
    """A fresh engine for one document."""
    html = format == "html"
    to_format, references = (to_html, _refs_html) if html else (to_markdown, _refs_markdown)

    def claimed(claim: Claim) -> Markup:
        tail = references(claim.refs) if claim.shown else ""
        return Markup(f"{CLAIM_OPEN}{to_format(claim.text)}{tail}{CLAIM_CLOSE}")  # noqa: S704 - escaped

    def stated(refs: Any, caller: Callable[[], str]) -> Markup:
        """For templates: a sentence of their own about the result, with the evidence it rests on."""
        return Markup(f"{CLAIM_OPEN}{caller()}{references(_refs(refs))}{CLAIM_CLOSE}")  # noqa: S704 - escaped

    env = ImmutableSandboxedEnvironment(
        loader=_Checked(loader), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, auto_reload=False, finalize=_finalize(to_format, claimed), cache_size=0,
    )  # fmt: skip
    for name in _REMOVED:
        env.filters.pop(name, None)
    env.filters["code"] = code_html if html else code_markdown
    env.globals.pop("lipsum", None)
    env.globals.update(
        blank=BLANK,
        unconfirmed=UNCONFIRMED,
        stated=stated,
        bars=charts.bars,
        legend=charts.legend,
        meter=charts.meter,
        patterns=charts.patterns,
    )
    return env


def described(error: Exception, kind: str) -> InputProblems:
    """What is wrong with a template, with its line."""
    if isinstance(error, TemplateSyntaxError):
        return InputProblems([Problem(error.filename or error.name or kind, error.lineno, _syntax(error))])
    file, line = _place(error, kind)
    if isinstance(error, TemplateNotFound):
        return InputProblems([Problem(file, line, f"找不到模板“{error.name}”", "请核对模板文件夹")])
    if isinstance(error, UndefinedError):
        return InputProblems(
            [Problem(file, line, f"模板使用了不存在的内容：{error.message}", "可用的内容见 templates/README.md")]
        )
    if isinstance(error, SecurityError):
        return InputProblems([Problem(file, line, "模板执行了不允许的操作", "模板只能读取报告内容")])
    if isinstance(error, (EvidenceMissing, TemplateRuntimeError)):
        return InputProblems([Problem(file, line, str(error))])
    return InputProblems([Problem(file, line, f"模板出错（{type(error).__name__}：{error}）")])


def _syntax(error: TemplateSyntaxError) -> str:
    return f"模板语法错误：{error.message}"


def _place(error: Exception, kind: str) -> tuple[str, int]:
    """The innermost line of a template in the traceback; Jinja puts template lines there for what it compiled."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.endswith((".py", ">"))]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else (kind, 0)
