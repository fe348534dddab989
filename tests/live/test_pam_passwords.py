"""What we say of password stacks against what the machine's own modules do: is a weak password stored or not?

/etc is covered by an overlay in a mount namespace of the test's own; the account exists only there.
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
from ybscan.probes._pam_stacks import password_rules

QUALITY = "pam_pwquality.so enforce_for_root dictcheck=0 retry=2 minlen=12"
END = "password requisite pam_deny.so\npassword required pam_permit.so\n"
UNIX = "password [success=1 default=ignore] pam_unix.so sha512"
STACKS = {
    "requisite and use_authtok": f"password requisite {QUALITY}\n{UNIX} use_authtok\n{END}",
    "requisite alone": f"password requisite {QUALITY}\n{UNIX}\n{END}",
    "required alone": f"password required {QUALITY}\n{UNIX}\n{END}",
    "required and use_authtok": f"password required {QUALITY}\n{UNIX} use_authtok\n{END}",
    "optional alone": f"password optional {QUALITY}\n{UNIX}\n{END}",
    "optional and use_authtok": f"password optional {QUALITY}\n{UNIX} use_authtok\n{END}",
    "jumped over": f"password [success=1 default=ignore] pam_permit.so\npassword requisite {QUALITY}\n{UNIX}\n{END}",
    "behind": f"password required pam_unix.so sha512\npassword requisite {QUALITY}\n",
    "sufficient unix": f"password requisite {QUALITY}\npassword sufficient pam_unix.so sha512 use_authtok\npassword required pam_deny.so\n",
    "ends a substack only": f"password substack inner\n{UNIX}\n{END}",
    "ends an include": f"password include inner\n{UNIX}\n{END}",
    "only warns": f"password requisite {QUALITY} enforcing=0\n{UNIX} use_authtok\n{END}",
    "no quality module": f"{UNIX}\n{END}",
}
WEAK = "aaaa12"


def works() -> bool:
    tools = all(shutil.which(t) for t in ("pamtester", "unshare", "mount"))
    module = any(Path("/").glob("*lib*/**/security/pam_pwquality.so")) if tools and os.geteuid() == 0 else False
    return module and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.live
@pytest.mark.skipif(not works(), reason="needs root, pamtester, pam_pwquality and mount namespaces")
@pytest.mark.parametrize("what", STACKS)
def test_weak_password(what: str, tmp_path: Path) -> None:
    pam = tmp_path / "root/etc/pam.d"
    pam.mkdir(parents=True)
    (pam / "inner").write_text(f"password requisite {QUALITY}\n")
    (pam / "ybtest").write_text(f"auth required pam_permit.so\naccount required pam_permit.so\n{STACKS[what]}")
    (pam.parent / "os-release").write_text("ID=debian\nVERSION_ID=12\n")
    script = """
        set -e
        mount -t tmpfs none "$1" && mkdir "$1/up" "$1/work"
        mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/up,workdir=$1/work" /etc
        echo 'ybtest:x:64999:64999::/nonexistent:/bin/sh' >> /etc/passwd
        echo 'ybtest:!:19000:0:99999:7:::' >> /etc/shadow
        cp "$2"/* /etc/pam.d/
        yes "$3" | head -40 | timeout 60 pamtester ybtest ybtest chauthtok >/dev/null 2>&1 || true
        grep '^ybtest:' /etc/shadow | cut -d: -f2 | cut -c1
    """
    (tmp_path / "over").mkdir()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path / "over"), str(pam), WEAK],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"no overlay over /etc here: {done.stderr.strip()[:100]}")
    stored = done.stdout.strip() != "!"

    host = offline_root(tmp_path / "root")
    live = offline_root(Path("/"))
    found = chain(host, "ybtest", "password", installed(live))
    assert isinstance(found, Known), found
    rules = password_rules(host, found.value, debian=False)
    assert not isinstance(rules, Unknown), rules
    assert not rules.doubts
    assert (rules.demands.min_length >= 12) is not stored
