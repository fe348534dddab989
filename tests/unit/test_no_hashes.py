"""No password hash leaves the parser of shadow: neither into a recording, nor into a result, nor by a way around."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from ybscan.engine.cases import DEFAULT_NOW, lay_out, live_tree
from ybscan.engine.scan import Plan, scan
from ybscan.hosts.base import Host
from ybscan.hosts.codec import encode
from ybscan.hosts.linux.files import LinuxFiles
from ybscan.hosts.offline import offline_root
from ybscan.hosts.recorder import recorded
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.model.site import Site
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import LoadedPack
from ybscan.rules.site import no_site

SECRETS = {
    "sha512": "$6$Qz4saltySALT$" + "h4Sh" * 21 + "Ab",
    "yescrypt": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$" + "X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
    "des": "ab7HaShOfDeS1",
    "locked": "$5$rounds=5000$lockedSALT$" + "L0ck" * 10 + "abc",
    "inline": "$1$inlinSLT$MD5inPasswdFile12345",
    "garbled": "$6$brokenLINE$" + "Br0k" * 12,
    "group": "$6$groupSALT$" + "gRp0" * 12,
    "old": "$6$oldSALT$" + "0pwd" * 12,
}
TREE = {
    "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nyb:x:1000:1000:医保:/home/yb:/bin/bash\n"
    f"old:x:1001:1001::/home/old:/bin/sh\nlk:x:1002:1002::/home/lk:/bin/sh\nin:{SECRETS['inline']}:1003:1003::/h:/bin/sh\n",
    "/etc/shadow": f"root:{SECRETS['sha512']}:20700:0:90:7:::\nyb:{SECRETS['yescrypt']}:20700:0:90:7:::\n"
    f"old:{SECRETS['des']}:20000:0:99999:7:::\nlk:!{SECRETS['locked']}:20000:0:99999:7:::\nbad:{SECRETS['garbled']}:x\n",
    "/etc/shadow-": f"root:{SECRETS['sha512']}:20700:0:90:7:::\n",
    "/etc/gshadow": f"adm:{SECRETS['group']}::\n",
    "/etc/group": f"root:x:0:\nadm:{SECRETS['group']}:4:yb\n",
    "/etc/security/opasswd": f"yb:1000:1:{SECRETS['old']}\n",
    "/etc/nsswitch.conf": "passwd: files\n",
    # Configuration that leads a reader astray.
    "/etc/pam.d/passwd": "@include ../shadow\n",
    "/etc/pam.d/login": {"link": "/etc/shadow"},
    "/etc/login.defs": {"link": "../etc/gshadow-"},
    "/etc/gshadow-": f"PASS_MAX_DAYS {SECRETS['group']}\n",
    "/etc/security/pwquality.conf": {"link": "opasswd"},
    "/etc/lightdm/lightdm.conf": {"link": "/etc/shadow"},
    "/etc/profile": {"link": "/etc/shadow-"},
    "/etc/by-another-name": {"link": "passwd"},
    "/lib/security/pam_unix.so": "",
}


@pytest.mark.parametrize("still", [True, False], ids=["still disk", "running"])
def test_no_hash_in_recording_or_result(
    still: bool, packs: tuple[LoadedPack, ...], registry: ProbeRegistry, tmp_path: Path
) -> None:
    lay_out(TREE, tmp_path)
    moment = datetime.fromisoformat(DEFAULT_NOW)
    host, recording = recorded(offline_root(tmp_path) if still else live_tree(tmp_path), lambda: moment)
    context = Context(site=Site(), now=moment)
    rules = tuple(r for p in packs for r in p.rules)
    plan = Plan(packs=packs, rules=rules, registry=registry, loaded=replace(no_site(), site=Site()), context=context)
    result = scan(host, plan, finished=lambda: moment)
    ask_everything(host)
    assert result.facts["login_accounts.entries"]["value"], "the accounts were not read"  # type: ignore[index]
    assert ("accounts", "ageing", ()) in recording.answers
    kept = json.dumps(
        [[a.group, a.question, encode(a.args), encode(a.reading)] for a in recording.answers.values()],
        ensure_ascii=False,
    )
    written = result.model_dump_json()
    heads = repr([a.reading for a in recording.answers.values() if a.question == "head"])
    for text in (kept, written, heads, repr(recording.answers), repr(result)):
        for name, secret in SECRETS.items():
            body = secret.rsplit("$", 1)[-1]
            assert body not in text, name
            assert secret[:12] not in text, name


def ask_everything(host: Host) -> None:
    """The questions a probe of the future might put."""
    for path in (*TREE, "/etc/by-another-name"):
        host.files.text(path=path)
        host.files.head(path=path, size=4096)
        host.files.digest(path=path, limit=4096)
    host.accounts.users()
    host.accounts.ageing()
    host.accounts.groups()


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/x", "/etc/pam.d/../shadow", "/a/shadow", "/etc/shadow.bak"])
def test_refused_by_whatever_name(path: str, tmp_path: Path) -> None:
    lay_out(
        {"/etc/shadow": "x", "/etc/shadow.bak": "x", "/etc/x": {"link": "shadow"}, "/a": {"link": "/etc"}}, tmp_path
    )
    lay_out({"/etc/pam.d": {"dir": True}}, tmp_path)
    files = LinuxFiles(root=str(tmp_path))
    for reading in (
        files.text(path=path),
        files.head(path=path, size=1),
        files.digest(path=path, limit=9),
    ):
        assert isinstance(reading, Unknown)
        assert reading.cause is Cause.NOT_PERMITTED


def test_the_states_are_kept(tmp_path: Path) -> None:
    lay_out(TREE, tmp_path)
    ageing = offline_root(tmp_path).accounts.ageing()
    assert isinstance(ageing, Known)
    assert [(a.name, a.state, a.scheme) for a in ageing.value] == [
        ("root", "set", "sha512"), ("yb", "set", "yescrypt"), ("old", "set", "des"), ("lk", "locked", "sha256"),
    ]  # fmt: skip
    assert len(ageing.gaps) == 1
