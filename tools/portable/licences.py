"""The licence texts of everything that a portable form contains besides ybscan itself.

Nothing may be in it whose text is missing here, and nothing under a licence that docs/adr/0002-licence.md keeps out.
"""

from __future__ import annotations

import email.parser
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

_TEXT = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
#: Distributions that carry no text of their licence, and which of the texts at hand it is.
_KNOWN = {"evtx": "Apache-2.0"}
#: PyInstaller's start program is under the GPL with an exception that frees what it packs.
_EXCEPTED = {"pyinstaller"}
#: Distributions that carry a copy of another one inside.
_CARRIED = {"typer": "click"}
_REFUSED = re.compile(r"\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)


class LicenceError(Exception):
    """A distribution that may not be shipped as it is."""


def distributions(packages: Path) -> dict[str, tuple[Path, set[str]]]:
    """Name → its metadata folder, and the top-level modules it installs."""
    found = {}
    for info in sorted(packages.glob("*.dist-info")):
        name = _metadata(info)["Name"].lower().replace("_", "-")
        record = (info / "RECORD").read_text(encoding="utf-8").splitlines()
        tops = {line.split(",")[0].split("/")[0] for line in record}
        found[name] = (info, {t.removesuffix(".py") for t in tops if not t.endswith((".dist-info", ".pth", ".."))})
    return found


def collect(packages: Path, modules: Iterable[str], target: Path, *, own: Path) -> list[str]:
    """Write the texts for the distributions below ``packages`` that any of ``modules`` comes from.

    Args:
        packages: a site-packages folder.
        modules: names of modules, dotted or not, or of files.
        target: the folder to fill, one folder per distribution.
        own: our own licence file, which is the text of Apache-2.0.

    Returns:
        Names and versions, sorted.

    Raises:
        LicenceError: a text is missing or its kind is refused.
    """
    wanted = {m.replace("\\", "/").split("/")[0].split(".")[0] for m in modules}
    there = distributions(packages)
    names = {name for name, (_, tops) in there.items() if tops & wanted or name in _EXCEPTED}
    names |= {_CARRIED[name] for name in names if name in _CARRIED}
    done = []
    for name in sorted(names & set(there)):
        info = there[name][0]
        metadata = _metadata(info)
        said = " ".join((metadata.get(k) or "") for k in ("License", "License-Expression"))
        said += " ".join(c for c in metadata.get_all("Classifier", []) if c.startswith("License"))
        if _REFUSED.search(said) and name not in _EXCEPTED:
            raise LicenceError(f"{name}: {said}")
        texts = [p for p in sorted(info.rglob("*")) if p.is_file() and _TEXT.search(p.name)]
        folder = target / f"{name}-{metadata['Version']}"
        folder.mkdir(parents=True)
        for text in texts:
            shutil.copyfile(text, folder / text.relative_to(info).as_posix().replace("/", "-"))
        if not texts:
            if _KNOWN.get(name) != "Apache-2.0":
                raise LicenceError(f"{name}: no licence text")
            shutil.copyfile(own, folder / "LICENSE-Apache-2.0.txt")
        done.append(folder.name)
    return done


def _metadata(info: Path) -> email.message.Message:
    return email.parser.Parser().parsestr((info / "METADATA").read_text(encoding="utf-8"), headersonly=True)
