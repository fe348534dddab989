"""Package sources: what counts as one, and whether it is the unit's own server."""

from __future__ import annotations

from pathlib import Path

import pytest

from ybscan.hosts.live_linux import live_linux
from ybscan.hosts.offline import offline_root
from ybscan.model.reading import Gap, Known
from ybscan.probes._package_log import is_core
from ybscan.probes._repos import Source, deb822_sources, is_on, one_line_sources, read_sources, repo_sources
from ybscan.probes.update_sources import _flat


def source(url: str) -> Source:
    return Source("apt", "/x", "stable", url, True)


@pytest.mark.parametrize(
    ("url", "server", "same"),
    [
        ("http://10.20.0.9/debian", "http://10.20.0.9", True),
        ("http://10.20.0.9/debian", "10.20.0.9", True),
        ("http://10.20.0.9:80/debian", "http://10.20.0.9:80", True),
        ("http://10.20.0.9/debian", "http://10.20.0.9:8080", False),
        ("https://repo.example/debian", "repo.example:443", True),
        ("http://REPO.example/debian", "http://repo.Example/debian/", True),
        ("http://repo.example/debian2", "http://repo.example/debian", False),
        ("http://repo.example.evil.com/debian", "http://repo.example", False),
        ("http://evil.com/repo.example", "http://repo.example", False),
        ("http://repo.example@evil.com/", "http://repo.example", False),
        ("mirror+http://repo.example/list", "repo.example", True),
        ("http://$server/os", "repo.example", None),
        ("http://[10.20/os", "repo.example", None),
        ("http://repo.example/os", "http://repo.example:abc", None),
    ],
)
def test_is_on(url: str, server: str, same: bool | None) -> None:
    assert is_on(source(url), server) is same


@pytest.mark.parametrize(
    "url", ["cdrom:[Debian 12]/", "file:/srv/mirror", "copy:/srv/x", "media:?x", "mirror+file:/etc/list"]
)
def test_local(url: str) -> None:
    assert source(url).local
    assert source(url).host == ""


def test_commented_and_source_code_lines_are_no_sources() -> None:
    gaps: list[Gap] = []
    text = (
        "# deb http://a/ x main\n\n   deb-src http://b/ x main\ndeb [ arch=amd64 trusted=yes ] http://c/ x main # d\n"
    )
    assert [s.url for s in one_line_sources(text, "/x", gaps)] == ["http://c/"]
    assert not gaps


def test_deb822() -> None:
    text = (
        "# 注释\nTypes: deb deb-src\nURIs: http://a/\n http://b/\nSuites: x\n x-updates\nComponents: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://c/\nSuites: x\n\nTypes: deb-src\nURIs: http://d/\nSuites: x\n"
    )
    found = [(s.url, s.name, s.enabled) for s in deb822_sources(text, "/x", [])]
    assert found == [
        ("http://a/", "x", True), ("http://a/", "x-updates", True), ("http://b/", "x", True),
        ("http://b/", "x-updates", True), ("http://c/", "x", False),
    ]  # fmt: skip


def test_repositories() -> None:
    text = "[main]\nkeepcache=1\n[a]\nbaseurl = http://a/ ,http://b/\n[b]\nmetalink=http://c/\nenabled = False\n[c]\nname=x\n"
    gaps: list[Gap] = []
    found = [(s.name, s.url, s.enabled) for s in repo_sources(text, "/etc/yum.repos.d/x.repo", gaps)]
    assert found == [("a", "http://a/", True), ("a", "http://b/", True), ("b", "http://c/", False)]
    assert len(gaps) == 1


def test_names_that_apt_does_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text("ID=debian\n")
    for name in ("a.list", "b.list.save", "c d.list", "e.list~", "f.sources.bak"):
        (folder / name).write_text("deb http://x/ stable main\n")
    sources, gaps = read_sources(offline_root(tmp_path))
    assert [s.path for s in sources] == ["/etc/apt/sources.list.d/a.list"]
    assert not gaps


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('Acquire { http { Proxy "http://p:3142"; }; };', 'Acquire::http::Proxy "http://p:3142"'),
        ('Acquire::http::Proxy "http://p:3142";', 'Acquire::http::Proxy "http://p:3142"'),
        ('// Acquire::http::Proxy "http://p";', ""),
    ],
)
def test_apt_conf_is_flattened(text: str, line: str) -> None:
    assert _flat(text) == line


@pytest.mark.parametrize(
    "name", ["libc6", "linux-image-amd64", "linux-image-6.1.0-28-amd64", "openssl", "libssl3t64", "kernel-core"]
)
def test_core(name: str) -> None:
    assert is_core(name)


@pytest.mark.parametrize(
    "name", ["tzdata", "ca-certificates", "wps-office", "google-chrome-stable", "linux-libc-dev", "libc6-dev", "sudoku"]
)
def test_not_core(name: str) -> None:
    assert not is_core(name)


def test_free_space_of_this_machine() -> None:
    import os

    space = live_linux().volumes.space(path="/", seconds=10)
    assert isinstance(space, Known)
    stat = os.statvfs("/")
    assert space.value.total == stat.f_blocks * stat.f_frsize
    assert 0 <= space.value.free <= space.value.total
