"""Talking to a person: Chinese on any console, messages to stderr, results to stdout.

A GBK console cannot show every character that may turn up in evidence, and a redirected stream may know no Chinese at
all. Both streams are therefore set to replace what they cannot encode: a question mark is better than a crash.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ybscan.model.problem import InputProblems

if TYPE_CHECKING:
    from rich.console import Console

#: Exit codes of DESIGN: all pass; some fail; usage or input error; none fails but some unknown; internal error.
OK, FAILED, BAD_INPUT, UNDETERMINED, INTERNAL = 0, 1, 2, 3, 4


def prepare_streams() -> None:
    """Make both output streams replace what they cannot encode."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(message: str) -> None:
    """One line to the person, on stderr."""
    sys.stderr.write(clean(message) + "\n")
    sys.stderr.flush()


def emit(text: str) -> None:
    """Result text to stdout, in the stream's own encoding."""
    sys.stdout.write(clean(text))
    sys.stdout.flush()


def emit_bytes(data: bytes) -> None:
    """A document to stdout, byte for byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def speaks_utf8() -> bool:
    """Whether whoever reads our standard output expects UTF-8; a program behind a pipe on a GBK console does not."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def clean(text: str) -> str:
    """Text that can be written and cannot steer the terminal: lone surrogates and control characters made visible."""
    return "".join(
        c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"
        for c in text
    )


def refuse(problems: InputProblems, closing: str = "没有进行检查，也没有写入任何文件。") -> int:
    """Print every problem; returns the exit code for bad input."""
    for problem in problems.problems:
        say(str(problem))
    say(f"共 {len(problems.problems)} 处问题，{closing}")
    return BAD_INPUT


def rich_console(*, stderr: bool = True) -> Console:
    """A rich console on stderr (or stdout), without markup or highlighting: what is printed is data."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A callable that shows what is being read; silent when quiet or when nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _title: None
        return
    console = rich_console()
    with console.status("正在检查……", spinner="line") as status:
        yield lambda title: status.update(f"正在检查：{title}……")
