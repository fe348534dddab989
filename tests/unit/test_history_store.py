"""The history file: what is stored stays, and whatever is altered, removed, put in or put elsewhere is found and named."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.unit import results

from ybscan.model.problem import InputProblems
from ybscan.store import results as store_results
from ybscan.store.chain import Header, clock_back, flaws
from ybscan.store.digests import digests
from ybscan.store.export import INDEX, RECORDS, export_files, verify_export
from ybscan.store.history import FILE, SEAL, History, opened
from ybscan.store.schema import APPLICATION_ID, VERSION

START = datetime.fromisoformat("2026-01-02T09:00:00+08:00")


def fill(folder: Path, count: int = 6, *, first: int = 0) -> list[Header]:
    made = []
    with opened(folder, create=True) as history:
        for n in range(first, first + count):
            when = START + timedelta(weeks=n)
            result = results.result([results.finding("PWD-01")], id=f"YB-{n % 2}", started_at=when.isoformat())
            _, header = store_results.store(history, result, now=when + timedelta(minutes=1))
            made.append(header)
    return made


def damaged(folder: Path, *statements: str) -> list[str]:
    """What verify says after a forger, who knows SQLite and drops the triggers, was at the file."""
    db = sqlite3.connect(folder / FILE)
    db.executescript("DROP TRIGGER record_stays; DROP TRIGGER record_is_final;")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    with opened(folder) as history:
        return [f.message for f in history.verify()]


def test_published_vector_of_sm3() -> None:
    """GB/T 32905-2016, appendix A."""
    assert digests(b"abc").sm3 == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digests(b"abcd" * 16).sm3 == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    made = fill(tmp_path)
    with opened(tmp_path) as history:
        assert history.headers() == made
        assert history.verify() == []
        found = list(store_results.checks(history, terminal="YB-0"))
    assert [c.header.seq for c in found] == [1, 3, 5]
    # Each names the check of the same terminal before it.
    assert [c.result.previous_digest for c in found] == ["", found[0].result.digest, found[1].result.digest]
    assert all(c.result.digest == c.result.compute_digest() for c in found)


def test_the_same_check_is_stored_once(tmp_path: Path) -> None:
    made = fill(tmp_path, 3)
    with opened(tmp_path) as history:
        (first, second) = list(store_results.checks(history, terminal="YB-0"))
        again = second.result.model_copy(update={"previous_digest": "", "digest": ""}).sealed()
        assert store_results.store(history, again, now=START + timedelta(days=90)) == (second.result, made[2])
        # An older one comes back as a new record: that somebody judged it again is worth knowing.
        _, header = store_results.store(history, first.result, now=START + timedelta(days=90))
    assert header.seq == 4


def test_a_correction_is_a_new_record(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    with opened(tmp_path) as history:
        again = results.result([results.finding("PWD-01")], id="YB-0", started_at=START.isoformat())
        _, header = store_results.store(history, again, now=START + timedelta(days=30), corrects=1)
        found = {c.header.seq: c.corrected_by for c in store_results.checks(history)}
    assert (header.kind, header.refers) == ("correction", 1)
    assert found == {1: 3, 2: 0, 3: 0}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET at = '2026-01-03T09:00:00+08:00' WHERE seq = 3",
        "UPDATE record SET stored_at = '2026-01-03T09:00:00+08:00' WHERE seq = 3",
        "UPDATE record SET terminal = 'YB-9' WHERE seq = 3",
        "UPDATE record SET kind = 'ledger' WHERE seq = 3",
        "UPDATE record SET clock = 'given' WHERE seq = 3",
        "UPDATE record SET refers = 1 WHERE seq = 3",
        "UPDATE record SET body = (SELECT body FROM record WHERE seq = 1) WHERE seq = 3",
        "UPDATE record SET body = NULL WHERE seq = 3",
        "UPDATE record SET body = x'00' WHERE seq = 3",
        "UPDATE record SET sm3 = replace(sm3, substr(sm3, 1, 1), 'x') WHERE seq = 3",
        "DELETE FROM record WHERE seq = 3",
        "DELETE FROM record WHERE seq = 1",
    ],
)
def test_every_alteration_is_found_and_named(tmp_path: Path, statement: str) -> None:
    fill(tmp_path)
    found = damaged(tmp_path, statement)
    assert found
    number = "1" if "seq = 1" in statement and "DELETE" in statement else "3"
    assert any(f"第 {number} 号" in m for m in found), found


def test_removing_the_last_records_is_found(tmp_path: Path) -> None:
    fill(tmp_path)
    assert damaged(tmp_path, "DELETE FROM record WHERE seq = 6") != []


def test_removing_the_last_records_with_their_head_is_found_by_the_seal(tmp_path: Path) -> None:
    made = fill(tmp_path)
    own = made[3].own
    found = damaged(
        tmp_path,
        "DELETE FROM record WHERE seq > 4",
        f"UPDATE head SET seq = 4, sha256 = '{own.sha256}', sm3 = '{own.sm3}'",  # noqa: S608 - our own digests
    )
    assert any("末尾的记录被删除" in m for m in found), found


def test_a_seal_taken_away_or_spoiled_is_found(tmp_path: Path) -> None:
    for name, spoil in (("gone", None), ("garbled", b"garbage")):
        folder = tmp_path / name
        fill(folder)
        (folder / SEAL).unlink() if spoil is None else (folder / SEAL).write_bytes(spoil)
        assert damaged(folder) == ["封存文件不见了或无法读取，不能确认末尾的记录是否齐全"]
        fill(folder, 1, first=6)
        with opened(folder) as history:
            assert history.verify(), "the next check does not make it good"


def test_a_copy_needs_no_seal(tmp_path: Path) -> None:
    fill(tmp_path / "a")
    (tmp_path / "b").mkdir()
    with opened(tmp_path / "a") as history:
        history.copy_to(tmp_path / "b" / FILE, now=START)
        assert history.verify() == []
    with opened(tmp_path / "b") as copied:
        assert copied.verify() == []


def test_only_a_summary_in_the_chain_excuses_a_missing_body(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    with opened(tmp_path) as history:
        history.append("ledger", lambda _: {"action": "note"}, at=START, now=START)
    gone = damaged(
        tmp_path,
        "INSERT OR REPLACE INTO meta VALUES ('pruned_to', '999')",
        "UPDATE record SET body = NULL WHERE seq IN (1, 4)",
    )
    assert gone == ["第 1 号记录没有正文，或正文已损坏", "第 4 号记录没有正文，或正文已损坏"]
    with opened(tmp_path) as history:
        history.append("pruned", lambda _: {"from": 1, "to": 4}, at=START, now=START)
        assert [f.seq for f in history.verify()] == [4], "what was registered is never given up"
        for name, data in export_files(history):
            (tmp_path / "e" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "e" / name).write_bytes(data)
    assert [f.seq for f in verify_export(tmp_path / "e")[1]] == [4]


@pytest.mark.parametrize("stamp", ["x", "2026-01-09T09:00:00", ""])
@pytest.mark.parametrize("column", ["at", "stored_at"])
def test_a_changed_time_is_named_and_stops_nothing(tmp_path: Path, column: str, stamp: str) -> None:
    fill(tmp_path)
    assert damaged(tmp_path, f"UPDATE record SET {column} = '{stamp}' WHERE seq = 2")  # noqa: S608 - made here
    with opened(tmp_path) as history:
        clock_back(history.headers())
        assert len(store_results.statuses(history, "YB-1")) == (2 if column == "at" else 3)
    fill(tmp_path, 2, first=6)


def test_a_file_damaged_inside_is_told_wherever_it_shows(tmp_path: Path) -> None:
    fill(tmp_path, 40)
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    data[8192:-4096] = b"\xab" * (len(data) - 8192 - 4096)
    path.write_bytes(data)
    for ask in (lambda h: h.verify(), lambda h: h.headers(), lambda h: list(h.records())):
        with pytest.raises(InputProblems, match="已损坏"), opened(tmp_path) as history:
            ask(history)


def test_an_older_copy_of_the_file_is_found(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    shutil.copy(tmp_path / FILE, tmp_path / "old")
    fill(tmp_path, 2, first=2)
    shutil.copy(tmp_path / "old", tmp_path / FILE)
    with opened(tmp_path) as history:
        assert any("换成了旧文件" in f.message for f in history.verify())


def test_swapped_and_inserted_records_are_found(tmp_path: Path) -> None:
    made = fill(tmp_path)
    order = [made[0], made[2], made[1], *made[3:]]
    head = (6, made[-1].own)
    assert flaws(order, head)
    assert flaws([*made[:3], made[2], *made[3:]], head)
    assert flaws(made, head) == []
    assert flaws(made, None)
    assert flaws([], (3, made[2].own))


def test_triggers_refuse_mistakes(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    db = sqlite3.connect(tmp_path / FILE)
    for statement in ("DELETE FROM record", "UPDATE record SET at = 'x'", "UPDATE record SET body = NULL"):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(statement)
    db.close()


def test_a_clock_set_back_shows(tmp_path: Path) -> None:
    with opened(tmp_path, create=True) as history:
        for days in (0, 7, 3, 14):
            when = START + timedelta(days=days)
            store_results.store(
                history, results.result([results.finding("PWD-01")], started_at=when.isoformat()), now=when
            )
        back = clock_back(history.headers())
    assert [(a.seq, b.seq) for a, b in back] == [(2, 3)]


def _exported(tmp_path: Path) -> Path:
    fill(tmp_path / "state")
    target = tmp_path / "export"
    with opened(tmp_path / "state") as history:
        for name, data in export_files(history):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return target


def test_an_export_verifies_on_its_own(tmp_path: Path) -> None:
    headers, found = verify_export(_exported(tmp_path))
    assert len(headers) == 6
    assert found == []


def test_every_single_byte_of_an_export_counts(tmp_path: Path) -> None:
    target = _exported(tmp_path)
    files = sorted(p for p in target.rglob("*.json"))
    chance = random.Random(20261120)  # noqa: S311 - which bytes to change
    for path in files:
        original = path.read_bytes()
        for _ in range(150):
            at = chance.randrange(len(original))
            changed = bytearray(original)
            changed[at] ^= 1 << chance.randrange(8)
            path.write_bytes(bytes(changed))
            try:
                _, found = verify_export(target)
            except InputProblems:
                continue
            assert found, f"{path.name}: byte {at} changed from {original[at]} to {changed[at]} unnoticed"
        path.write_bytes(original)
    assert verify_export(target)[1] == []


def test_files_missing_from_or_added_to_an_export(tmp_path: Path) -> None:
    target = _exported(tmp_path)
    (target / RECORDS / "000099.json").write_text("{}")
    assert any("000099" in f.message for f in verify_export(target)[1])
    (target / RECORDS / "000099.json").unlink()
    (target / RECORDS / "000006.json").unlink()
    assert any("第 6 号" in f.message for f in verify_export(target)[1])
    (target / INDEX).unlink()
    with pytest.raises(InputProblems):
        verify_export(target)


def test_files_that_are_no_history(tmp_path: Path) -> None:
    with pytest.raises(InputProblems, match="没有历史文件"), opened(tmp_path):
        pass
    (tmp_path / FILE).write_bytes(b"not a database at all, just text" * 100)
    with pytest.raises(InputProblems, match="已损坏或不是"), opened(tmp_path):
        pass
    (tmp_path / FILE).unlink()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("CREATE TABLE somebody (elses TEXT)")
    db.close()
    with pytest.raises(InputProblems, match="不是 ybscan"), opened(tmp_path, create=True):
        pass


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    db = sqlite3.connect(tmp_path / FILE)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(InputProblems, match="更新版本"), opened(tmp_path):
        pass
    db = sqlite3.connect(tmp_path / FILE)
    assert db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    db.close()


def test_a_failed_append_stores_nothing(tmp_path: Path) -> None:
    fill(tmp_path, 1)

    def broken(_: Header | None) -> object:
        raise RuntimeError("boom")

    with opened(tmp_path) as history:
        with pytest.raises(RuntimeError):
            history.append("ledger", broken, at=START, now=START)
        assert len(history.headers()) == 1
        assert history.verify() == []
    assert json.loads((tmp_path / SEAL).read_text())["seq"] == 1


def test_a_body_too_large_is_not_inflated(tmp_path: Path) -> None:
    import zlib

    fill(tmp_path, 2)
    bomb = zlib.compress(b"0" * (80 * 1024 * 1024), 9)
    db = sqlite3.connect(tmp_path / FILE)
    db.executescript("DROP TRIGGER record_is_final;")
    db.execute("UPDATE record SET body = ? WHERE seq = 1", (bomb,))
    db.commit()
    db.close()
    with opened(tmp_path) as history:
        assert [c.header.seq for c in store_results.checks(history)] == [2]
        assert any("第 1 号" in f.message for f in history.verify())


def test_reading_needs_no_writing(tmp_path: Path) -> None:
    made = fill(tmp_path, 2)
    (tmp_path / FILE).chmod(0o444)
    with opened(tmp_path) as history:
        assert isinstance(history, History)
        assert history.headers() == made


def test_every_single_byte_of_a_stored_record_counts(tmp_path: Path) -> None:
    """Any column of any record, one character or one byte of the packed body changed by somebody who knows SQLite."""
    fill(tmp_path)
    chance = random.Random(20261127)  # noqa: S311 - what to change
    db = sqlite3.connect(tmp_path / FILE)
    db.executescript("DROP TRIGGER record_stays; DROP TRIGGER record_is_final;")
    columns = [row[1] for row in db.execute("PRAGMA table_info(record)") if row[1] != "seq"]
    with opened(tmp_path) as history:
        for column in columns:
            write = f"UPDATE record SET {column} = ? WHERE seq = ?"  # noqa: S608 - the table's own columns
            for _ in range(12):
                seq = chance.randrange(1, 7)
                before = db.execute(f"SELECT {column} FROM record WHERE seq = ?", (seq,)).fetchone()[0]  # noqa: S608
                db.execute(write, (_changed(before, chance), seq))
                db.commit()
                assert history.verify(), f"{column} of record {seq}"
                db.execute(write, (before, seq))
                db.commit()
        assert history.verify() == []
    db.close()


def _changed(value: object, chance: random.Random) -> object:
    if isinstance(value, int):
        return value + 100
    raw = value if isinstance(value, bytes) else str(value).encode()
    if not raw:
        return "x"
    at = chance.randrange(len(raw))
    changed = bytearray(raw)
    changed[at] = (changed[at] ^ 1) if isinstance(value, bytes) else (ord("0") if changed[at] != ord("0") else ord("1"))
    return bytes(changed) if isinstance(value, bytes) else changed.decode("ascii", "replace")
