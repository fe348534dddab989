"""Our player of PAM stacks against the machine's own libpam: hundreds of random stacks must come out alike.

The stacks consist of pam_debug lines, which answer what their arguments say. They lie in a folder that covers
/etc/pam.d in a mount namespace of the test's own, so that the machine's configuration is neither used nor touched.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ybscan.hosts.offline import offline_root
from ybscan.model.reading import Known
from ybscan.probes._pam import chain, play

ANSWERS = ("success", "success", "success", "ignore", "auth_err", "user_unknown")
CONTROLS = (
    "required", "requisite", "sufficient", "optional", "[success=1 default=ignore]", "[success=2 default=bad]",
    "[default=1 ignore=ignore success=ok]", "[success=done default=die]", "[default=die]", "[success=ok ignore=1]",
    "[success=reset default=ignore]", "[user_unknown=ignore success=ok default=bad]", "[success=3 auth_err=die]",
    "[ignore=ok default=ok]", "[success=done ignore=done default=ignore]",
)  # fmt: skip
STACKS = 1500


def stack(chance: random.Random, depth: int) -> list[str]:
    lines = []
    for _ in range(chance.randint(1, 5)):
        if depth and chance.random() < 0.25:
            lines.append(f"auth {chance.choice(('include', 'substack'))} sub{chance.randint(0, 3)}")
        else:
            lines.append(f"auth {chance.choice(CONTROLS)} pam_debug.so auth={chance.choice(ANSWERS)}")
    return lines


def works() -> bool:
    if os.geteuid() != 0 or shutil.which("pamtester") is None or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.live
@pytest.mark.skipif(not works(), reason="needs root, pamtester and mount namespaces")
def test_like_libpam(tmp_path: Path) -> None:
    chance = random.Random(20261120)  # noqa: S311
    etc = tmp_path / "root/etc/pam.d"
    etc.mkdir(parents=True)
    (tmp_path / "root/lib/security").mkdir(parents=True)
    (tmp_path / "root/lib/security/pam_debug.so").touch()
    names = []
    for i in range(4):
        (etc / f"sub{i}").write_text("\n".join(stack(chance, 0)) + "\n")
    (etc / "other").write_text("auth required pam_deny.so\naccount required pam_permit.so\n")
    for i in range(STACKS):
        name = f"case{i:03}"
        (etc / name).write_text("\n".join([*stack(chance, 1), "account required pam_permit.so"]) + "\n")
        names.append(name)
    script = f"""mount --bind {etc} /etc/pam.d || exit 1
        for s in {" ".join(names)}; do pamtester $s root authenticate >/dev/null 2>&1; echo $s $?; done"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=True)
    real = {name: code == "0" for name, code in (line.split() for line in done.stdout.splitlines())}
    assert len(real) == STACKS

    host = offline_root(tmp_path / "root")
    wrong = []
    for name in names:
        found = chain(host, name, "auth", Known(frozenset({"pam_debug.so"})))
        assert isinstance(found, Known), found
        ours = play(found.value, [m.option("auth") or "ignore" for m in found.value]).granted
        if ours != real[name]:
            wrong.append(
                f"{name}: libpam {real[name]}\n" + "\n".join(f"{m.level} {m.actions} {m.args}" for m in found.value)
            )
    assert 0.1 < sum(real.values()) / STACKS < 0.9, "the stacks do not discriminate"
    assert not wrong, f"{len(wrong)} differ:\n" + "\n\n".join(wrong[:3])
