"""The collector for Linux, run for real: in a small system of busybox alone under several shells, and on this machine.

What it brings is compared with what the offline backend reads in the same tree, and searched for the secrets planted there.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from ybscan.hosts.base import Host
from ybscan.hosts.collected.evidence import Evidence, read_evidence
from ybscan.hosts.collected.load import collected_host
from ybscan.hosts.offline import offline_root
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Absent, Cause, Known, Unknown

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "tools" / "collector" / "linux" / "ybscan-collect.sh"
#: Each stands in some file of the small system; none may leave it.
SECRETS = (
    "Geheim",
    "jGqk9tGJ0OnVb4AUkwvZ1",
    "ab3dEfGhIjKlM",
    "S3cretPsk",
    "VpnPass99",
    "chapS3cret",
    "mysqlPw1",
    "urlPw2",
    "gshadowS3cret",
    "unitTok3n",
    "oldHash77",
)
TREE: dict[str, str | None] = {
    "/etc/os-release": 'ID=kylin\nVERSION_ID="V10"\nPRETTY_NAME="Kylin V10"\n',
    "/etc/hostname": "sf-01\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n收费:x:1000:1000::/home/收费:/bin/sh\nold:ab3dEfGhIjKlM:1001:1001::/:/bin/sh\nempty::1002:1002::/:/bin/sh\n",
    "/etc/group": "root:x:0:\nwheel:$6$oldHash77$x:10:收费\n",
    "/etc/shadow": "root:$6$Geheim$jGqk9tGJ0OnVb4AUkwvZ1:19000:0:99999:7:::\n收费:!$y$j9T$Geheim$x:19000:0:90:7:::\nold:ab3dEfGhIjKlM:1::::::\nempty::1::::::\nnone:!!:1::::::\n",
    "/etc/gshadow": "wheel:gshadowS3cret::\n",
    "/etc/security/opasswd": "root:0:1:$6$oldHash77\n",
    "/etc/login.defs": "PASS_MIN_LEN 8\n# 口令\n",
    "/etc/ssh/sshd_config": "PermitRootLogin no\nPasswordAuthentication yes\n",
    "/etc/ssh/ssh_host_rsa_key": "-----BEGIN PRIVATE KEY-----\nGeheim\n",
    "/etc/NetworkManager/system-connections/医保.nmconnection": "[wifi]\nssid=医保\n[wifi-security]\npsk=S3cretPsk\n[vpn-secrets]\npassword=VpnPass99\n",
    "/etc/wpa_supplicant/wpa.conf": 'network={\n  ssid="x"\n  psk="S3cretPsk"\n}\n',
    "/etc/ppp/chap-secrets": "user * chapS3cret\n",
    "/etc/apt/sources.list": "deb http://u:urlPw2@mirror.example/debian stable main\n",
    "/etc/cron.d/backup": "0 1 * * * root mysqldump -u root -pmysqlPw1 his > /b && curl --token unitTok3n http://x\n",
    "/etc/systemd/system/x.service": "[Service]\nEnvironment=DB_PASSWORD=unitTok3n\nExecStart=/opt/x --password mysqlPw1\n",
    "/etc/modprobe.d/usb 存储.conf": "blacklist usb-storage\ninstall usb-storage /bin/true\n",
    "/etc/bad.conf": None,
    "/usr/lib/os-release": "ID=kylin\n",
    "/home/收费/.ssh/authorized_keys": "ssh-rsa Geheim\n",
    "/home/收费/病历/张三.txt": "Geheim\n",
}  # fmt: skip
QUESTIONS = ("/etc/os-release", "/etc/login.defs", "/etc/ssh/sshd_config", "/etc/modprobe.d/usb 存储.conf", "/etc/vsftpd.conf",
             "/etc/modprobe.d/none.conf", "/etc/passwd", "/etc/group", "/etc/apt/sources.list", "/etc/shadow",
             "/etc/NetworkManager/system-connections/医保.nmconnection", "/lnk", "/etc/systemd/system/x.link")  # fmt: skip


def copied(program: str, root: Path) -> None:
    """A program with the libraries it needs."""
    path = shutil.which(program)
    assert path is not None
    libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for item in {path, *re.findall(r"(/\S+) \(0x", libraries)}:
        target = root / item.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(item, target)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A system of busybox and a few files with secrets in them."""
    if os.geteuid() != 0:
        pytest.skip("需要 root 才能 chroot")
    if not shutil.which("busybox"):
        pytest.skip("没有 busybox")
    root = tmp_path / "root"
    for folder in (
        "bin",
        "usr/bin",
        "usr/sbin",
        "tmp",
        "proc",
        "out",
        "lib",
        "etc/systemd/system",
        "usr/lib/systemd/system",
    ):
        (root / folder).mkdir(parents=True, exist_ok=True)
    copied("busybox", root)
    box = "/" + str(Path(shutil.which("busybox") or "").relative_to("/"))
    names = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        if not (root / "bin" / name).exists() and not (root / "usr/bin" / name).exists():
            (root / "bin" / name).symlink_to(box)
    for path, text in TREE.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"\x00\x01\x02" if text is None else text.encode())
    (root / "dev").mkdir()
    os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (root / "dev/null").chmod(0o666)
    (root / "etc/shadow").chmod(0o600)
    (root / "etc/gshadow").chmod(0o600)
    (root / "etc/wpa_supplicant").chmod(0o700)
    (root / "etc/systemd/system/x.link").symlink_to("/usr/lib/systemd/system/none.service")
    (root / "out").chmod(0o777)
    shutil.copy2(SCRIPT, root / "collect.sh")
    return root


def run(root: Path, *shell: str, user: str = "0:0") -> Evidence:
    done = subprocess.run(
        [shutil.which("chroot") or "chroot", f"--userspec={user}", str(root), *shell, "/collect.sh", "/out"], capture_output=True, text=True, check=False, timeout=300, env={},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = sorted((root / "out").glob("ybscan-*"))
    packed = [p for p in made if p.name.endswith(".tar.gz")]
    folders = [p for p in made if p.is_dir()]
    assert len(folders) == 1
    assert len(packed) == 1
    no_secrets(folders[0])
    evidence = read_evidence(packed[0])
    assert evidence.members == read_evidence(folders[0]).members
    assert evidence.finished
    return evidence


def no_secrets(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for secret in SECRETS:
                assert secret.encode() not in data, f"{secret} in {path.name}"
            assert "张三".encode() not in data


def agrees(collected: Host, offline: Host) -> None:
    for path in QUESTIONS:
        mine, theirs = collected.files.text(path=path), offline.files.text(path=path)
        if isinstance(theirs, Known) and "***" not in theirs.value:
            assert mine == theirs, path
        elif isinstance(theirs, Absent):
            assert isinstance(mine, Absent), path
        else:
            assert isinstance(mine, (Known, Unknown)), path
        seen, there = collected.files.stat(path=path), offline.files.stat(path=path)
        if isinstance(there, Known) and isinstance(seen, Known):
            assert (seen.value.mode, seen.value.uid, seen.value.size, seen.value.device) == (
                there.value.mode,
                there.value.uid,
                there.value.size,
                there.value.device,
            )
        else:
            assert type(seen) is type(there), path
    for folder in ("/etc", "/etc/modprobe.d", "/etc/NetworkManager/system-connections", "/nothing"):
        assert collected.files.entries(path=folder) == offline.files.entries(path=folder)


@pytest.mark.parametrize(
    "shell",
    [("/bin/sh",), ("/usr/bin/dash",), ("/usr/bin/bash", "--posix"), ("/usr/bin/bash",)],
    ids=["busybox ash", "dash", "bash posix", "bash"],
)
def test_a_system_of_busybox(small: Path, shell: tuple[str, ...]) -> None:
    program = Path(shell[0]).name
    if program != "sh":
        if not shutil.which(program):
            pytest.skip(f"没有 {program}")
        copied(program, small)
    evidence = run(small, *shell)
    h = collected_host(evidence)
    offline = offline_root(small)
    agrees(h, offline)
    assert h.accounts.users() == offline.accounts.users()
    mine, theirs = h.accounts.ageing(), offline.accounts.ageing()
    assert isinstance(mine, Known)
    assert mine == theirs, "state and scheme of every password, without the hashes"
    assert evidence.collector.text("elevated") == "yes"
    binary = h.files.text(path="/etc/bad.conf")
    assert isinstance(binary, Unknown)
    assert binary.cause is Cause.MALFORMED
    key = h.files.text(path="/etc/ssh/ssh_host_rsa_key")
    assert isinstance(key, Unknown)
    assert key.cause is Cause.NOT_PERMITTED
    people = h.files.entries(path="/home/收费")
    assert isinstance(people, Unknown), "what people keep in their folders is not listed"
    assert isinstance(h.files.stat(path="/home/收费/.ssh/authorized_keys"), Known)
    assert isinstance(h.files.stat(path="/home/收费/.bash_history"), Absent)
    # No /proc here: who ran and listened is not known, rather than nobody.
    assert isinstance(h.processes.running(), Unknown)
    assert isinstance(h.sockets.table(), Unknown)


def test_without_root_what_is_closed_is_denied_not_absent(small: Path) -> None:
    h = collected_host(run(small, "/bin/sh", user="65534:65534"))
    shadow = h.accounts.ageing()
    assert isinstance(shadow, Unknown)
    assert shadow.cause is Cause.DENIED
    for path in ("/etc/wpa_supplicant/wpa.conf", "/etc/wpa_supplicant/none.conf"):
        read = h.files.text(path=path)
        assert isinstance(read, Unknown), path
    assert isinstance(h.files.entries(path="/etc/wpa_supplicant"), Unknown)
    assert isinstance(h.files.text(path="/etc/login.defs"), Known)
    assert isinstance(h.accounts.users(), Known)
    assert h.system.elevated() == Known(False, "manifest")


def test_the_evidence_is_for_its_owner_only(small: Path) -> None:
    run(small, "/bin/sh")
    for path in (small / "out").glob("ybscan-*"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written(small: Path) -> None:
    done = subprocess.run(
        [shutil.which("chroot") or "chroot", str(small), "/bin/sh", "/collect.sh", "/nowhere"],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )
    assert done.returncode == 3
    assert "不能写入" in done.stderr


def test_an_interrupted_run(small: Path, tmp_path: Path) -> None:
    run(small, "/bin/sh")
    folder = next(p for p in (small / "out").glob("ybscan-*") if p.is_dir())
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    text = (broken / "manifest.txt").read_text()
    (broken / "manifest.txt").unlink()
    (broken / "manifest.partial").write_text(text[: text.index("[part]\nname=sockets")])
    evidence = read_evidence(broken)
    assert not evidence.finished
    read = collected_host(evidence).sockets.table()
    assert isinstance(read, Unknown)
    assert read.cause is Cause.INCOMPLETE
    # Broken off before the list of files was whole, there is nothing to judge.
    (broken / "manifest.partial").write_text(text[: text.index("[part]\nname=tree")])
    with pytest.raises(InputProblems, match="采集中断"):
        collected_host(read_evidence(broken))


def test_a_list_of_files_that_is_damaged(small: Path, tmp_path: Path) -> None:
    run(small, "/bin/sh")
    folder = next(p for p in (small / "out").glob("ybscan-*") if p.is_dir())
    tree = (folder / "tree.list").read_bytes()
    for n, damage in enumerate(
        (tree[:-5], tree.replace(b"S ", b"X ", 1), b"", tree + b"S 81a4 0 0 1 1 fe00 /etc/../x\n")
    ):
        broken = tmp_path / str(n)
        shutil.copytree(folder, broken)
        (broken / "tree.list").write_bytes(damage)
        manifest = (broken / "manifest.txt").read_text()
        (broken / "manifest.txt").write_text(manifest.replace(f"bytes={len(tree)}\n", f"bytes={len(damage)}\n"))
        with pytest.raises(InputProblems):
            collected_host(read_evidence(broken))


@pytest.mark.live
def test_on_this_machine_no_answer_is_better_than_a_live_one(tmp_path: Path) -> None:
    """Every question of a live scan is asked of the evidence too: the answer is the same, or Unknown."""
    from ybscan.cli import prepare
    from ybscan.engine.scan import needed, read_facts
    from ybscan.hosts.recorder import recorded
    from ybscan.model.rule import Role

    subprocess.run(["sh", str(SCRIPT), str(tmp_path)], check=True, capture_output=True, timeout=600)
    evidence = read_evidence(next(tmp_path.glob("*.tar.gz")))
    assert evidence.at is not None
    now = evidence.at
    plan = prepare.plan(rules=None, site=None, packs=[], only=[], now=now)
    live, recording = recorded(prepare.live_host(), lambda: now)
    read_facts(live, plan, needed(plan.rules, "linux", Role.SETTLEMENT, delegations=True), lambda _: None)
    h = collected_host(evidence)
    #: What changes from one moment to the next, or carries the fraction of a second.
    moving = ("/proc/", "/sys/", "/run/", "/tmp", "/var/tmp", "/dev/shm", "/var/log", "/root", "/home")  # noqa: S108
    asked = same = 0
    for (group, question, args), answer in recording.answers.items():
        if group != "files" or str(dict(args)["path"]).startswith(moving):
            continue
        mine = getattr(h.files, question)(**dict(args))
        asked += 1
        if question == "stat" and isinstance(mine, Known) and isinstance(answer.reading, Known):
            same += 1
            assert (mine.value.mode, mine.value.uid, mine.value.kind) == (
                answer.reading.value.mode,
                answer.reading.value.uid,
                answer.reading.value.kind,
            )
        elif isinstance(mine, Unknown):
            continue
        else:
            same += 1
            assert mine == answer.reading, (question, args)
    assert asked > 100
    assert same > asked * 0.9, "the list in the script has fallen behind what the probes ask"


def test_the_archive_holds_nothing_but_plain_files(small: Path) -> None:
    run(small, "/bin/sh")
    with tarfile.open(next((small / "out").glob("*.tar.gz"))) as t:
        for info in t:
            assert info.isreg() or info.isdir()
