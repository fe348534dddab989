"""What sshd's configuration comes to. Pure but for reading the files.

Sources: sshd_config(5): keywords are case-insensitive, for each keyword the first value obtained is used, ``Include``
(since 8.2) reads its files in place and in lexical order, relative paths are below /etc/ssh, and lines after ``Match``
hold only for the connections it names.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field

from ybscan.hosts.base import Host
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown

#: SUSE's descendants keep the distribution's file below /usr/etc; one in /etc replaces it.
CONFIGS = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")
#: Command-line options given here win over the file.
_OPTION_FILES = ("/etc/default/ssh", "/etc/default/sshd", "/etc/sysconfig/sshd", "/etc/sysconfig/ssh")
_DEPTH = 16
#: In a unit: ``-o`` or ``-f`` behind the program, or in one of the variables that the distribution's unit puts there.
_OVERRIDES = re.compile(
    r"^[ \t]*(ExecStart=.*\bsshd\b.*|Environment=.*(SSHD_OPTS|OPTIONS).*)[\s\"'=]-[A-Za-z]*[of]", re.MULTILINE
)
_LINE = re.compile(r"^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*?)\s*$")


@dataclass(slots=True)
class SshdConfig:
    """Global values (the first of each keyword), values inside Match blocks, and what could not be read."""

    path: str
    first: dict[str, str] = field(default_factory=dict)
    all: dict[str, list[str]] = field(default_factory=dict)
    """Every global value, for keywords that add up (Port, ListenAddress)."""
    conditional: dict[str, list[str]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    options: str = ""
    """Where the command line may override the file, empty when nothing does."""

    def value(self, keyword: str, default: str | Unknown) -> str | Unknown:
        """The effective global value in lower case. A gap or an overriding command line makes an unset one unknown."""
        if self.options:
            return Unknown(Cause.UNCONFIRMED, f"{self.options} 中的启动参数可能改变配置", self.options)
        # An unread Include may have set the keyword first, before the line that was read.
        if self.gaps:
            return Unknown(self.gaps[0].cause, self.gaps[0].detail, self.gaps[0].origin)
        found = self.first.get(keyword)
        return found.lower() if found is not None else default


def read_sshd_config(host: Host) -> Reading[SshdConfig]:
    """The configuration; Absent where there is no file."""
    for path in CONFIGS:
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            return text
        if isinstance(text, Known):
            config = SshdConfig(path)
            _parse(host, config, text.value, [], _DEPTH)
            _options(host, config)
            _unit_options(host, config)
            return Known(config, path)
    return Absent(CONFIGS[0])


def _options(host: Host, config: SshdConfig) -> None:
    for path in _OPTION_FILES:
        text = host.files.text(path=path)
        if isinstance(text, Unknown):
            config.gaps.append(text.as_gap())
        elif isinstance(text, Known):
            for line in text.value.splitlines():
                m = re.match(r"\s*(SSHD_OPTS|OPTIONS|SSHD_OPTIONS)\s*=\s*(.*)", line)
                if m and re.search(r"(^|[\s\"'])-[of]", m[2]):
                    config.options = path


_UNIT_ROOTS = ("/etc/systemd/system", "/run/systemd/system")
_UNITS = tuple(f"{name}.service" for name in ("ssh", "sshd", "ssh@", "sshd@"))


def _unit_options(host: Host, config: SshdConfig) -> None:
    """Units of the administrator's own, and drop-ins, may start sshd with another file or other values."""
    for root in _UNIT_ROOTS:
        names = host.files.entries(path=root)
        # /run is empty on a disk that lies still: what was there does not outlive a restart.
        if isinstance(names, Unknown) and not (root.startswith("/run") and names.cause is Cause.UNSUPPORTED):
            config.gaps.append(names.as_gap())
        for name in names.value if isinstance(names, Known) else ():
            if name.removesuffix(".d") not in _UNITS:
                continue
            files = [f"{root}/{name}"]
            if name.endswith(".d"):
                inside = host.files.entries(path=f"{root}/{name}")
                if isinstance(inside, Unknown):
                    config.gaps.append(inside.as_gap())
                files = [f"{root}/{name}/{n}" for n in inside.value] if isinstance(inside, Known) else []
            for path in files:
                text = host.files.text(path=path)
                if isinstance(text, Unknown):
                    config.gaps.append(text.as_gap())
                elif isinstance(text, Known) and _OVERRIDES.search(text.value.replace("\\\n", " ")):
                    config.options = path


def _parse(host: Host, config: SshdConfig, text: str, match: list[str], depth: int) -> None:
    """Add the lines of one file. ``match`` holds the conditions in force; an included file's Match ends with it."""
    here = list(match)
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        found = _LINE.match(line)
        if not found:
            if line.strip():
                config.gaps.append(Gap(Cause.MALFORMED, f"{config.path} 有无法识别的行", config.path))
            continue
        keyword, value = found[1].lower(), _unquoted(found[2])
        if keyword == "match":
            here = [] if value.strip().lower() == "all" else [value]
        elif keyword == "include":
            for pattern in value.split():
                _include(host, config, pattern, here, depth)
        elif here:
            config.conditional.setdefault(keyword, []).append(value.lower())
        else:
            config.first.setdefault(keyword, value)
            config.all.setdefault(keyword, []).append(value)


def _unquoted(value: str) -> str:
    value = re.sub(r"\s+#.*$", "", value)
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _include(host: Host, config: SshdConfig, pattern: str, match: list[str], depth: int) -> None:
    path = pattern.strip('"') if pattern.startswith(("/", '"/')) else f"/etc/ssh/{pattern}"
    folder, _, name = path.rpartition("/")
    if not depth or any(c in folder for c in "*?["):
        config.gaps.append(Gap(Cause.INCOMPLETE, f"{config.path} 的 Include {pattern} 无法展开", config.path))
        return
    if any(c in name for c in "*?["):
        listed = host.files.entries(path=folder)
        if isinstance(listed, Unknown):
            config.gaps.append(listed.as_gap())
        names = sorted(n for n in listed.value if fnmatch.fnmatchcase(n, name)) if isinstance(listed, Known) else []
    else:
        names = [name]
    for one in names:
        text = host.files.text(path=f"{folder}/{one}")
        if isinstance(text, Unknown):
            config.gaps.append(text.as_gap())
        elif isinstance(text, Known):
            _parse(host, config, text.value, match, depth - 1)
