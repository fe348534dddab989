"""Reading document templates and a unit's Word files: its own folder first, then ours. ``report`` touches no file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import FunctionLoader

from ybscan.model.problem import InputProblems, Problem

MAX_BYTES = 1024 * 1024
MAX_WORD_BYTES = 16 * 1024 * 1024
_SUFFIX = ".j2"


def template_loader(*folders: Path) -> FunctionLoader:
    """A loader over ``folders``; a template of an earlier one hides those of the same name in later ones.

    All templates are read here and now, so that rendering touches no file.

    Raises:
        InputProblems: a folder is missing, a template is unreadable, too large or not UTF-8.
    """
    problems: list[Problem] = []
    texts: dict[str, tuple[str, str]] = {}
    for folder in folders:
        if not folder.is_dir():
            problems.append(Problem(str(folder), 0, "模板文件夹不存在", "请核对路径"))
            continue
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            if path.name not in texts:
                text = _read(path, problems)
                if text is not None:
                    texts[path.name] = (text, str(path))
    if problems:
        raise InputProblems(problems)

    def load(name: str) -> tuple[str, str | None, Callable[[], bool] | None] | None:
        found = texts.get(name)
        return (found[0], found[1], lambda: True) if found else None

    return FunctionLoader(load)


def _read(path: Path, problems: list[Problem]) -> str | None:
    try:
        with path.open("rb") as f:
            raw = f.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            problems.append(Problem(str(path), 0, "模板超过 1 MiB 上限"))
            return None
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        problems.append(Problem(str(path), raw[: e.start].count(b"\n") + 1, "不是 UTF-8 编码的文字", "请另存为 UTF-8"))
    except OSError as e:
        problems.append(Problem(str(path), 0, f"无法读取文件（{e.strerror or type(e).__name__}）"))
    return None


def word_reference(folder: Path, kind: str) -> tuple[str, bytes] | None:
    """The unit's Word file for documents of this kind, or that for all kinds: its name in messages and its bytes.

    Raises:
        InputProblems: it cannot be read or is too large.
    """
    for path in (folder / f"{kind}.docx", folder / "_reference.docx"):
        try:
            with path.open("rb") as f:
                raw = f.read(MAX_WORD_BYTES + 1)
        except FileNotFoundError:
            continue
        except OSError as e:
            raise InputProblems(
                [Problem(str(path), 0, f"无法读取文件（{e.strerror or type(e).__name__}）", "请核对文件和权限")]
            ) from None
        if len(raw) > MAX_WORD_BYTES:
            limit = MAX_WORD_BYTES // 1024 // 1024
            raise InputProblems([Problem(str(path), 0, f"Word 模板超过 {limit} MiB 上限", "请去掉其中的大图片")])
        return str(path), raw
    return None
