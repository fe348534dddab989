"""Running allow-listed commands of the live system."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

from ybscan.hosts.groups.tools import Output, Tool, Tools
from ybscan.model.reading import Cause, Known, Reading, Unknown

assert sys.platform != "win32"  # noqa: S101 - tells the type checker what system this file is for

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_LIMIT = 16 * 1024 * 1024


class LinuxTools(Tools):
    """Commands from the system folders only, in the C locale, in a session of their own, never with a shell."""

    def run(self, *, tool: str, args: tuple[str, ...], seconds: int = 10) -> Reading[Output]:
        entry = Tool[tool]
        shown = " ".join((entry.command, *args))
        if not entry.allows(args):
            raise ValueError(f"not an allowed form: {shown}")
        program = shutil.which(entry.command, path=_PATH)
        if program is None:
            return Unknown(Cause.TOOL_MISSING, entry.command, shown)
        environment = {"PATH": _PATH, "LC_ALL": "C", "LANG": "C", "SYSTEMD_COLORS": "0", "TERM": "dumb"}
        try:
            process = subprocess.Popen(  # noqa: S603 - allow-listed program and argument forms, no shell
                [program, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=environment, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as e:
            return Unknown(Cause.TOOL_FAILED, f"{entry.command}：{e.strerror or type(e).__name__}", shown)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Unknown(Cause.TIMEOUT, f"{shown}（{seconds} 秒）", shown)
        if len(out) > _LIMIT:
            return Unknown(Cause.TOO_LARGE, shown, shown)
        return Known(
            Output(process.returncode, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "surrogateescape")),
            shown,
        )
