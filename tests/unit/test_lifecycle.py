"""The data that ages: loading, looking up, and saying when it is old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ybscan.model.lifecycle import Lifecycle, Release
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Cause, Unknown
from ybscan.probes.os_support import TRUSTED, days_left, security_suite, windows_release
from ybscan.rules.lifecycle import load_lifecycle

HEAD = 'schema: ybscan.lifecycle/v1\nid: xy\ntitle: 测试\nversion: "1.0"\n'


def written(folder: Path, text: str, name: str = "x.yml") -> Path:
    (folder / "lifecycle").mkdir(exist_ok=True)
    (folder / "lifecycle" / name).write_text(HEAD + text, encoding="utf-8")
    return folder


def release(**given: object) -> Release:
    entry = {"name": "系统", "os": "x-1", "eol": "2027-01-01", "source": "某处", "checked": "2026-06-01", **given}
    return Release.model_validate(entry)


def test_every_entry_of_the_project_is_sourced(lifecycle: Lifecycle) -> None:
    entries = (*lifecycle.releases, *lifecycle.packages, *lifecycle.programs)
    assert len(entries) > 50
    assert all(e.source and e.checked <= date(2026, 12, 31) for e in entries)
    assert lifecycle.date == min(e.checked for e in entries)


def test_vendor_systems_have_no_table(lifecycle: Lifecycle) -> None:
    known = {(r.os or "").split("-")[0] for r in lifecycle.releases}
    assert not known & {"kylin", "uos", "deepin", "openeuler", "neokylin", "openkylin"}


def test_every_windows_build_has_an_answer_for_plain_editions(lifecycle: Lifecycle) -> None:
    only_long_term = {10240, 14393, 17763, 19044}
    for r in lifecycle.releases:
        if r.build is not None and not r.server and r.build not in only_long_term:
            assert lifecycle.windows(build=r.build, edition="Professional", server=False) is not None, r.name


@pytest.mark.parametrize(
    ("build", "edition", "installation", "end"),
    [
        (26100, "Professional", "Client", "2026-10-13"),
        (26100, "Enterprise", "Client", "2027-10-12"),
        (26100, "EnterpriseS", "Client", "2029-10-09"),
        (26100, "ioTEnterpriseS", "Client", "2034-10-10"),
        (26100, "ServerStandard", "Server Core", "2034-11-14"),
        (19045, "Core", "Client", "2025-10-14"),
        (17763, "EnterpriseS", "Client", "2029-01-09"),
        (17763, "ServerDatacenter", "Server", "2029-01-09"),
        (7601, "Ultimate", "Client", "2020-01-14"),
    ],
)
def test_one_build_has_several_dates(
    lifecycle: Lifecycle, build: int, edition: str, installation: str, end: str
) -> None:
    found = windows_release(lifecycle, build=build, edition=edition, installation=installation)
    assert found is not None
    assert found.eol.isoformat() == end


@pytest.mark.parametrize(("build", "edition"), [(17763, "Professional"), (14393, "Core"), (99999, "Professional")])
def test_a_channel_that_is_not_in_the_table_is_not_guessed(lifecycle: Lifecycle, build: int, edition: str) -> None:
    assert windows_release(lifecycle, build=build, edition=edition, installation="Client") is None


def test_a_date_ahead_is_believed_for_a_year() -> None:
    one = release()
    assert days_left(one, date(2026, 12, 31)) == 1
    assert days_left(one, date(2027, 1, 1)) == 0
    assert days_left(one, date(2027, 1, 2)) == -1
    late = days_left(one, one.checked + TRUSTED + timedelta(days=1))
    assert isinstance(late, Unknown)
    assert late.cause is Cause.UNCONFIRMED


def test_a_date_that_had_passed_when_checked_stays_passed() -> None:
    assert days_left(release(eol="2026-05-31"), date(2030, 5, 31)) == -1461


def test_what_nobody_verified_proves_nothing() -> None:
    assert isinstance(days_left(release(eol="2014-04-08", verified=False), date(2026, 11, 20)), Unknown)


@pytest.mark.parametrize(
    ("suite", "fits"),
    [("bookworm-security", True), ("bookworm/updates", True), ("bookworm", False), ("bullseye-security", False),
     ("bookworm-security-debug", False)],
)  # fmt: skip
def test_security_suite(suite: str, fits: bool) -> None:
    assert security_suite(suite, "bookworm") is fits
    assert not security_suite("-security", "")


ENTRY = '{ os: x-1, name: 甲, eol: "2027-01-01", source: 某处, checked: "2026-06-01" }'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"releases:\n  - {ENTRY}\n  - {ENTRY}\n", "重复"),
        ('releases:\n  - { os: x-1, name: 甲, eol: "2027-01-01", checked: "2026-06-01" }\n', "source"),
        ('releases:\n  - { name: 甲, eol: "2027-01-01", source: 某处, checked: "2026-06-01" }\n', "os 或 build"),
        (f"releases:\n  - {ENTRY[:-2]}, extended: \"2026-01-01\", programme: free }}\n", "早于"),
        (f"releases:\n  - {ENTRY[:-2]}, extended: \"2028-01-01\" }}\n", "programme"),
        (f"releases:\n  - {ENTRY[:-2]}, end: x }}\n", "end"),
        ("releases: []\n", "没有任何条目"),
    ],
)  # fmt: skip
def test_problems_are_named_with_their_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputProblems) as caught:
        load_lifecycle(written(tmp_path, text))
    assert any(words in str(p) for p in caught.value.problems), [str(p) for p in caught.value.problems]


def test_no_folder_is_no_data(tmp_path: Path) -> None:
    assert load_lifecycle(tmp_path) == Lifecycle()
    assert Lifecycle().date is None


def test_doctor_says_when_the_data_is_old(capsys: pytest.CaptureFixture[str], lifecycle: Lifecycle) -> None:
    from ybscan.cli.doctor import STALE_DAYS, _stale
    from ybscan.engine.scan import Plan
    from ybscan.model.site import Site
    from ybscan.probes.base import Context
    from ybscan.probes.registry import builtin
    from ybscan.rules.site import no_site

    assert lifecycle.date is not None
    now = datetime.fromisoformat("2026-11-20T10:00:00+08:00")
    context = Context(site=Site(), now=now, lifecycle=lifecycle)
    plan = Plan(packs=(), rules=(), registry=builtin(), loaded=no_site(), context=context)
    _stale(plan, lifecycle.date + timedelta(days=STALE_DAYS))
    assert "停止支持" not in capsys.readouterr().out
    _stale(plan, lifecycle.date + timedelta(days=STALE_DAYS + 1))
    assert f"{lifecycle.date}" in capsys.readouterr().out
    _stale(replace(plan, context=replace(context, lifecycle=Lifecycle())), date(2040, 1, 1))
    assert "停止支持" not in capsys.readouterr().out
