"""Starts ybscan from this folder: puts the packages for this machine and this Python on the path, and nothing else."""

import platform
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MACHINE = platform.machine()
PYTHON = f"cp{sys.version_info[0]}{sys.version_info[1]}"


def start() -> None:
    """Run the command line; exits with 2 where the folder has nothing for this machine or Python."""
    compiled = HERE / f"{MACHINE}-{PYTHON}"
    if not compiled.is_dir():
        there = "、".join(sorted(p.name for p in HERE.iterdir() if "-cp" in p.name))
        say = f"不支持本机的处理器和 Python（{MACHINE}-{PYTHON}），可用：{there}。请改用采集程序（见使用说明.txt）。\n"
        sys.stderr.reconfigure(errors="replace")  # type: ignore[union-attr]
        sys.stderr.write(say)
        sys.exit(2)
    sys.path[:0] = [str(p) for p in (HERE, HERE / "python", HERE / MACHINE, compiled)]
    from ybscan.__main__ import main

    main()


start()
