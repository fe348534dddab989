"""Install a wheel into an empty environment and scan from the root folder with it, in all three formats."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def main(wheel: Path) -> int:
    """Returns 0 when the installed program scans and writes its three documents."""
    with tempfile.TemporaryDirectory(prefix="ybscan-wheel-") as scratch:
        folder = Path(scratch)
        venv.create(folder / "venv", with_pip=True)
        bin_folder = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        pip = [str(bin_folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
        subprocess.run(pip, check=True)
        out = folder / "out"
        code = subprocess.run([str(bin_folder / "ybscan"), "scan", "-o", str(out)], cwd="/", check=False).returncode
        written = sorted(p.suffix for p in out.iterdir()) if out.is_dir() else []
        print(f"exit {code}, wrote {written}")
        return 0 if code in (0, 1, 3) and written == [".html", ".json", ".md"] else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
