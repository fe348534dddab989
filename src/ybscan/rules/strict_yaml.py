"""YAML as ybscan accepts it: a strict subset, every value with its line.

YAML 1.1 turns ``no`` into false, ``12:30:45`` into 45045 and ``2026-01-01`` into a date; duplicate keys win silently
and aliases can grow a small file into gigabytes. Here plain scalars follow the YAML 1.2 core schema, what could be
misread is refused, and sizes are limited. Built on parser events (libyaml where PyYAML was built with it), so that
depth is checked before anything recurses.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml
from yaml import events as ev

from ybscan.model.problem import InputProblems, Problem

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_DEPTH: Final = 40
MAX_NODES: Final = 200_000

# PyYAML re-exports the loaders of its libyaml binding, but not the bare parser: `yaml.CParser` does not exist.
_PARSER: Any = getattr(getattr(yaml, "cyaml", None), "CParser", None)

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+)$")
_BOOLEANS_1_1 = frozenset({"yes", "no", "on", "off", "y", "n"})
_CONSTANTS: Final[dict[str, object]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip

# libyaml and PyYAML word the same mistakes alike; the rest is shown as it is.
_SYNTAX = {
    "mapping values are not allowed": "此处不应再出现冒号；含冒号的文字请加引号",
    "could not find expected ':'": "缺少冒号，或冒号后缺少空格",
    "found character that cannot start any token": "有不能出现在开头的字符（常见于用制表符缩进，或 @、` 开头的文字未加引号）",
    "found a tab character": "不能用制表符缩进，请改用空格",
    "did not find expected key": "缩进不一致，或上一行的引号、括号没有配对",
    "did not find expected '-' indicator": "列表项的缩进不一致",
    "found unexpected end of stream": "引号或括号没有结束",
    "did not find expected ',' or ']'": "方括号没有结束，或缺少逗号",
    "did not find expected ',' or '}'": "花括号没有结束，或缺少逗号",
    "control characters are not allowed": "含有不可见的控制字符",
    "block sequence entries are not allowed": "此处不应出现列表项",
    "found unknown escape character": "双引号中的反斜杠不是有效转义，路径请改用单引号",
    "found undefined": "使用了没有定义的名字",
}


class Map(dict[str, Any]):
    """A YAML mapping: ``line`` is its own line, ``lines`` those of its keys (from 1)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: object) -> int:
        """The line of ``key``, or the mapping's own."""
        return self.lines.get(key, self.line) if isinstance(key, str) else self.line


class Seq(list[Any]):
    """A YAML sequence: ``lines`` are those of its items (from 1)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []

    def line_of(self, index: object) -> int:
        """The line of the item at ``index``, or the sequence's own."""
        return self.lines[index] if isinstance(index, int) and 0 <= index < len(self.lines) else self.line


def line_at(document: Any, path: tuple[Any, ...]) -> int:
    """The line of the value at ``path`` (keys and indexes) or of its nearest parent that exists; 1 for the top."""
    line = getattr(document, "line", 1)
    here = document
    for step in path:
        if isinstance(here, Map):
            line = here.line_of(step)
            here = here.get(step) if isinstance(step, str) else None
        elif isinstance(here, Seq):
            line = here.line_of(step)
            here = here[step] if isinstance(step, int) and step < len(here) else None
        else:
            break
    return line


def read_yaml(path: Path, *, name: str = "") -> Any:
    """Read the strict YAML file at ``path``; problems name the file as ``name``, or as it was given.

    Raises:
        InputProblems: the file is missing, unreadable, too large, not UTF-8, or not the YAML we accept.
    """
    shown = name or str(path)
    try:
        with path.open("rb") as f:
            data = f.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputProblems([Problem(shown, 0, "文件不存在", "请核对路径")]) from None
    except IsADirectoryError:
        raise InputProblems([Problem(shown, 0, "这是文件夹，不是文件", "请指定其中的 YAML 文件")]) from None
    except OSError as e:
        raise InputProblems([Problem(shown, 0, f"无法读取文件（{e.strerror or type(e).__name__}）")]) from None
    except ValueError:  # a NUL in the path
        raise InputProblems([Problem(shown, 0, "路径中有不能使用的字符", "请核对路径")]) from None
    return parse_yaml(data, name=shown)


def parse_yaml(data: bytes | str, *, name: str) -> Any:
    """Parse strict YAML from ``data`` (UTF-8, with or without a byte order mark).

    Returns plain values in :class:`Map` and :class:`Seq`; ``None`` for an empty document.

    Raises:
        InputProblems: with every problem found.
    """
    if len(data) > MAX_BYTES:
        raise InputProblems([Problem(name, 0, f"文件超过 {MAX_BYTES // 1024 // 1024} MiB 上限")])
    if isinstance(data, bytes):
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as e:
            line = data[: e.start].count(b"\n") + 1
            raise InputProblems([Problem(name, line, "不是 UTF-8 编码的文字", "请在编辑器中另存为 UTF-8")]) from None
    else:
        text = data
    return _Builder(name).build(text)


class _Builder:
    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []

    def problem(self, line: int, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.name, line, message, suggestion))

    def build(self, text: str) -> Any:
        root: Any = None
        try:
            root = self._walk(text)
        except yaml.MarkedYAMLError as e:
            mark = e.problem_mark or e.context_mark
            said = e.problem or e.context or ""
            words = next((zh for en, zh in _SYNTAX.items() if en in said), said)
            self.problem(mark.line + 1 if mark else 1, f"YAML 语法错误：{words}")
        except yaml.YAMLError as e:
            where = text[: getattr(e, "position", 0) or 0].count("\n") + 1
            self.problem(where, "含有 YAML 不允许的字符", "请删除不可见的控制字符")
        except UnicodeEncodeError as e:
            self.problem(text[: e.start].count("\n") + 1, "含有不成对的代理字符", "请重新输入这一行的文字")
        if self.problems:
            raise InputProblems(self.problems)
        return root

    def _walk(self, text: str) -> Any:
        parser = _PARSER(text) if _PARSER is not None else yaml.Loader(text)
        root: Any = None
        stack: list[Map | Seq] = []
        keys: list[str | None] = []  # the key that waits for its value, per open mapping
        documents = nodes = 0
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is ev.StreamEndEvent:
                return root
            if kind is ev.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self.problem(event.start_mark.line + 1, "一个文件只能有一个 YAML 文档", "请删除多余的 ---")
                    return root
                continue
            if kind is ev.MappingEndEvent or kind is ev.SequenceEndEvent:
                stack.pop()
                keys.pop()
                continue
            if kind in (ev.StreamStartEvent, ev.DocumentEndEvent):
                continue

            line = event.start_mark.line + 1
            nodes += 1
            if nodes > MAX_NODES:
                self.problem(line, f"内容超过 {MAX_NODES} 项上限")
                return root
            if kind is ev.AliasEvent or event.anchor is not None:
                self.problem(line, "不支持锚点和别名（& 和 *）", "请直接写出内容；以 * 开头的文字请加引号")
                if kind is ev.AliasEvent:
                    value: Any = None
                    if stack:  # else the whole document is an alias
                        self._place(stack, keys, value, line)
                    continue
            if event.tag is not None and kind is not ev.ScalarEvent:
                self.problem(line, f"不支持标签 {event.tag}", "请删除以 ! 开头的标签")
            if kind is ev.ScalarEvent:
                if stack and isinstance(stack[-1], Map) and keys[-1] is None:
                    self._key(stack[-1], keys, event, line)
                    continue
                value = self._scalar(event, line)
                if stack:
                    self._place(stack, keys, value, line)
                else:
                    root = value
                continue
            value = Map(line) if kind is ev.MappingStartEvent else Seq(line)
            if stack:
                if isinstance(stack[-1], Map) and keys[-1] is None:
                    self.problem(line, "键只能是一行文字")
                    keys[-1] = ""
                self._place(stack, keys, value, line)
            else:
                root = value
            stack.append(value)
            keys.append(None)
            if len(stack) > MAX_DEPTH:
                self.problem(line, f"嵌套超过 {MAX_DEPTH} 层")
                return root

    def _key(self, mapping: Map, keys: list[str | None], event: ev.ScalarEvent, line: int) -> None:
        key: str = event.value
        if key == "<<" and event.implicit[0]:
            self.problem(line, "不支持合并键 <<", "请直接写出内容")
        if key in mapping.lines:
            self.problem(line, f"键“{key}”重复（第 {mapping.lines[key]} 行已有）", "请合并或删除其中一个")
        mapping.lines[key] = line
        keys[-1] = key

    @staticmethod
    def _place(stack: list[Map | Seq], keys: list[str | None], value: Any, line: int) -> None:
        holder = stack[-1]
        if isinstance(holder, Map):
            key = keys[-1]
            if key is not None:
                holder[key] = value
                keys[-1] = None
        else:
            holder.append(value)
            holder.lines.append(line)

    def _scalar(self, event: ev.ScalarEvent, line: int) -> Any:
        text: str = event.value
        if event.tag is not None:
            self.problem(line, f"不支持标签 {event.tag}", "请删除以 ! 开头的标签")
            return text
        if not event.implicit[0]:  # quoted or block
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text.lower() in _BOOLEANS_1_1:
            self.problem(line, f"“{text}”含义不明", "请写 true 或 false；要写文字请加引号")
            return text
        if _INT.match(text):
            if len(text) > 18:
                self.problem(line, f"整数“{text[:20]}…”过大", "要写文字请加引号")
                return 0
            return int(text)
        if _FLOAT.match(text):
            return float(text)
        return text
