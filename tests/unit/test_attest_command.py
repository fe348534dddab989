"""``ybscan attest`` as a person uses it: in a terminal, stopped half-way, and from a form."""

from __future__ import annotations

import os
import re
import select
import sys
import time
from pathlib import Path

import pytest
from tests.cli import ybscan
from tests.conftest import PROJECT

from ybscan.rules.attestation import load_answers, load_questions

QUESTIONS = load_questions(PROJECT / "rules")
NOW = ("--now", "2026-11-20T10:00:00+08:00")
NEXT_FRIDAY = ("--now", "2026-11-27T10:00:00+08:00")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")


class Terminal:
    """A pseudo-terminal with the program in it."""

    def __init__(self, cwd: Path, *arguments: str) -> None:
        import pty

        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            env = {**os.environ, "PYTHONIOENCODING": "utf-8", "LANG": "C.UTF-8", "TERM": "dumb"}
            os.execve(sys.executable, [sys.executable, "-m", "ybscan", *arguments], env)  # noqa: S606
        self.seen = ""
        self._raw = b""

    def until(self, text: str, seconds: float = 30) -> None:
        """Read until ``text`` has been shown (after what was waited for before)."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            if time.monotonic() > end or not self._more(end):
                pytest.fail(f"never said {text!r}, but:\n{self.seen}")
        self.seen = self.seen.split(text, 1)[1]

    def _more(self, end: float) -> bool:
        if not select.select([self.fd], [], [], max(end - time.monotonic(), 0))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other side is closed
            return False
        self._raw += data
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode() + b"\n")

    def key(self, code: bytes) -> None:
        os.write(self.fd, code)

    def interrupt(self, text: str) -> None:
        """Press Ctrl-C until ``text`` is shown: between the prompt and the reading of a line Python may not notice it."""
        for _ in range(15):
            self.key(b"\x03")
            end = time.monotonic() + 2
            while text not in self.seen and self._more(end):
                pass
            if text in self.seen:
                break
        self.until(text, 0)

    def end(self) -> int:
        """The exit code."""
        while self._more(time.monotonic() + 30):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def answer(terminal: Terminal, text: str, basis: str, person: str = "") -> None:
    terminal.until("答复:")
    terminal.type(text)
    terminal.until("依据（文号、台账页码等）:")
    terminal.type(basis)
    terminal.until("确认人")
    terminal.type(person)
    terminal.until("确认日期 [2026-11-20]:")
    terminal.type("")


def test_answers_are_saved_one_by_one_and_asking_goes_on_next_time(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    first = Terminal(tmp_path, "attest", "--only", "weekly", *NOW)
    first.until("移动介质台账")
    answer(first, "是", "台账 12 页", "张三")
    first.until("外来维护")
    assert [a.question for a in load_answers(path, QUESTIONS)] == ["media-ledger"], "saved before the next is asked"
    first.until("答复:")
    first.type("大概没有")
    first.until("应答“是”“否”或“不适用”")
    first.until("答复:")
    first.type("")
    first.until("已跳过")
    answer(first, "否：11 月 18 日中断", "巡检记录 3")
    first.until("答复:")
    first.interrupt("本次保存了 2 项答复")
    assert first.end() == 3
    saved = load_answers(path, QUESTIONS)
    assert [(a.question, a.answer, a.person) for a in saved] == [
        ("media-ledger", "是", "张三"),
        ("boundary", "否：11 月 18 日中断", "张三"),
    ]
    assert path.stat().st_mode & 0o007 == 0

    again = Terminal(tmp_path, "attest", "--only", "weekly", *NOW)
    again.until("共 4 项需要确认")
    again.until("[1/4]")
    again.until("外来维护")
    again.until("答复:")
    again.key(b"\x04")
    assert again.end() == 3
    assert load_answers(path, QUESTIONS) == saved


def test_last_weeks_answer_is_shown_and_never_taken_over(tmp_path: Path) -> None:
    before = Terminal(tmp_path, "attest", "--only", "media-ledger", *NOW)
    answer(before, "是", "台账 12 页", "张三")
    assert before.end() == 0
    kept = (tmp_path / "answers.yml").read_bytes()
    week = Terminal(tmp_path, "attest", "--only", "media-ledger", *NEXT_FRIDAY)
    week.until("上次（2026-11-20、张三）：是；依据：台账 12 页；有效至 2026-11-26")
    week.until("答复:")
    week.type("")
    week.until("已跳过")
    assert week.end() == 3
    assert (tmp_path / "answers.yml").read_bytes() == kept


def test_a_day_in_the_future_and_an_empty_basis_are_asked_again(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "attest", "--only", "plan", *NOW)
    terminal.until("答复:")
    terminal.type("信息系统应急预案")
    terminal.until("等）:")
    terminal.type("无")
    terminal.until("不能作为依据")
    terminal.type("院信〔2026〕5 号")
    terminal.until("确认人:")
    terminal.type("李四")
    terminal.until("]:")
    terminal.type("2026-11-21")
    terminal.until("晚于今天")
    terminal.type("2026-11-19")
    assert terminal.end() == 0
    (saved,) = load_answers(tmp_path / "answers.yml", QUESTIONS)
    assert (saved.at.isoformat(), saved.basis) == ("2026-11-19", "院信〔2026〕5 号")


# --- forms, the list, and the documents -------------------------------------------------------------------------------


def form_with(path: Path, question: str, **fields: str) -> None:
    text = path.read_text(encoding="utf-8")
    empty = f"  - question: {question}\n    answer:\n    person:\n    at:\n    basis:\n"
    assert empty in text
    full = "".join(f"    {k}: {v}\n" for k, v in fields.items())
    path.write_text(text.replace(empty, f"  - question: {question}\n{full}"), encoding="utf-8")


GOOD = {"answer": "是", "person": "张三", "at": "2026-11-20", "basis": "台账 12 页"}


def test_from_form_to_record(tmp_path: Path) -> None:
    assert ybscan("attest", "--form", "f.yml", cwd=tmp_path).returncode == 0
    form_with(tmp_path / "f.yml", "media-ledger", **GOOD)
    read = ybscan("attest", "--from", "f.yml", *NOW, cwd=tmp_path)
    assert read.returncode == 3, read.stderr.decode()
    (tmp_path / "site.yml").write_text("schema: ybscan.site/v1\nanswers: answers.yml\n", encoding="utf-8")
    root = tmp_path / "disk" / "etc"
    root.mkdir(parents=True)
    (root / "hostname").write_text("SF-01\n", encoding="utf-8")
    scan = ("scan", "--root", "disk", "--rule", "PWD-01", "-q", "-f", "md", "-o", "-")
    record = ybscan(*scan, *NOW, cwd=tmp_path).stdout.decode()
    row = next(line for line in record.splitlines() if line.startswith("| 移动介质台账 |"))
    assert "据张三确认（2026年11月20日，依据：台账 12 页）：是" in row
    later = ybscan(*scan, *NEXT_FRIDAY, cwd=tmp_path).stdout.decode()
    assert "| 移动介质台账 |" in later
    assert "据张三确认" not in later


def test_a_report_counts_what_is_not_confirmed(tmp_path: Path) -> None:
    root = tmp_path / "disk" / "etc"
    root.mkdir(parents=True)
    (root / "hostname").write_text("SF-01\n", encoding="utf-8")
    ybscan("scan", "--root", "disk", "--rule", "PWD-01", "-q", "-f", "json", *NOW, cwd=tmp_path)
    (result,) = (tmp_path / "ybscan-report").glob("*.json")
    report = ("report", "--result", str(result), "-f", "md", "-o", "-", *NOW)
    asked = [q for q in QUESTIONS if q.part != "advice"]
    assert f"由人确认的事项中，{len(asked)} 项没有确认" in ybscan(*report, cwd=tmp_path).stdout.decode()
    ybscan("attest", "--form", "f.yml", cwd=tmp_path)
    form_with(tmp_path / "f.yml", "visitors", **{**GOOD, "answer": "否：无人陪同"})
    ybscan("attest", "--from", "f.yml", *NOW, cwd=tmp_path)
    text = ybscan(*report, "--answers", "answers.yml", cwd=tmp_path).stdout.decode()
    assert f"由人确认的事项中，{len(asked) - 1} 项没有确认" in text
    assert "1 项答复为“否”：外来维护" in text


def test_the_list_and_the_coverage_follow_the_clock(tmp_path: Path) -> None:
    ybscan("attest", "--form", "f.yml", cwd=tmp_path)
    form_with(tmp_path / "f.yml", "media-ledger", **GOOD)
    ybscan("attest", "--from", "f.yml", *NOW, cwd=tmp_path)
    for day, line, clauses in (("2026-11-26", "", 4), ("2026-11-27", "已于 2026-11-26 到期（张三，2026-11-20）", 0)):
        listed = ybscan("attest", "--list", "--only", "media-ledger", "--now", day, cwd=tmp_path)
        assert line in listed.stdout.decode()
        assert (listed.stdout == b"") is (not line)
        covered = ybscan("rules", "coverage", "--answers", "answers.yml", "--now", day, cwd=tmp_path).stdout.decode()
        assert len(re.findall("已由张三于 2026-11-20 确认", covered)) == clauses


def test_a_bad_form_changes_nothing(tmp_path: Path) -> None:
    ybscan("attest", "--form", "f.yml", cwd=tmp_path)
    form_with(tmp_path / "f.yml", "media-ledger", **GOOD)
    ybscan("attest", "--from", "f.yml", *NOW, cwd=tmp_path)
    kept = (tmp_path / "answers.yml").read_bytes()
    form_with(tmp_path / "f.yml", "visitors", **{**GOOD, "at": "2026-12-01"})
    bad = ybscan("attest", "--from", "f.yml", *NOW, cwd=tmp_path)
    assert bad.returncode == 2
    assert re.search(r"f\.yml:\d+ “外来维护”日期 2026-12-01 晚于今天", bad.stderr.decode())
    assert (tmp_path / "answers.yml").read_bytes() == kept


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--form", "a.docx"), "表格只能是 .yml 或 .xlsx 文件"),
        (("--only", "media-legder"), "是不是想写“media-ledger”"),
        (("--form", "a.yml", "--list"), "只能用一个"),
        (("--from", "none.yml"), "none.yml"),
    ],
)
def test_misuse_is_explained(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = ybscan("attest", *arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert message in ran.stderr.decode()
    assert not any(tmp_path.iterdir())


def test_a_form_never_overwrites_one_that_may_be_filled_in(tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text("filled", encoding="utf-8")
    assert ybscan("attest", "--form", "f.yml", cwd=tmp_path).returncode == 2
    assert (tmp_path / "f.yml").read_text(encoding="utf-8") == "filled"
