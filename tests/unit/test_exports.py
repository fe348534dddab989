"""NFS exports and anonymous FTP, from the words of their manual pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.probes._exports import Export, parse_exports, vsftpd_anonymous


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("/srv 10.0.0.0/8(rw)", [Export("/srv", "10.0.0.0/8", True, False)]),
        # The blank makes two clients of it: host with defaults, and everybody with rw.
        ("/srv host (rw)", [Export("/srv", "host", False, False), Export("/srv", "", True, False)]),
        ("/srv", [Export("/srv", "", False, False)]),
        ("/srv -rw,no_root_squash a b(ro)", [Export("/srv", "a", True, True), Export("/srv", "b", False, True)]),
        ('"/srv/a b" *(rw)', [Export("/srv/a b", "*", True, False)]),
        ("/srv\\040x @group(ro,no_root_squash,root_squash)", [Export("/srv x", "@group", False, False)]),
        ("# /srv *(rw)", []),
    ],
)
def test_exports(line: str, wanted: list[Export]) -> None:
    assert parse_exports(line + "\n") == (tuple(wanted), ())


@pytest.mark.parametrize(
    ("client", "everybody"),
    [("", True), ("*", True), ("0.0.0.0/0", True), ("::/0", True), ("10.0.0.0/8", False), ("*.hosp.cn", False)],
)
def test_everybody(client: str, everybody: bool) -> None:
    assert Export("/srv", client, False, False).everybody is everybody


def test_what_is_no_path_is_reported() -> None:
    assert parse_exports("srv *(rw)\n")[1] == ("srv *(rw)",)


@given(st.text())
def test_any_text_ends(text: str) -> None:
    exports, _ = parse_exports(text)
    assert all(e.path.startswith("/") for e in exports)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", True),
        ("anonymous_enable=NO\n", False),
        ("#anonymous_enable=NO\n", True),
        ("anonymous_enable=no\nanonymous_enable=YES\n", True),
        ("anonymous_enable=maybe\n", None),
    ],
)
def test_vsftpd(text: str, wanted: bool | None) -> None:
    assert vsftpd_anonymous(text) is wanted
