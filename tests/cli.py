"""Running the program as a person does: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def ybscan(
    *arguments: str, cwd: Path | None = None, encoding: str = "utf-8", stdin: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """One run of ``ybscan``, its streams in ``encoding`` (as a Chinese console's would be in GBK)."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("YBSCAN", "PYTHONIO", "PYTHONUTF8"))}
    environment["PYTHONIOENCODING"] = encoding
    return subprocess.run(
        [sys.executable, "-m", "ybscan", *arguments],
        capture_output=True,
        cwd=cwd,
        env=environment,
        input=stdin.encode(encoding, "replace"),
        check=False,
        timeout=120,
    )


def tree(root: Path, files: dict[str, str]) -> Path:
    """A folder laid out like a Linux system."""
    for name, text in {
        "etc/os-release": 'ID=kylin\nVERSION_ID="v10"\nPRETTY_NAME="银河麒麟 V10"\n',
        "etc/hostname": "SF-01\n",
        **files,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
