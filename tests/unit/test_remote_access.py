"""sshd's configuration as sshd reads it, and what counts as a way in."""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.engine.cases import lay_out, live_tree
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._addresses import is_loopback
from ybscan.probes._sshd_config import SshdConfig, read_sshd_config
from ybscan.probes.remote_access import _empty_passwords, _root_password


def config(tmp_path: Path, tree: dict[str, object]) -> SshdConfig:
    lay_out(tree, tmp_path)
    found = read_sshd_config(live_tree(tmp_path))
    assert isinstance(found, Known), found
    return found.value


def root(tmp_path: Path, text: str, os_id: str = "debian-12", **more: object) -> object:
    found = _root_password(config(tmp_path, {"/etc/ssh/sshd_config": text, **more}), os_id)
    return found.cause if isinstance(found, Unknown) else found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("PermitRootLogin yes", True), ("permitrootlogin=yes", True), ('PermitRootLogin "yes"', True), ("\tPermitRootLogin   YES # now", True),
        ("PermitRootLogin no\nPermitRootLogin yes", False), ("PermitRootLogin yes\nPermitRootLogin no", True), ("#PermitRootLogin yes", False),
        ("PermitRootLogin prohibit-password", False), ("PermitRootLogin without-password", False), ("", False),
        ("PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no", False),
        ("PermitRootLogin yes\nPasswordAuthentication no", True),
        ("PermitRootLogin yes\nPasswordAuthentication no\nChallengeResponseAuthentication no\nMatch User root\nPasswordAuthentication yes", Cause.UNCONFIRMED),
        ("PermitRootLogin yes\nDenyUsers root", Cause.UNCONFIRMED), ("Match User root\n PermitRootLogin yes", Cause.UNCONFIRMED),
        ("Match User a\nX11Forwarding no\nMatch all\nPermitRootLogin yes", True), ("PermitRootLogin maybe", Cause.MALFORMED),
        ("PermitRootLogin", Cause.MALFORMED),
    ],
)  # fmt: skip
def test_root_login(text: str, wanted: object, tmp_path: Path) -> None:
    assert root(tmp_path, text + "\n") == wanted


def test_the_default_is_claimed_only_where_it_is_known(tmp_path: Path) -> None:
    for number, (os_id, wanted) in enumerate(
        [
            ("debian-12", False),
            ("ubuntu-22.04", False),
            ("centos-7", Cause.UNCONFIRMED),
            ("kylin-v10", Cause.UNCONFIRMED),
            ("", Cause.UNCONFIRMED),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert root(folder, "UsePAM yes\n", os_id) == wanted


def test_include_stands_where_it_is_written(tmp_path: Path) -> None:
    files = {
        "/etc/ssh/sshd_config.d/20-b.conf": "PermitRootLogin yes\n",
        "/etc/ssh/sshd_config.d/10-a.conf": "PermitRootLogin no\n",
        "/etc/ssh/sshd_config.d/30-c.txt": "PermitRootLogin yes\n",
    }
    assert root(tmp_path, "Include sshd_config.d/*.conf\nPermitRootLogin yes\n", **files) is False


def test_a_match_ends_with_its_file_and_reaches_into_includes(tmp_path: Path) -> None:
    first = {"/etc/ssh/sshd_config.d/a.conf": "Match User yb\nX11Forwarding no\n"}
    assert root(tmp_path, "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\n", **first) is True
    (tmp_path / "b").mkdir()
    second = {"/etc/ssh/sshd_config.d/a.conf": "PermitRootLogin yes\n"}
    assert (
        root(tmp_path / "b", "PermitRootLogin no\nMatch User yb\nInclude /etc/ssh/sshd_config.d/*.conf\n", **second)
        is Cause.UNCONFIRMED
    )


def test_an_include_that_calls_itself_ends(tmp_path: Path) -> None:
    assert root(tmp_path, "Include /etc/ssh/sshd_config\nPermitRootLogin no\n") is Cause.INCOMPLETE


def test_options_of_the_command_line_win(tmp_path: Path) -> None:
    options = {"/etc/default/ssh": 'SSHD_OPTS="-o PermitRootLogin=yes"\n'}
    assert root(tmp_path, "PermitRootLogin no\n", **options) is Cause.UNCONFIRMED


def test_empty_passwords(tmp_path: Path) -> None:
    assert _empty_passwords(config(tmp_path, {"/etc/ssh/sshd_config": "UsePAM yes\n"})) is False
    (tmp_path / "b").mkdir()
    match = config(tmp_path / "b", {"/etc/ssh/sshd_config": "Match Address 10.0.0.0/8\nPermitEmptyPasswords yes\n"})
    assert _empty_passwords(match) is True


@pytest.mark.parametrize(
    ("address", "wanted"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.0.2.1", False), ("::", False), ("10.0.0.1", False), ("fe80::1%eth0", False), ("", False)],
)  # fmt: skip
def test_loopback(address: str, wanted: bool) -> None:
    assert is_loopback(address) is wanted
