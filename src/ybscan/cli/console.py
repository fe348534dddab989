"""Talking to a person: Chinese on any console, messages to stderr, results to stdout.

A GBK console cannot show every character that may turn up in evidence, and a redirected stream may know no Chinese at
all. All streams are therefore set to replace what they cannot encode: a question mark is better than a crash.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ybscan.model.problem import InputProblems

if TYPE_CHECKING:
    from rich.console import Console

#: Exit codes of DESIGN: all pass; some fail; usage or input error; none fails but some unknown; internal error.
OK, FAILED, BAD_INPUT, UNDETERMINED, INTERNAL = 0, 1, 2, 3, 4


def prepare_streams() -> None:
    """Make the streams replace what they cannot encode or decode, and give whoever reads them a code page that fits.

    A program without any console (started detached) has no streams at all; what it would say goes nowhere.
    """
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - lives as long as we do
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with suppress(io.UnsupportedOperation):  # what has been read from stays as it was set up before
                stream.reconfigure(encoding=_better_encoding(stream), errors="replace")


def _better_encoding(stream: io.TextIOWrapper) -> str | None:
    """The encoding a stream should have instead of its own, if any.

    What the user names holds: ``PYTHONIOENCODING``, ``PYTHONUTF8``. Python looks at these itself, except in the
    portable forms, where the interpreter is isolated from its environment. A console is left as it is. A pipe or file
    on Windows has the system's code page (936 on a Chinese system), which is what programs of that system expect;
    that changes when the console it hangs on is set to UTF-8, or when the code page has no Chinese at all.
    """
    named = os.environ.get("PYTHONIOENCODING", "").partition(":")[0] or (
        "utf-8" if os.environ.get("PYTHONUTF8") == "1" else ""
    )
    if named:
        return named if sys.flags.ignore_environment and _is_codec(named) else None
    if stream.isatty():
        return None
    return "utf-8" if _console_is_utf8() or not _knows_chinese(stream.encoding) else None


def _is_codec(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False


def _knows_chinese(encoding: str) -> bool:
    try:
        "医保".encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _console_is_utf8() -> bool:
    if sys.platform != "win32":
        return False
    from ybscan.cli import windows_console

    return windows_console.output_code_page() == 65001


def reader_gone(error: OSError) -> bool:
    """Whether an error says that nobody reads our output any more.

    Windows reports a closed pipe as EINVAL, which may mean anything; there a stream that still cannot be flushed
    decides.
    """
    if error.errno == errno.EPIPE:
        return True
    if sys.platform != "win32" or error.errno != errno.EINVAL or error.filename is not None:
        return False
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return True
    return False


def give_up_streams() -> None:
    """Point both output streams at nothing, so that the interpreter does not try again, and complain, at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nothing, stream.fileno())


def say(message: str) -> None:
    """One line to the person, on stderr."""
    sys.stderr.write(clean(message) + "\n")
    sys.stderr.flush()


def interrupted() -> int:
    """Say that Ctrl+C ended it; returns the exit code. Files are written whole or not at all, see ``output``."""
    with suppress(OSError):
        say("\n已中断。没有写完的文件不会留下。")
    return INTERNAL


def emit(text: str) -> None:
    """Result text to stdout, in the stream's own encoding."""
    sys.stdout.write(clean(text))
    sys.stdout.flush()


def emit_json(document: object) -> None:
    """A JSON document to stdout: Chinese readable where the reader expects UTF-8, else plain ASCII, which is both."""
    import json

    emit(json.dumps(document, ensure_ascii=not speaks_utf8(), indent=2) + "\n")


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

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            # The library's own answer is to exit with 1, which here means that a check failed.
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    return Ours(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False)


@contextmanager
def progress(*, quiet: bool, doing: str = "正在检查") -> Iterator[Callable[[str], None]]:
    """A callable that shows what is being read or done; silent when quiet or when nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _title: None
        return
    console = rich_console()
    with console.status(f"{doing}……", spinner="line") as status:
        yield lambda title: status.update(f"{doing}：{title}……")
