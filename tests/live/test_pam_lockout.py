"""What we say of login stacks against the machine's own modules: does the right password still open after wrong ones?

/etc is covered by an overlay in a mount namespace of the test's own; account and failure records exist only there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ybscan.hosts.offline import offline_root
from ybscan.model.reading import Known, Unknown
from ybscan.probes._pam import chain, installed
from ybscan.probes._pam_stacks import lockout, opens_to_anyone

OPT = "nodelay deny=3 unlock_time=600 dir=@DIR@"
END = "auth requisite pam_deny.so\nauth required pam_permit.so\n"
UNIX = "auth [success={n} default=ignore] pam_unix.so nodelay\n"
PRE, FAIL, GOOD = (f"pam_faillock.so {w} {OPT}\n" for w in ("preauth", "authfail", "authsucc"))
STACKS = {
    "debian's way": f"auth required {PRE}{UNIX.format(n=2)}auth [default=die] {FAIL}{END}",
    "with authsucc": f"auth required {PRE}{UNIX.format(n=1)}auth [default=die] {FAIL}auth sufficient {GOOD}{END}",
    "red hat's way": f"auth required {PRE}auth sufficient pam_unix.so nodelay\nauth required {FAIL}auth required pam_deny.so\n",
    "authfail only": f"{UNIX.format(n=2)}auth [default=die] {FAIL}{END}",
    "preauth only": f"auth required {PRE}{UNIX.format(n=1)}{END}",
    "preauth does not count": f"auth optional {PRE}auth sufficient pam_unix.so nodelay\nauth required {FAIL}auth required pam_deny.so\n",
    "authfail jumped over": f"auth required {PRE}auth [success=2 default=1] pam_unix.so nodelay\nauth [default=die] {FAIL}{END}",
    "authsucc as the gate": f"{UNIX.format(n=1)}auth [default=die] {FAIL}auth requisite {GOOD}auth required pam_permit.so\n",
    "behind the end": f"auth sufficient pam_unix.so nodelay\nauth required {PRE}auth required {FAIL}auth required pam_deny.so\n",
    "in a substack": f"auth substack inner\n{UNIX.format(n=2)}auth [default=die] {FAIL}{END}",
    "no lock": f"{UNIX.format(n=1)}{END}",
    "open to anyone": f"auth sufficient pam_permit.so\n{UNIX.format(n=1)}{END}",
}
#: ``openssl passwd -6`` of RIGHT.
RIGHT = "Right-1x"


def works() -> bool:
    if os.geteuid() != 0 or not all(shutil.which(t) for t in ("pamtester", "unshare", "openssl")):
        return False
    modules = installed(offline_root(Path("/")))
    if not isinstance(modules, Known) or "pam_faillock.so" not in modules.value:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.live
@pytest.mark.skipif(not works(), reason="needs root, pamtester, pam_faillock, openssl and mount namespaces")
@pytest.mark.parametrize("what", STACKS)
def test_right_password_after_wrong_ones(what: str, tmp_path: Path) -> None:
    pam = tmp_path / "root/etc/pam.d"
    pam.mkdir(parents=True)
    (tmp_path / "root/etc/os-release").write_text("ID=debian\n", encoding="utf-8")
    over = tmp_path / "over"
    over.mkdir()
    ours = STACKS[what].replace("@DIR@", f"{over}/fail")
    (pam / "inner").write_text(f"auth required {PRE}".replace("@DIR@", f"{over}/fail"))
    (pam / "ybtest").write_text(f"{ours}account required pam_permit.so\n")
    script = """
        set -e
        mount -t tmpfs none "$1" && mkdir "$1/up" "$1/work" "$1/fail"
        mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/up,workdir=$1/work" /etc
        echo 'ybtest:x:64999:64999::/nonexistent:/bin/sh' >> /etc/passwd
        echo "ybtest:$(openssl passwd -6 "$3"):19000:0:99999:7:::" >> /etc/shadow
        cp "$2"/* /etc/pam.d/
        try() { echo "$1" | timeout 20 pamtester ybtest ybtest authenticate >/dev/null 2>&1 && echo yes || echo no; }
        try "$3"; try wrong1; try wrong2; try wrong3; try wrong4; try "$3"
    """
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(over), str(pam), RIGHT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"no overlay over /etc here: {done.stderr.strip()[:100]}")
    first, wrong, *_, last = done.stdout.split()
    assert first == "yes", "the right password must open at first"

    host = offline_root(tmp_path / "root")
    found = chain(host, "ybtest", "auth", installed(offline_root(Path("/"))))
    assert isinstance(found, Known), found
    lock = lockout(host, found.value)
    assert not isinstance(lock, Unknown), lock
    assert opens_to_anyone(found.value) is (wrong == "yes")
    assert (lock.attempts == 3) is (last == "no")
