"""The template engine as we run it: sandboxed, strict, every value escaped for its format, errors with their place."""

from __future__ import annotations

import base64
import hashlib
import re
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
from ybscan.report.model import Counts
from ybscan.report.options import TextFormat
from ybscan.report.text import (
    CLAIM_CLOSE,
    CLAIM_OPEN,
    MARKS,
    Prose,
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


def _verdict_choices(counts: Counts) -> list[tuple[str, Prose]]:
    """The verdicts that occur, for a filter: key, and sign and word."""
    return [(c.verdict.key, Prose(f"{c.verdict.sign} {c.verdict.text}")) for c in counts.by_status if c.number]


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


SCRIPT = "_filter.js.j2"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; {script}base-uri 'none'; form-action 'none'"


class _Script:
    """The one script a page may have: its text as the template folder has it, never rendered, so that no data gets in."""

    def __init__(self, loader: BaseLoader, env: Environment) -> None:
        self._loader = loader
        self._env = env

    def _text(self) -> str:
        source, shown, _ = self._loader.get_source(self._env, SCRIPT)
        # Indentation and whole-line comments stay with us; the hash has to fit the finished document byte for byte.
        lines = (line.strip() for line in source.split("\n"))
        text = "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"
        if re.search(r"</script|<!--", text, re.IGNORECASE):
            raise InputProblems([Problem(shown or SCRIPT, 0, "脚本中不能有 </script 和 <!--")])
        return text

    def element(self) -> Markup:
        """The script with its tags."""
        return Markup(f"<script>{self._text()}</script>")  # noqa: S704 - the template folder's own text

    def policy(self, *, script: bool = True) -> Markup:
        """The content security policy: nothing but our style, and the script with exactly this hash."""
        allowed = ""
        if script:
            digest = base64.b64encode(hashlib.sha256(self._text().encode()).digest()).decode("ascii")
            allowed = f"script-src 'sha256-{digest}'; "
        return Markup(_POLICY.format(script=allowed))  # noqa: S704 - fixed text and a hash


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
    env.filters["verdict_choices"] = _verdict_choices
    env.globals.pop("lipsum", None)
    script = _Script(env.loader or loader, env)
    env.globals.update(
        policy=script.policy,
        script=script.element,
        blank=BLANK,
        unconfirmed=UNCONFIRMED,
        stated=stated,
        bars=charts.bars,
        legend=charts.legend,
        meter=charts.meter,
        patterns=charts.patterns,
        severity_bars=charts.severity_bars,
        trend=charts.trend,
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
