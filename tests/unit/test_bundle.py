"""The evidence bundle: round trips, sealing, and every way a file from elsewhere can be wrong."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import struct
import threading
import tracemalloc
import types
import typing
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ybscan.hosts import bundle
from ybscan.hosts.base import answer_type
from ybscan.hosts.bundle import SCHEMA, read_bundle, write_bundle
from ybscan.hosts.bundle_answers import exactly
from ybscan.hosts.bundle_zip import Limits
from ybscan.hosts.groups.files import FileStat
from ybscan.hosts.groups.system import Identity
from ybscan.hosts.groups.tools import Output
from ybscan.hosts.offline import offline_root
from ybscan.hosts.recorder import Answer, Recording, recorded
from ybscan.hosts.replay import group_types, replay
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.model.result import canonical_json

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone(timedelta(hours=8)))
IDENTITY = Identity("yb-01", "kylin-v10", "银河麒麟", "4.19", "aarch64")


def recording(*answers: tuple[str, str, dict[str, Any], Reading[Any]]) -> Recording:
    made = Recording(lambda: NOW)
    for group, question, args, reading in answers:
        key = (group, question, tuple(sorted(args.items())))
        made.answers[key] = Answer(*key, reading, NOW)
    return made


SOME = recording(
    ("system", "identity", {}, Known(IDENTITY, "/etc/os-release")),
    ("files", "text", {"path": "/etc/医保.conf"}, Known("密码长度=8\n", "/etc/医保.conf")),
    ("files", "text", {"path": "/etc/none"}, Absent("/etc/none")),
    ("files", "entries", {"path": "/srv"}, Known(("a", "b"), "/srv", (Gap(Cause.DENIED, "x", "/srv/x"),))),
    ("files", "head", {"path": "/x", "size": 4}, Known(b"\x00\xff", "/x")),
    ("tools", "run", {"tool": "IP", "args": ("-j", "link")}, Unknown(Cause.TIMEOUT, "ip（10 秒）", "ip")),
    ("tools", "run", {"tool": "IP", "args": ("-j", "rule")}, Known(Output(0, "[]", "a\udcff"), "ip")),
)


def written(made: Recording, path: Path) -> Path:
    write_bundle(made, os="linux", collected_at=NOW, path=path)
    return path


def problem(path: Path) -> str:
    with pytest.raises(InputProblems) as caught:
        read_bundle(path)
    return str(caught.value)


# Round trips ---------------------------------------------------------------------------------------------------------


def test_what_was_recorded_is_read_again(tmp_path: Path) -> None:
    got = read_bundle(written(SOME, tmp_path / "e.zip"))
    assert dict(got.answers) == {key: a.reading for key, a in SOME.answers.items()}
    assert (got.os, got.collected_at, got.identity, got.ignored) == ("linux", NOW, IDENTITY, 0)
    assert got.collected_at.utcoffset() == timedelta(hours=8)


def test_same_recording_and_clock_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    turned = Recording(lambda: NOW, dict(reversed(SOME.answers.items())))
    assert written(SOME, tmp_path / "a").read_bytes() == written(turned, tmp_path / "b").read_bytes()


def test_a_real_host_answers_alike_through_its_bundle(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n", encoding="utf-8")
    odd = os.fsdecode(b"\xff\xfe.conf")
    (root / "etc" / odd).write_text("x", encoding="utf-8")
    host, made = recorded(offline_root(root), lambda: NOW)
    before = [
        host.files.entries(path="/etc"),
        host.accounts.users(),
        host.files.stat(path=f"/etc/{odd}"),
        host.files.text(path="/proc/x"),
    ]
    got = read_bundle(written(made, tmp_path / "e.zip"))
    again = replay(got.os, got.answers)
    after = [
        again.files.entries(path="/etc"),
        again.accounts.users(),
        again.files.stat(path=f"/etc/{odd}"),
        again.files.text(path="/proc/x"),
    ]
    assert after == before
    assert isinstance(before[0], Known)
    assert odd in before[0].value
    assert again.files.text(path="/etc/other") == Unknown(
        Cause.NOT_RECORDED, "files.text(path=/etc/other)", "files.text"
    )


TEXT = st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=0x2FFFF, categories=None), max_size=12)


def values(declared: Any) -> st.SearchStrategy[Any]:
    """Any value of a declared answer type, lone surrogates and control characters included."""
    origin, args = typing.get_origin(declared), typing.get_args(declared)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXT, bool: st.booleans(), bytes: st.binary(max_size=8), type(None): st.none(), Any: TEXT,
        int: st.integers(-(2**63), 2**63), float: st.floats(allow_nan=False),
    }  # fmt: skip
    if declared in simple:
        return simple[declared]
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, args))
    if origin is list:
        return st.lists(values(args[0]), max_size=3)
    if origin in (dict, typing.get_origin(typing.Mapping[str, str])):
        return st.dictionaries(values(args[0]), values(args[1]), max_size=3)
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin in (typing.Union, types.UnionType):
        # A whole number in a union of int and float comes back as the int that JSON has: the same number.
        return st.one_of([values(a) for a in args if not (a is float and int in args)])
    if is_dataclass(declared):
        hints = typing.get_type_hints(declared)
        return st.builds(declared, **{f.name: values(hints[f.name]) for f in fields(declared)})
    raise AssertionError(f"no values for {declared}")


def everything() -> list[tuple[str, str, dict[str, Any], Any]]:
    import inspect

    found = []
    for group, kind in group_types().items():
        for question in kind.questions():
            function = getattr(kind, question)
            hints = typing.get_type_hints(function)
            args = {n: hints[n] for n in inspect.signature(function).parameters if n != "self"}
            found.append((group, question, args, answer_type(kind, question)))
    return found


QUESTIONS = everything()
CAUSES = st.sampled_from(Cause)


@st.composite
def answered(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], Reading[Any]]:
    group, question, args, declared = draw(st.sampled_from(QUESTIONS))
    given_args = {n: draw(values(t)) for n, t in args.items()}
    gaps = st.lists(st.builds(Gap, CAUSES, TEXT, TEXT), max_size=2).map(tuple)
    reading = draw(
        st.one_of(
            st.builds(Known, values(declared), TEXT, gaps), st.builds(Absent, TEXT), st.builds(Unknown, CAUSES, TEXT, TEXT)
        )
    )  # fmt: skip
    return group, question, given_args, reading


REGISTRY_VALUES = st.dictionaries(
    TEXT | st.just("base64"),
    TEXT | st.integers(0, 2**64 - 1) | st.binary(max_size=8) | st.lists(TEXT, max_size=3).map(tuple),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(REGISTRY_VALUES)
def test_registry_values_of_every_type_survive(tmp_path: Path, found: dict[str, Any]) -> None:
    made = recording(("registry", "values", {"key": "HKLM\\软件", "view": "32"}, Known(found, "x")))
    assert dict(read_bundle(written(made, tmp_path / "e.zip")).answers) == {
        key: a.reading for key, a in made.answers.items()
    }


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(answered(), max_size=6))
def test_any_recording_survives(tmp_path: Path, answers: list[tuple[str, str, dict[str, Any], Reading[Any]]]) -> None:
    made = recording(*answers)
    path = written(made, tmp_path / "e.zip")
    assert dict(read_bundle(path).answers) == {key: a.reading for key, a in made.answers.items()}
    first = path.read_bytes()
    assert written(made, path).read_bytes() == first


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_gets_through(tmp_path: Path, data: st.DataObject) -> None:
    whole = written(SOME, tmp_path / "e.zip").read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        broken = whole[:at]
    else:
        bit = data.draw(st.integers(0, 7))
        broken = whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :]
    path = tmp_path / "broken.zip"
    path.write_bytes(broken)
    try:
        got = read_bundle(path)
    except InputProblems:
        return
    # A bit of the container that says nothing (a time, an attribute) may change; no answer may.
    assert dict(got.answers) == {key: a.reading for key, a in SOME.answers.items()}


# Writing -------------------------------------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_old_bundle_and_no_rest(tmp_path: Path) -> None:
    path = written(SOME, tmp_path / "e.zip")
    before = path.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        with pytest.raises(InputProblems, match="无法写入证据包"):
            written(recording(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["e.zip"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputProblems, match="无法写入证据包"):
        written(SOME, tmp_path / "none" / "e.zip")


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    assert written(SOME, tmp_path / "e.zip").stat().st_mode & 0o077 == 0


def test_what_the_reader_would_refuse_is_not_written(tmp_path: Path) -> None:
    for limits in (Limits(member=100), Limits(total=100), Limits(file=100), Limits(members=2)):
        with pytest.raises(InputProblems, match="过大"):
            write_bundle(SOME, os="linux", collected_at=NOW, path=tmp_path / "e.zip", limits=limits)
    assert list(tmp_path.iterdir()) == []


def test_very_even_text_is_written_so_that_it_can_be_read(tmp_path: Path) -> None:
    made = recording(("files", "text", {"path": "/x"}, Known("0" * 5_000_000, "/x")))
    got = read_bundle(written(made, tmp_path / "e.zip"))
    assert got.answers["files", "text", (("path", "/x"),)] == Known("0" * 5_000_000, "/x")


def test_answers_may_still_come_while_it_is_written(tmp_path: Path) -> None:
    made = recording(*[("files", "text", {"path": f"/{i}"}, Absent()) for i in range(500)])
    stop = threading.Event()

    def more() -> None:
        for i in range(5000):
            key = ("files", "text", (("path", f"/more/{i}"),))
            with made.lock:
                made.answers[key] = Answer(*key, Absent(), NOW)
            if stop.is_set():
                return

    thread = threading.Thread(target=more)
    thread.start()
    counts = [len(read_bundle(written(made, tmp_path / "e.zip")).answers) for _ in range(5)]
    stop.set()
    thread.join()
    assert counts == sorted(counts), "none that was there is missing later"
    assert counts[0] >= 500


def test_a_time_without_offset_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="offset"):
        write_bundle(SOME, os="linux", collected_at=datetime(2026, 1, 1), path=tmp_path / "x")  # noqa: DTZ001


# Hostile and damaged files -------------------------------------------------------------------------------------------


def unpack(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as z:
        return {n: z.read(n) for n in z.namelist()}


def rebuilt(tmp_path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None], *, reseal: bool = True) -> Path:
    """A bundle changed by ``change(manifest, members)``; sealed again like a forger would."""
    import hashlib

    members = unpack(written(SOME, tmp_path / "e.zip"))
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    if reseal:
        manifest["members"] = [
            {"name": n, "bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in sorted(members.items())
        ]
        manifest["seal"] = bundle._seal(manifest)
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in (("manifest.json", canonical_json(manifest)), *members.items()):
            z.writestr(name, data)
    return path


def with_answer(tmp_path: Path, edit: Callable[[dict[str, Any]], None], group: str = "files") -> Path:
    def change(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        document = json.loads(members[f"answers/{group}.json"])
        edit(document)
        members[f"answers/{group}.json"] = canonical_json(document)

    return rebuilt(tmp_path, change)


def test_rebuilding_without_change_is_fine(tmp_path: Path) -> None:
    assert len(read_bundle(rebuilt(tmp_path, lambda m, f: None)).answers) == len(SOME.answers)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "不是 zip 格式"),
        (b"hello", "不是 zip 格式"),
        (b"PK\x03\x04 but nothing more", "不完整"),
    ],
)
def test_no_zip(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    message = problem(path)
    assert words in message
    assert str(path) in message


def test_missing_folder_fifo(tmp_path: Path) -> None:
    assert "文件不存在" in problem(tmp_path / "none.zip")
    assert "不是普通文件" in problem(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "不是普通文件" in problem(tmp_path / "pipe")


def test_cut_off(tmp_path: Path) -> None:
    path = written(SOME, tmp_path / "e.zip")
    path.write_bytes(path.read_bytes()[:-10])
    assert "不完整" in problem(path)


def zipped(tmp_path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", method) as z:
        for name, data in members:
            z.writestr(name, data)
    return path


def test_no_manifest(tmp_path: Path) -> None:
    assert "没有 manifest.json" in problem(zipped(tmp_path, ("answers/files.json", b"{}")))


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "answers/../x.json",
        "answers\\files.json",
        "C:\\x",
        "answers/",
        "a\x00b",
        "ANSWERS/files.json",
    ],
)
def test_names_that_do_not_belong(tmp_path: Path, name: str) -> None:
    assert "不应有的文件" in problem(zipped(tmp_path, ("manifest.json", b"{}"), (name, b"x")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_names(tmp_path: Path) -> None:
    assert "重名" in problem(
        zipped(tmp_path, ("manifest.json", b"{}"), ("answers/files.json", b"1"), ("answers/files.json", b"2"))
    )


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("manifest.json", b"{}"), ("answers/files.json", b"\0" * 100_000_000))
    tracemalloc.start()
    try:
        assert "压缩比异常" in problem(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_sizes(tmp_path: Path) -> None:
    path = written(SOME, tmp_path / "e.zip")
    for limits in (Limits(file=100), Limits(members=2), Limits(member=300), Limits(total=1000)):
        with pytest.raises(InputProblems, match="不予读取"):
            read_bundle(path, limits=limits)


def test_an_understated_size_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("manifest.json", b"x" * 1000))
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", data, data.index(magic) + at, 10)
    path.write_bytes(data)
    assert "损坏" in problem(path)


def test_a_huge_directory_is_refused_unread(tmp_path: Path) -> None:
    path = zipped(tmp_path, *[(f"answers/{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]}.json", b"") for i in range(90)])
    assert "超过 64 个" in problem(path)


def test_encrypted(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("manifest.json", b"{}"), method=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + at] |= 1
    path.write_bytes(data)
    assert "加密" in problem(path)


def test_other_compression(tmp_path: Path) -> None:
    assert "压缩方法" in problem(zipped(tmp_path, ("manifest.json", b"{}"), method=zipfile.ZIP_LZMA))


def test_something_after_the_end(tmp_path: Path) -> None:
    path = written(SOME, tmp_path / "e.zip")
    path.write_bytes(path.read_bytes() + b"more")
    assert "不完整" in problem(path)


def test_changed_content(tmp_path: Path) -> None:
    def change(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members["answers/files.json"] = members["answers/files.json"].replace(b'"absent"', b'"Absent"')

    assert "answers/files.json 校验值不符" in problem(rebuilt(tmp_path, change, reseal=False))


def test_changed_manifest(tmp_path: Path) -> None:
    assert "清单的校验值不符" in problem(
        rebuilt(tmp_path, lambda m, f: m.update(collected_at="2026-11-21T00:00:00+08:00"), reseal=False)
    )


def test_a_member_more_or_less(tmp_path: Path) -> None:
    assert "不一致" in problem(rebuilt(tmp_path, lambda m, f: f.update({"answers/x.json": b"{}"}), reseal=False))
    assert "不一致" in problem(rebuilt(tmp_path, lambda m, f: f.pop("answers/files.json") and None, reseal=False))


def test_another_version_is_named(tmp_path: Path) -> None:
    message = problem(rebuilt(tmp_path, lambda m, f: m.update(schema="ybscan.evidence/v9")))
    assert "ybscan.evidence/v9" in message
    assert SCHEMA in message
    assert "不是 ybscan 的证据包" in problem(rebuilt(tmp_path, lambda m, f: m.update(schema="other")))


@pytest.mark.parametrize(
    "change",
    [
        {"os": "macos"}, {"collected_at": "yesterday"}, {"collected_at": "2026-11-20T10:00:00"}, {"tool": "ybscan"},
        {"answers": "7"}, {"extra": 1}, {"collected_at": 5}, {"answers": True},
    ],
)  # fmt: skip
def test_manifest_that_makes_no_sense(tmp_path: Path, change: dict[str, Any]) -> None:
    assert "清单格式有误" in problem(rebuilt(tmp_path, lambda m, f: m.update(change)))


def test_missing_answers_are_noticed(tmp_path: Path) -> None:
    assert "清单记有" in problem(with_answer(tmp_path, lambda d: d["answers"].pop()))


@pytest.mark.parametrize("text", [b"[" * 100_000, b"{", b"\xff", b'{"a":1,"a":2}', b"1" * 10_000])
def test_json_that_is_none(tmp_path: Path, text: bytes) -> None:
    message = problem(rebuilt(tmp_path, lambda m, f: f.update({"answers/files.json": text})))
    assert "answers/files.json" in message


def _set(number: int, **values_: Any) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["answers"][number].update(values_)


@pytest.mark.parametrize(
    "edit",
    [
        _set(0, value=5), _set(0, value=["a", 3]), _set(0, args={"path": 5}), _set(0, args={}), _set(0, args={"path": "/", "x": 1}),
        _set(0, args=None), _set(0, status="maybe"), _set(0, gaps=[{"cause": "x", "detail": "", "origin": ""}]), _set(0, gaps={}),
        _set(0, gaps=[1]), _set(0, origin=None), _set(0, at="now"), _set(0, at=5), _set(0, at="2026-11-20T10:00:00"),
        _set(0, status="unknown"), _set(0, status=["known"]), _set(0, question=7), _set(0, more=1),
        _set(1, value={"base64": "%%"}), _set(1, value="ab"), _set(1, value={"base64": 5}), _set(1, args={"path": "/x", "size": "4"}),
        lambda d: d["answers"].append(d["answers"][0]), lambda d: d["answers"].append(None),
        lambda d: d.update(group="other"), lambda d: d.update(answers={}),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    message = problem(with_answer(tmp_path, edit))
    assert "changed.zip:answers/files.json" in message


def test_problems_are_counted_out(tmp_path: Path) -> None:
    many = with_answer(tmp_path, lambda d: d["answers"].extend({"question": "text"} for _ in range(500)))
    with pytest.raises(InputProblems) as caught:
        read_bundle(many)
    assert len(caught.value.problems) <= 21


def test_questions_of_another_version_are_counted(tmp_path: Path) -> None:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        document = json.loads(members["answers/files.json"])
        document["answers"].append({"question": "colour", "args": {}, "status": "?"})
        members["answers/files.json"] = canonical_json(document)
        members["answers/smells.json"] = canonical_json(
            {"group": "smells", "answers": [{"question": "rotten", "args": {}}]}
        )
        manifest["answers"] += 2

    got = read_bundle(rebuilt(tmp_path, change))
    assert got.ignored == 2
    assert len(got.answers) == len(SOME.answers)


def test_nothing_is_converted_to_fit() -> None:
    assert exactly(int, 3) == 3
    stat = {"kind": "file", "size": 1, "mtime": 5, "mode": 420, "uid": 0, "gid": 0, "device": [8, 1]}
    assert exactly(FileStat, stat) == FileStat("file", 1, 5.0, 420, 0, 0, (8, 1))
    for declared, raw in (
        (int, "3"),
        (bool, "yes"),
        (bool, 1),
        (int, True),
        (str, 3),
        (FileStat, stat | {"size": "1"}),
        (FileStat, stat | {"x": 1}),
        (str, {"base64": "YQ=="}),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
            exactly(declared, raw)


def test_utc_is_kept(tmp_path: Path) -> None:
    when = datetime(2026, 11, 20, 2, 0, 0, 123456, tzinfo=UTC)
    write_bundle(SOME, os="windows", collected_at=when, path=tmp_path / "e.zip")
    got = read_bundle(tmp_path / "e.zip")
    assert (got.os, got.collected_at) == ("windows", when)


def test_the_container_is_plain(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(written(SOME, tmp_path / "e.zip").read_bytes())) as z:
        assert z.namelist() == ["manifest.json", "answers/files.json", "answers/system.json", "answers/tools.json"]
        assert all(i.date_time == (1980, 1, 1, 0, 0, 0) for i in z.infolist())
