"""Whether modprobe.d keeps a kernel module from being loaded.

Sources: modprobe.d(5) for folders, hiding and the ``install`` command; kmod's configuration reader for the rest: the
first ``install`` line whose name pattern fits the module counts, ``-`` and ``_`` are equal, a line may be continued by
a backslash. The command is run by a shell. ``blacklist`` only disables aliases and keeps nobody from loading by name.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._usb.layers import Layered, layered, logical_lines

FOLDERS = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)
#: Read by kmod only from version 28 and 30 on (``/usr/lib`` where it is not the same as ``/lib``).
_NEWER_FOLDERS = ("/usr/local/lib/", "/usr/lib/")

Effect = Literal["none", "loads", "unclear"]

_NO_OPS = frozenset({"true", "false", "nologin", ":", "exit", "echo", "printf", "logger", "null"})
_NO_OP_FOLDERS = frozenset({"", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/dev"})
_REDIRECTION = re.compile(r"\s*[0-9]?>{1,2}\s*(?:/dev/null|&[0-9])")
_LOADERS = re.compile(r"\b(modprobe|insmod|finit_module|kmod)\b")


@dataclass(frozen=True, slots=True)
class Install:
    """The ``install`` line that counts for a module."""

    command: str
    effect: Effect
    path: str


@dataclass(frozen=True, slots=True)
class Configured:
    """What the configuration says about one module. ``doubt`` tells why it may say something else after all."""

    install: Install | None
    blacklisted: str
    """The file with a ``blacklist`` line, or empty."""
    doubt: Gap | None


def effect_of(command: str) -> Effect:
    """What an ``install`` command does: nothing (the module stays out), load a module, or something unclear."""
    text = re.sub(r"(?:^|\s)#.*$", "", command).strip()
    text = _REDIRECTION.sub("", text)
    if _LOADERS.search(text):
        return "loads"
    if not text or re.search(r"[|`$(){}<>\\*?\[\]!]|(?<!&)&(?!&)", text.replace("||", ";")):
        return "unclear"
    for part in re.split(r";|&&|\|\|", text):
        words = part.split()
        if not words:
            continue
        folder, _, name = words[0].rpartition("/")
        if name not in _NO_OPS or folder not in _NO_OP_FOLDERS:
            return "unclear"
        if (name == "null") != (folder == "/dev"):
            return "unclear"
    return "none"


def read_configuration(host: Host) -> Layered:
    """The modprobe.d files of the terminal."""
    return layered(host, FOLDERS, ".conf")


def configured(layers: Layered, module: str) -> Configured:
    """What ``layers`` say about ``module``; the first fitting ``install`` line decides."""
    wanted = module.replace("-", "_")
    doubt = layers.gaps[0] if layers.gaps else None
    blacklisted = ""
    for path, text in layers.files:
        if isinstance(text, Unknown):
            # It is read before what follows, and may decide otherwise.
            doubt = doubt or text.as_gap()
            continue
        if not isinstance(text, Known):
            continue
        for line in logical_lines(text.value):
            # Blanks and tabs part words, as in kmod: a full-width or no-break space does not, and such a line is void.
            words = re.split(r"[ \t]+", line.strip(" \t"), maxsplit=2)
            if len(words) < 2 or words[0].startswith("#"):
                continue
            if words[0] == "blacklist" and words[1].replace("-", "_") == wanted:
                blacklisted = blacklisted or path
            if words[0] == "install" and len(words) == 3 and fnmatch.fnmatchcase(wanted, words[1].replace("-", "_")):
                return Configured(Install(words[2].strip(), effect_of(words[2]), path), blacklisted, doubt)
    return Configured(None, blacklisted, doubt)


def folder_doubt(host: Host, path: str) -> Gap | None:
    """Doubt about a rule in a folder that only newer kmod reads, on a system where it is not also ``/lib``."""
    if not path.startswith(_NEWER_FOLDERS):
        return None
    if path.startswith("/usr/lib/"):
        lib = host.files.real(path="/lib")
        if isinstance(lib, Known) and lib.value == "/usr/lib":
            return None
    return Gap(Cause.UNCONFIRMED, f"{path} 所在文件夹是否被读取取决于 kmod 版本", path)
