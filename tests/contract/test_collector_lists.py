"""What the collectors bring keeps up with what the probes ask: every place a case states is collected, or excepted here.

The lists stand in the scripts alone. A place that is missing there would only make verdicts 无法判定, but on every terminal.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ybscan.rules.strict_yaml import read_yaml

PROJECT = Path(__file__).resolve().parents[2]
VBS = (PROJECT / "tools/collector/windows/ybscan-collect.vbs").read_bytes().decode("ascii")
SH = (PROJECT / "tools/collector/linux/ybscan-collect.sh").read_text(encoding="utf-8")
CV = r"hklm\software\microsoft\windows\currentversion" + "\\"
NT = r"hklm\software\microsoft\windows nt\currentversion" + "\\"
WOW = r"hklm\software\wow6432node\microsoft\windows\currentversion" + "\\"
#: Places only the site file names, and what stands for them in cases: nobody can list them beforehand.
SITE = re.compile(
    r"/(?:a|b|bt|backup\d?|copy|data|loop|mnt|ov|ram|srv|media|image|images|备份|系统映像|\.snapshots)/|/(?:opt|usr/local)/[^/]+/"
    r"|/etc/ybscan/|/home/[^/]+/(?!\.)|/dev/"
)
#: Not brought: the accounts people have with OneDrive bear their names and addresses. Whether one is used stays open there.
PRIVATE = r"software\microsoft\onedrive\accounts"
#: Brought in part only, or by other means than their text: journal and logins (commands), packages (lists), hashes (never).
OTHERWISE = re.compile(
    r"/var/log/|/var/lib/(?:clamav|dpkg|rpm|apt|snapd|flatpak|iwd|samba|linglong)|/etc/(?:shadow|gshadow|dconf/db)|/sys/|/proc/net/"
    r"|/proc/sys/|/lib/modules/|/usr/share/(?:glib-2.0|dsg|ksc-defender)/|/usr/lib/(?:x86_64-linux-gnu|firefox)/|/lib/x86_64-linux-gnu/"
    r"|/home/[^/]+/\.|/root/|/var/lib/AccountsService/|/tmp/|/var/tmp/|/run/user/|/run/dconf/|/timeshift/snapshots/|/etc/rc\d\.d/|/etc/kysec/"
)


def windows_keys() -> set[str]:
    """The keys that the script names, in lower case; those of people without the root."""
    body = VBS[VBS.index("Sub RegistryParts") : VBS.index("Function LongKey")]
    found = set()
    for prefix, key in re.findall(r'(cv & |nt & |wow & |& sid & )?"([A-Za-z\\_][^"|]*)"', body):
        found.add(({"cv & ": CV, "nt & ": NT, "wow & ": WOW}.get(prefix, "") + key).lower().strip("\\"))
    return {k for k in found if "\\" in k or k in ("environment", "network")}


def linux_patterns() -> list[str]:
    start = SH.index("WANTED='") + len("WANTED='")
    # Of all below /etc the names are listed, which is not enough for what a case gives contents.
    return [p for p in SH[start : SH.index("'", start)].split() if p != "/etc/--"]


def stated(field: str) -> Iterator[tuple[str, str]]:
    """Each place that a case states in ``field``, with the case's name."""
    for folder in ("probes", "rules"):
        for path in sorted((PROJECT / "tests" / folder).rglob("*.yml")):
            text = path.read_text(encoding="utf-8")
            if f"\n{field}:" in text:
                for place in read_yaml(path).get(field) or {}:
                    yield str(place), path.name


def covered(path: str, patterns: list[str]) -> bool:
    for pattern in patterns:
        folder = re.sub(r"/(?:\*\*|\*|--|-)$", "", pattern)
        if pattern.endswith(("/**", "/--")) and path.startswith(folder + "/"):
            return True
        if pattern.endswith(("/*", "/-")) and path.rpartition("/")[0] == folder:
            return True
        if path == folder:
            return True
    return False


def test_the_windows_collector_asks_for_every_key_of_the_cases() -> None:
    keys = windows_keys()
    assert len(keys) > 60
    missing = set()
    for place, case in stated("registry"):
        key = place.lower()
        if key.startswith("hku\\"):
            sid, _, key = key[4:].partition("\\")
            key = "_classes\\" + key if sid.endswith("_classes") else key
        whole = place.lower()
        if (
            key
            and not key.startswith(PRIVATE)
            and not any(n == k or n.startswith(k + "\\") for k in keys for n in (key, whole))
        ):
            missing.add(f"{place} ({case})")
    assert not missing


def test_the_linux_collector_brings_every_file_of_the_cases() -> None:
    patterns = linux_patterns()
    assert len(patterns) > 150
    missing = {
        f"{place} ({case})"
        for place, case in stated("tree")
        if place.startswith("/")
        and not SITE.match(place)
        and not OTHERWISE.match(place)
        and not covered(place, patterns)
    }
    assert not missing


def test_shellcheck_finds_nothing() -> None:
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("没有 shellcheck")
    script = PROJECT / "tools/collector/linux/ybscan-collect.sh"
    done = subprocess.run([program, "--shell=sh", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/gshadow-",
        "/etc/security/opasswd",
        "/etc/ssh/ssh_host_rsa_key",
        "/etc/ppp/chap-secrets",
        "/etc/sssd/sssd.conf",
    ],
)
def test_what_is_never_taken_is_named_in_the_script(path: str) -> None:
    body = SH[SH.index("withheld() {") : SH.index("LIMIT=")]
    done = subprocess.run(["sh", "-c", f'{body}\nwithheld "$1"', "sh", path], check=False)
    assert done.returncode == 0
    kept = subprocess.run(["sh", "-c", f'{body}\nwithheld "$1"', "sh", "/etc/ssh/sshd_config"], check=False)
    assert kept.returncode == 1


def test_the_command_file_means_the_same_on_other_code_pages() -> None:
    """In GBK a second byte may be a sign that cmd obeys; where the code page is another, it would."""
    data = (PROJECT / "tools/collector/windows/ybscan-collect.cmd").read_bytes()
    data.decode("gbk")
    position = 0
    while position < len(data):
        if data[position] >= 0x81:
            assert data[position + 1] not in b'|&<>^%!"()', data[position : position + 2].decode("gbk")
            position += 1
        position += 1
    assert data.count(b"\n") == data.count(b"\r\n")
    VBS.encode("ascii")
