"""When packages were upgraded, from the records the package managers keep.

Sources: dpkg(1) ``--log`` (``2026-11-01 10:00:00 upgrade libc6:amd64 old new``, local time), apt's history log
(``Start-Date``, ``Upgrade:``), dnf's ``dnf.rpm.log`` (``… SUBDEBUG Upgrade: name-version``), rpm(8) query tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from ybscan.hosts.base import Host
from ybscan.model.debversion import compare_versions
from ybscan.model.reading import Absent, Cause, Gap, Known, Unknown
from ybscan.probes._usb.text_logs import content

DPKG = ("/var/log", "dpkg.log")
APT = ("/var/log/apt", "history.log")
DNF = ("/var/log", "dnf.rpm.log")

#: Packages of the system itself in which security holes are mended: kernel, C library, init, cryptography, privileges.
#: Data packages (tzdata, ca-certificates) and applications do not show that the system was patched.
_CORE = re.compile(
    r"^(libc6|libc-bin|glibc(-common)?|linux-image[\w.+-]*|linux-modules[\w.+-]*|linux-generic[\w.+-]*|kernel(-core|-modules|-default)?"
    r"|systemd|libsystemd0|udev|libudev1|openssl|openssl-libs|libssl[\w.]+|libgnutls30\w*|gnutls|sudo|polkit(d|-libs)?|policykit-1"
    r"|bash|dpkg|apt|rpm|dbus|util-linux|perl-base|openssh-(server|client|clients)|login|passwd|shadow-utils|libpam-modules|pam"
    r"|base-files|coreutils|libkrb5-3|krb5-libs|libxml2|zlib1g|zlib|libexpat1|expat)$"
)
_DPKG_LINE = re.compile(r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (\w+)(?: ([^\s:]+)(?::\S+)?(?: (\S+) (\S+))?)?")
_APT_START = re.compile(r"^Start-Date: (\d{4}-\d\d-\d\d)\s+(\d\d:\d\d:\d\d)", re.MULTILINE)
_APT_UPGRADE = re.compile(r"^Upgrade: (.*)$", re.MULTILINE)
_DNF_LINE = re.compile(
    r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d) \w+ (Upgrade|Installed): (\S+)-[^-\s]+-[^-\s]+$"
)
_DNF_ANY = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d) ")

#: NAME, time of installation, time of build; see rpm(8) ``--queryformat``.
RPM_TIMES = r"%{NAME}\t%{INSTALLTIME}\n"
#: What is installed within this time of the first package came with the system.
_SETUP = timedelta(hours=12)


def is_core(package: str) -> bool:
    """Whether an upgrade of the package shows that the system itself was patched."""
    return bool(_CORE.match(package))


@dataclass(slots=True)
class Record:
    """What one source of records says: upgrades by day, how far back it reaches, and what of it could not be read."""

    source: str
    upgrades: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    """ISO day → time and package."""
    oldest: datetime | None = None
    gaps: list[Gap] = field(default_factory=list)
    found: bool = False

    def seen(self, when: datetime) -> None:
        """Take note that the records reach back to ``when``."""
        self.found = True
        self.oldest = when if self.oldest is None or when < self.oldest else self.oldest

    def upgraded(self, when: datetime, package: str) -> None:
        """Take note of one upgrade."""
        self.seen(when)
        self.upgrades.setdefault(when.date().isoformat(), []).append((when, package))


def read_record(host: Host, now: datetime, start: datetime) -> Record | Unknown | Absent:
    """The first source that has records: dpkg's log, else apt's, else rpm's database, else dnf's log."""
    troubles: list[Gap] = []
    for folder, family in (DPKG, APT):
        record = _family(host, folder, family, now, start)
        if record.found:
            return record
        troubles.extend(record.gaps)
    rpm = _rpm(host, now)
    if isinstance(rpm, Record):
        if rpm.found:
            return rpm
        troubles.extend(rpm.gaps)
    dnf = _family(host, *DNF, now, start)
    if dnf.found:
        return dnf
    troubles.extend(dnf.gaps)
    if troubles:
        return Unknown(troubles[0].cause, troubles[0].detail, troubles[0].origin)
    return Absent("/var/log/dpkg.log")


def _family(host: Host, folder: str, family: str, now: datetime, start: datetime) -> Record:
    """A log and its rotated files, as far as they hold anything since ``start``."""
    record = Record(f"{folder}/{family}")
    names = host.files.entries(path=folder)
    if isinstance(names, Unknown):
        record.gaps.append(names.as_gap())
    pattern = re.compile(rf"{re.escape(family)}(?:[.-](\d+))?(?:\.gz|\.xz|\.zst|\.bz2)?")
    found = [(n, m) for n in (names.value if isinstance(names, Known) else ()) if (m := pattern.fullmatch(n))]
    # logrotate(8) numbers from 1 on; a number left out is a file somebody took away.
    numbers = {int(m[1]) for _, m in found if m[1] and len(m[1]) < 4}
    if numbers and numbers != set(range(1, max(numbers) + 1)):
        record.gaps.append(Gap(Cause.INCOMPLETE, f"{folder}/{family} 的历史文件不连续", folder))
    for name, _ in found:
        path = f"{folder}/{name}"
        stat = host.files.stat(path=path)
        if isinstance(stat, Known) and stat.value.mtime < start.timestamp() and stat.value.size:
            # Its last line lies before the time that matters: the record reaches back at least that far.
            record.seen(datetime.fromtimestamp(stat.value.mtime, tz=now.tzinfo))
            continue
        text = content(host, path, stat.value.size if isinstance(stat, Known) else None)
        if isinstance(text, Unknown):
            record.gaps.append(text.as_gap())
        elif isinstance(text, Known) and text.value.strip():
            lines = _PARSERS[family](text.value, record, now.tzinfo)
            if not lines:
                record.gaps.append(Gap(Cause.MALFORMED, path, path))
    return record


def _moment(day: str, clock: str, zone: tzinfo | None) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone)
    except ValueError:
        return None


def _dpkg(text: str, record: Record, zone: tzinfo | None) -> int:
    lines = 0
    for line in text.splitlines():
        m = _DPKG_LINE.match(line)
        when = _moment(m[1], m[2], zone) if m else None
        if m is None or when is None:
            continue
        lines += 1
        # dpkg calls it an upgrade also when the same or an older version is put in.
        if m[3] == "upgrade" and m[4] and m[5] and m[6] and compare_versions(m[6], m[5]) == 1:
            record.upgraded(when, m[4])
        else:
            record.seen(when)
    return lines


def _apt(text: str, record: Record, zone: tzinfo | None) -> int:
    lines = 0
    for stanza in re.split(r"\n\s*\n", text):
        m = _APT_START.search(stanza)
        when = _moment(m[1], m[2], zone) if m else None
        if m is None or when is None:
            continue
        lines += 1
        record.seen(when)
        # A transaction that broke off has an Error line, or no end: what it upgraded is not certain.
        if re.search(r"^Error:", stanza, re.MULTILINE) or "End-Date:" not in stanza:
            continue
        upgrade = _APT_UPGRADE.search(stanza)
        for package in re.findall(r"([^\s,:()]+):\w+ \(", upgrade[1]) if upgrade else ():
            record.upgraded(when, package)
    return lines


def _dnf(text: str, record: Record, zone: tzinfo | None) -> int:
    lines = 0
    for line in text.splitlines():
        dated = _DNF_ANY.match(line)
        if dated is None:
            continue
        try:
            when = datetime.fromisoformat(dated[1] + dated[2].replace("Z", "+00:00")).astimezone(zone)
        except ValueError:
            continue
        lines += 1
        record.seen(when)
        m = _DNF_LINE.match(line)
        # A new kernel is installed beside the old one.
        if m and (m[3] == "Upgrade" or m[4].startswith("kernel")):
            record.upgraded(when, m[4])
    return lines


_PARSERS = {DPKG[1]: _dpkg, APT[1]: _apt, DNF[1]: _dnf}


def _rpm(host: Host, now: datetime) -> Record | None:
    """Times of installation: what came later than the system itself and belongs to its core was an upgrade."""
    present = False
    for folder in ("/var/lib/rpm", "/usr/lib/sysimage/rpm"):
        listed = host.files.entries(path=folder)
        if isinstance(listed, Unknown) or (
            isinstance(listed, Known) and {"Packages", "Packages.db", "rpmdb.sqlite"} & set(listed.value)
        ):
            present = True
    if not present:
        return None
    record = Record("rpm -qa")
    answer = host.tools.run(tool="RPM", args=("-qa", "--qf", RPM_TIMES), seconds=30)
    if not isinstance(answer, Known):
        record.gaps.append(answer.as_gap() if isinstance(answer, Unknown) else Gap(Cause.UNAVAILABLE, "rpm", "rpm"))
        return record
    times = list(_rpm_lines(answer.value.stdout, now.tzinfo))
    bad = len([line for line in answer.value.stdout.splitlines() if line.strip()]) - len(times)
    if answer.value.code != 0 or bad or not times:
        detail = f"rpm 返回 {answer.value.code}，{bad} 行无法识别，{len(times)} 个软件包"
        record.gaps.append(Gap(Cause.TOOL_FAILED if answer.value.code else Cause.MALFORMED, detail, "rpm"))
        return record
    first = min(when for when, _ in times)
    record.seen(first)
    for when, package in times:
        if when > first + _SETUP:
            record.upgraded(when, package)
    return record


def _rpm_lines(text: str, zone: tzinfo | None) -> Iterator[tuple[datetime, str]]:
    for line in text.splitlines():
        name, tab, seconds = line.partition("\t")
        if tab and re.fullmatch(r"\d{9,11}", seconds.strip()) and re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name):
            yield datetime.fromtimestamp(int(seconds), tz=zone), name
