"""Documents that leave the house: nothing of what was dropped is left, the rest says the same."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.documents import CLAUSES, QUESTIONS, templates
from tests.unit.results import finding, hospital, hostile, result
from tests.unit.test_word_reference import letterhead

from ybscan.cli.options import redaction_level
from ybscan.cli.report import read_result
from ybscan.cli.scan import result_json
from ybscan.model.attestation import Answer
from ybscan.model.ledger import Entry, EntryStatus
from ybscan.model.problem import InputProblems
from ybscan.model.result import FindingWaiver, Observation, ScanResult, Status
from ybscan.model.rule import Severity
from ybscan.report.document import document_json
from ybscan.report.docx import render_docx
from ybscan.report.identities import Identities
from ybscan.report.options import Kind, Missed, Options, Redaction, TextFormat
from ybscan.report.redact import redacted
from ybscan.report.render import render
from ybscan.report.tables import KINDS as TABLE_KINDS
from ybscan.report.tables import tables

#: What ``partial`` drops, in every spelling that is planted.
ACCOUNTS = ("zhangsan", "lisi2", "王小二", "Wang Wu")
HOSTS = ("SFC-0A7", "fileserver-9")
ADDRESSES = ("10.20.1.77", "192.168.3.4", "fe80::21a:2bff:fe3c:4d77", "8.8.4.4", "2409:8a00::77")
MACS = ("00:1a:2b:3c:4d:77", "00-1A-2B-3C-4D-77", "001a2b3c4d77", "001a.2b3c.4d77", "a4:bb:6d:00:11:22")
SERIALS = ("9f86d081", "SN-4711-XYZ", "3c6ef372")
SIDS = ("S-1-5-21-1004336348-1177238915-682003330-1001",)
PARTIAL = (*ACCOUNTS, *HOSTS, *ADDRESSES, *MACS, *SERIALS, *SIDS)
#: What ``full`` drops besides.
PEOPLE = ("李收费", "张信息", "赵科长", "王主任", "孙院长", "钱工", "周销号")
DEPARTMENTS = ("收费三处", "信息中心")
#: On top of the pages of the unit's own Word file.
LETTERHEAD = "示例市人民医院信息科"
PERSONAL = (*PEOPLE, *DEPARTMENTS)

EVERYTHING = "；".join(PARTIAL) + "；" + "；".join(PERSONAL)


def planted() -> ScanResult:
    """Names in every field that holds words, and in facts only."""
    facts = {
        "login_accounts.entries": {
            "status": "known", "origin": f"/etc/passwd {EVERYTHING}", "gaps": [],
            "value": [{"account": a, "note": EVERYTHING} for a in ("lisi2", "王小二", "root")],
        },
        "databases.items": {"status": "known", "value": [{"path": r"C:\Users\Wang Wu\his.mdb", "persons": "zhangsan、lisi2"}]},
        "usb_devices.storage": {"status": "known", "value": [{"serial": s, "model": EVERYTHING} for s in SERIALS[:2]]},
        "computer_name.current": {"status": "known", "value": "SFC-0A7.hospital.local"},
        "registration.machine_id": {"status": "known", "value": SERIALS[2]},
        "file_line(path=/home/zhangsan/his.ini)": {"status": "unknown", "detail": EVERYTHING, "origin": EVERYTHING},
        "smb.mounts": {"status": "known", "value": [{"share": r"\\fileserver-9\backup"}]},
        "registration.entries": {"status": "known", "value": [{"name": "责任人", "value": "钱工"}]},
        "net.list": {"status": "known", "value": [[EVERYTHING], {"deep": {"deeper": EVERYTHING}}]},
    }  # fmt: skip
    found = [
        finding(
            f"RED-{i:02}", status, title=f"标题 {EVERYTHING}", method=EVERYTHING, reason=EVERYTHING, remediation=EVERYTHING,
            observations=(
                Observation(
                    fact="file_line(path=/home/zhangsan/his.ini)", status=status, value=[{"account": "zhangsan", "any": EVERYTHING}],
                    expected=EVERYTHING, origin=f"/home/zhangsan/{EVERYTHING}", sentence=f"第 {i} 项：{EVERYTHING}",
                ),
            ),
            waiver=FindingWaiver(reason=EVERYTHING, approver="王主任", document=EVERYTHING, approved="2026-09-01", expires="2026-12-31"),
        )
        for i, status in enumerate(Status)
    ]  # fmt: skip
    made = result(
        found, id="SFC-0A7", hostname="SFC-0A7", macs=("00:1a:2b:3c:4d:77",), addresses=ADDRESSES, department="收费三处",
        owner="李收费", people={"inspector": "张信息", "reviewer": "赵科长", "leader": "孙院长"}, os_version=EVERYTHING,
    )  # fmt: skip
    return made.model_copy(update={"facts": facts}).sealed()


def options() -> Options:
    """Names in everything that is said besides results."""
    entry = Entry(
        id="SFC-0A7/RED-01/1", terminal="SFC-0A7", rule_id="RED-01", title=EVERYTHING, severity=Severity.HIGH, clauses=(),
        source="check", opened=date(2026, 11, 13), opened_by=1, last_seen=date(2026, 11, 20), checks_failed=2, unchecked=False,
        problem=EVERYTHING, remediation=EVERYTHING, status=EntryStatus.CLOSED, owner="李收费", leader="孙院长",
        department="信息中心", measures=EVERYTHING, deadline=date(2026, 11, 18), extensions=(EVERYTHING,), notes=(EVERYTHING,),
        closed=date(2026, 11, 20), closer="周销号", basis=EVERYTHING, waiver=EVERYTHING,
    )  # fmt: skip
    answers = tuple(
        Answer(question=q.id, answer=f"是：{EVERYTHING}", person="赵科长", at=date(2026, 11, 20), basis=EVERYTHING[:60])
        for q in QUESTIONS
    )
    return Options(
        clauses=CLAUSES, questions=QUESTIONS, answers=answers, expected=2, ledger=(entry,),
        missed=(Missed(id="fileserver-9", department="信息中心", reason=EVERYTHING),), shift_reason=EVERYTHING,
        addressee="示例市医疗保障局", previous=(planted().model_copy(update={"started_at": "2026-11-13T09:00:00+08:00"}).sealed(),),
    )  # fmt: skip


def plain(text: str) -> str:
    """A document without what its format puts between the characters of a name."""
    return re.sub(r"\\(?=\W)", "", text)


def unzipped(data: bytes) -> str:
    """The text of an office file, tags taken out."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        return re.sub("<[^>]*>", "", "".join(parts.read(n).decode("utf-8", "replace") for n in parts.namelist()))


def everything(level: Redaction) -> dict[str, str]:
    """Each document that there is, as text."""
    (shown,), said = redacted((planted(),), options(), level)
    made = {"result.json": result_json(shown).decode()}
    for kind in get_args(Kind):
        for format in get_args(TextFormat):
            made[f"{kind}.{format}"] = render(kind, format, (shown,), templates=templates(), options=said)
        word = render_docx(kind, (shown,), templates=templates(), options=said, reference=("a.docx", letterhead()))
        made[f"{kind}.docx"] = unzipped(word)
        made[f"{kind}.json"] = document_json(kind, (shown,), options=said).decode()
        if kind in TABLE_KINDS:
            made[f"{kind}.csv"] = tables(kind, "csv", (shown,), options=said).decode("utf-8-sig")
            made[f"{kind}.xlsx"] = unzipped(tables(kind, "xlsx", (shown,), options=said))
    return {name: plain(text).casefold() for name, text in made.items()}


def test_what_is_planted_is_printed_without_redaction() -> None:
    documents = everything("none")
    for name in (*PARTIAL, *PERSONAL):
        assert name.casefold() in documents["result.json"], name
        assert name.casefold() in documents["record.md"], name
        assert name.casefold() in documents["record.docx"], name
    assert LETTERHEAD in documents["record.docx"]


@pytest.mark.parametrize("level", ["partial", "full"])
def test_nothing_that_was_dropped_is_left(level: Redaction) -> None:
    gone = PARTIAL if level == "partial" else (*PARTIAL, *PERSONAL)
    for document, text in everything(level).items():
        left = [name for name in gone if name.casefold() in text]
        assert not left, (document, left)
        assert LETTERHEAD not in text
        assert (
            f"已脱敏（{level} 级）" in text
            or document == "result.json"
            or (document.endswith(".csv") and level in text)
        )
    if level == "partial":
        assert "李收费" in everything(level)["record.md"]


def test_code_names_are_the_same_throughout() -> None:
    (shown,), said = redacted((planted(),), options(), "partial")
    assert shown.host.id == shown.host.hostname == said.ledger[0].terminal == said.previous[0].host.id
    assert said.ledger[0].id == f"{shown.host.id}/RED-01/1"
    mac = shown.host.macs[0]
    assert re.fullmatch(r"MAC\d", mac)
    sentence = shown.findings[0].observations[0].sentence
    assert sentence.count(mac) == 4, "colons, dashes, nothing, dots"
    assert shown.host.addresses[0].startswith("10.20.x.x（地址"), "the network may be known, the terminal not"
    assert shown.host.addresses[0] in sentence
    account = shown.facts["login_accounts.entries"]["value"][0]["account"]
    assert re.fullmatch(r"用户\d", account)
    assert account in sentence
    assert shown.facts["login_accounts.entries"]["value"][2]["account"] == "root"
    assert redacted((planted(),), options(), "partial") == ((shown,), said)


@pytest.mark.parametrize("level", ["partial", "full"])
def test_the_digest_is_that_of_the_original_and_counts_stay(level: Redaction) -> None:
    for results in (hospital(), (hostile(),)):
        shown, _ = redacted(results, Options(), level)
        for before, after in zip(results, shown, strict=True):
            assert after.digest == before.digest == after.compute_digest()
            assert after.redacted == level
            assert after.summary == before.summary
            verdicts = [(f.rule_id, f.status, f.severity, f.pack, f.clauses) for f in before.findings]
            assert [(f.rule_id, f.status, f.severity, f.pack, f.clauses) for f in after.findings] == verdicts
            assert len(after.findings[0].observations) == len(before.findings[0].observations)


def test_an_altered_record_stays_an_altered_one() -> None:
    altered = hospital()[0].model_copy(update={"started_at": "2026-11-14T09:00:00+08:00"})
    (shown,), _ = redacted((altered,), Options(), "full")
    assert shown.compute_digest() != shown.digest
    text = render("record", "md", (shown,), templates=templates(), options=Options(redaction="full"))
    assert "内容在检查之后被改动过" in text


def test_a_redacted_copy_is_no_record(tmp_path: Path) -> None:
    (shown,), _ = redacted((hospital()[0],), Options(), "partial")
    path = tmp_path / "copy.json"
    path.write_bytes(result_json(shown))
    assert json.loads(path.read_bytes())["redacted"] == "partial"
    with pytest.raises(InputProblems, match="脱敏后的副本"):
        read_result(path)


def test_results_that_were_not_redacted_do_not_mention_it() -> None:
    assert "redacted" not in json.loads(result_json(hospital()[0]))


def test_persons_who_sign_are_left_out_in_full() -> None:
    (shown,), _ = redacted((hospital()[1],), Options(), "full")
    assert shown.people == {}
    assert shown.unit["name"] == "示例市人民医院", "the report is the unit's"


def test_what_people_wrote_is_withheld_but_not_what_it_means() -> None:
    said = [
        ("是", "是"),
        ("否：无人陪同", "否：（内容已脱敏）"),
        ("2026-11-20", "2026-11-20"),
        ("组长孙某", "（内容已脱敏）"),
    ]
    answers = tuple(
        Answer(question="duty", answer=text, person="赵科长", at=date(2026, 11, 20), basis="值班表") for text, _ in said
    )
    _, shown = redacted(hospital(), Options(answers=answers), "full")
    assert [a.answer for a in shown.answers] == [text for _, text in said]
    assert len({a.person for a in shown.answers} - {"赵科长"}) == 1


def test_everybody_s_names_stay() -> None:
    known = Identities(persons=True)
    known.learn([{"account": n} for n in ("root", "Administrator", "Everyone", "NT AUTHORITY\\SYSTEM")])
    known.learn({"host": "localhost", "server": "127.0.0.1"})
    text = "root 以 Administrator 身份监听 127.0.0.1:80、0.0.0.0 和 ::1，掩码 255.255.255.0，版本 12.0.3.4，10:20:30"
    assert known.hide(text) == text
    assert known.hide("版本 10.0.0.1") != "版本 10.0.0.1", "an address of a unit is no version"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("MAC:00:1A:2B:3C:4D:01。", "MAC:MAC1。"),
        ("网关10.1.2.3、10.1.2.3/24", "网关10.1.x.x（地址1）、10.1.x.x（地址1）/24"),
        ("[fe80::1]:22 和 fe80::1", "[地址1]:22 和 地址1"),
        ("从 1.1.1.1:443", "从 公网地址1:443"),
        ("a.b@c.example.cn", "邮箱1"),
        ("999.1.1.1 和 1.2.3.4.5", "999.1.1.1 和 1.2.3.4.5"),
    ],
)
def test_addresses_are_told_by_their_look(text: str, left: str) -> None:
    assert Identities(persons=False).hide(text) == left


def test_names_are_whole_words_and_the_longest_counts() -> None:
    known = Identities(persons=False)
    known.learn([{"account": n} for n in ("li", "liwei", "li.wei", "12", "10023")])
    assert known.hide("liwei2 li_backup li liwei li.wei LIWEI 12 项 10023") == (
        "liwei2 用户1_backup 用户1 用户2 用户3 用户2 12 项 用户5"
    )


NAME = st.text(st.characters(codec=None, exclude_categories=()), min_size=1, max_size=8).filter(
    lambda n: bool(n.strip())
)


@given(st.lists(NAME, max_size=12), st.text(max_size=20))
def test_no_name_survives(names: list[str], around: str) -> None:
    """A name that stands alone in a sentence is replaced, whatever it is made of."""
    known = Identities(persons=False)
    known.learn({"ssid": list(names)})
    for name in names:
        bare = name.strip()
        code = known.name("无线网络", bare)
        assert known.hidden(bare, "ssid") == code
        if not bare.isdigit():
            assert code in known.hide(f"“{bare}”"), bare


def test_ten_thousand_names_are_replaced_in_reasonable_time() -> None:
    known = Identities(persons=False)
    known.learn([{"account": f"user{i:05}"} for i in range(10_000)])
    known.learn([{"account": "长" * 10_000}])
    text = "用户 user00017 在 /home/user09999 下有文件；" * 200
    hidden = known.hide(text + "长" * 10_000)
    assert "user0" not in hidden
    assert hidden.endswith("用户10001")


@pytest.mark.parametrize("text", ["", "parcial", "all"])
def test_unknown_levels_are_refused(text: str) -> None:
    with pytest.raises(InputProblems, match="没有脱敏级别"):
        redaction_level(text)


def test_the_report_of_a_redacted_unit_says_the_same_numbers() -> None:
    said = Options(expected=3, clauses=CLAUSES)
    before = render("self-inspection", "md", hospital(), templates=templates(), options=said)
    shown, others = redacted(hospital(), said, "full")
    after = render("self-inspection", "md", shown, templates=templates(), options=others)
    rates = re.compile(r"\d+\.\d%（\d+/\d+，另有 \d+ 项未能确认）")
    assert rates.findall(before) == rates.findall(after)
    assert len(rates.findall(after)) == 3, "in the results, in the week, in the conclusion"
    assert replace(others, redaction="none", missed=()) == said
