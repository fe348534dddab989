"""The command line: Chinese, clean streams, exit codes, nothing half-written, any console."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from tests.cli import tree, ybscan

from ybscan.rules.site import load_site

NOW = "2026-11-20T10:00:00+08:00"
LIGHTDM = {"etc/lightdm/lightdm.conf": "[Seat:*]\nautologin-user=yb\n"}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    return tree(tmp_path / "machine", LIGHTDM)


def only(machine: Path, *more: str) -> tuple[str, ...]:
    return ("scan", "--root", str(machine), "--rule", "PWD-06", "--now", NOW, *more)


def test_version() -> None:
    run = ybscan("--version")
    assert run.returncode == 0
    assert run.stdout.startswith(b"ybscan ")


@pytest.mark.parametrize(
    "command", [[], ["scan"], ["collect"], ["report"], ["rules"], ["rules", "lint"], ["facts"], ["doctor"], ["init"]]
)
def test_help_is_chinese_and_complete(command: list[str]) -> None:
    run = ybscan(*command, "--help")
    text = run.stdout.decode()
    assert run.returncode == 0
    assert "用法：ybscan" in text
    for english in ("Usage", "Options:", "Show this", "[default", "Commands:", "required]"):
        assert english not in text


def test_help_loads_nothing_a_scan_needs() -> None:
    code = (
        "import sys; from ybscan.cli.app import run; run(['--help'])\n"
        "print([m for m in ('pydantic', 'yaml', 'jinja2', 'psutil', 'rich.console', 'ybscan.engine', 'ybscan.probes') if m in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["scan", "--formt", "json"], "没有选项 --formt，是不是想写 --format？"),
        (["scna"], "没有命令 scna，是不是想写 scan？"),
        (["scan", "--format", "doc"], "没有格式“doc”，是不是想写“docx”？"),
        (["report", "--format", "pdf"], "可用：md、html、docx"),
        (["scan", "--format", "md,html", "-o", "-"], "只能用一种格式"),
        (["scan", "--pack", "pasword-policy"], "没有规则包“pasword-policy”，是不是想写“password-policy”？"),
        (["scan", "--rule", "PWD-66"], "没有规则“PWD-66”，是不是想写“PWD-06”？"),
        (["scan", "--now", "friday"], "“friday”不是时间"),
        (["scan", "--root", "/nonexistent"], "不是文件夹"),
        (["scan", "--root", "/", "--evidence", "x.zip"], "不能同时使用"),
        (["scan", "--evidence", "none.zip"], "none.zip"),
        (["scan", "--site", "none.yml"], "文件不存在"),
        (["scan", "--rules", "none"], "不是文件夹"),
        (["scan", "extra"], "多余的参数"),
        (["ledger", "assign", "x"], "缺少选项"),
        (["report", "--result", "none.json"], "无法读取文件"),
        (["rules", "show", "PWD-66"], "没有规则“PWD-66”"),
        (["facts", "show", "autologin.entry"], "是不是想写“autologin.entries”？"),
        (["rules", "list", "--format", "xml"], "没有格式“xml”"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_bad_command_lines_exit_2_in_chinese(arguments: list[str], expected: str, tmp_path: Path) -> None:
    run = ybscan(*arguments, cwd=tmp_path)
    said = run.stderr.decode()
    assert run.returncode == 2, said
    assert expected in said
    assert "Traceback" not in said
    assert run.stdout == b""
    assert list(tmp_path.iterdir()) == [], "nothing may be written"


def test_scan_writes_three_documents_and_exits_1(machine: Path, tmp_path: Path) -> None:
    run = ybscan(*only(machine, "-o", str(tmp_path / "out")))
    assert run.returncode == 1, run.stderr.decode()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        f"SF-01-2026-11-20.{e}" for e in ("html", "json", "md")
    ]
    result = json.loads((tmp_path / "out" / "SF-01-2026-11-20.json").read_text(encoding="utf-8"))
    assert [f["status"] for f in result["findings"]] == ["fail"]
    for ending in ("md", "html"):
        text = (tmp_path / "out" / f"SF-01-2026-11-20.{ending}").read_text(encoding="utf-8")
        assert "不符合" in text
        assert result["digest"].removeprefix("sha256:")[:16] in text


def test_an_earlier_record_of_the_day_is_kept(machine: Path, tmp_path: Path) -> None:
    for _ in range(2):
        ybscan(*only(machine, "-o", str(tmp_path / "out"), "--format", "json"))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["SF-01-2026-11-20-2.json", "SF-01-2026-11-20.json"]


def test_a_word_file_with_the_units_styles(machine: Path, tmp_path: Path) -> None:
    out, own = tmp_path / "out", tmp_path / "own"
    own.mkdir()
    reference = Document()
    reference.sections[0].footer.paragraphs[0].text = "示例市人民医院信息科"
    reference.save(str(own / "_reference.docx"))
    run = ybscan(*only(machine, "-o", str(out), "--format", "docx,json", "--template", str(own)))
    assert run.returncode == 1, run.stderr
    assert sorted(p.name for p in out.iterdir()) == ["SF-01-2026-11-20.docx", "SF-01-2026-11-20.json"]
    record = Document(str(out / "SF-01-2026-11-20.docx"))
    assert record.paragraphs[0].text.endswith("医保终端安全检查工作记录")
    assert record.sections[0].footer.paragraphs[0].text == "示例市人民医院信息科"
    result = str(out / "SF-01-2026-11-20.json")
    for kind in ("self-inspection", "leader", "ledger"):
        run = ybscan("report", "--result", result, "--kind", kind, "--format", "docx", "-o", "-", "--now", NOW)
        assert run.returncode == 0, run.stderr
        assert Document(BytesIO(run.stdout)).paragraphs[0].style.name == "Title"


def test_a_broken_word_template_is_named(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "record.docx").write_bytes(b"PK nothing")
    run = ybscan(*only(machine, "-o", str(tmp_path / "out"), "--format", "docx", "--template", str(tmp_path)))
    assert run.returncode == 2
    message = "".join(run.stderr.decode().split())
    assert "record.docx不是完整的Word文件（.docx），请用Word或WPS另存为.docx文件" in message
    assert not list((tmp_path / "out").iterdir())


def test_word_is_loaded_for_word_files_only(machine: Path, tmp_path: Path) -> None:
    for formats, expected in (("md,html,json", "[]"), ("docx", "['markdown_it', 'ybscan.report.docx']")):
        arguments = only(machine, "-o", str(tmp_path / "out"), "--no-store", "-q", "--format", formats)
        code = (
            f"import sys; from ybscan.cli.app import run; run({list(arguments)!r})\n"
            "print([m for m in ('markdown_it', 'ybscan.report.docx') if m in sys.modules])"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == expected, run.stderr


@pytest.mark.parametrize("format", ["json", "md", "html", "docx"])
def test_same_evidence_same_bytes(format: str, machine: Path) -> None:
    first, second = (ybscan(*only(machine, "--format", format, "-o", "-", "-q")) for _ in range(2))
    assert first.stdout == second.stdout
    assert len(first.stdout) > 500


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "ascii", "latin-1", "cp437"])
@pytest.mark.parametrize("format", ["json", "md", "html"])
def test_every_console(encoding: str, format: str, machine: Path) -> None:
    """Documents on stdout stay UTF-8 whatever the console speaks (JSON fits any); messages are replaced, never a crash."""
    run = ybscan(*only(machine, "--format", format, "-o", "-"), encoding=encoding)
    assert run.returncode == 1, run.stderr
    text = run.stdout.decode("utf-8")
    if format == "json":
        # What reads the pipe speaks the console's encoding: JSON is plain ASCII there, and means the same.
        assert encoding == "utf-8" or text.isascii()
        assert run.stdout.decode(encoding) == text
        text = json.loads(text)["findings"][0]["title"]
    assert "自动登录" in text
    assert b"Traceback" not in run.stderr
    if encoding == "gbk":
        assert "不符合" in run.stderr.decode("gbk")


def test_stdout_is_json_alone(machine: Path) -> None:
    run = ybscan(*only(machine, "--format", "json", "-o", "-"))
    assert json.loads(run.stdout)["schema"] == "ybscan.result/v1"


def test_exit_codes(tmp_path: Path) -> None:
    clean = tree(
        tmp_path / "clean",
        {"etc/lightdm/lightdm.conf": "[Seat:*]\n", "usr/lib/systemd/system/x": "", "etc/systemd/system/x": ""},
    )
    assert ybscan(*only(clean, "-o", "-", "--format", "json")).returncode == 0
    usb = ("scan", "--root", str(clean), "--rule", "USB-04", "-o", "-", "--format", "json")
    assert ybscan(*usb).returncode == 3
    assert ybscan(*usb, "--strict").returncode == 1


def test_rules_that_do_not_load_stop_everything(machine: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules" / "mine"
    rules.mkdir(parents=True)
    (rules / "pack.yml").write_text(
        "schema: ybscan.pack/v1\nid: mine\ntitle: x\nversion: '1.0'\norder: [A-1]\n", encoding="utf-8"
    )
    (rules / "a.yml").write_text("id: [\n", encoding="utf-8")
    run = ybscan("scan", "--root", str(machine), "--rules", str(tmp_path / "rules"), "-o", str(tmp_path / "out"))
    said = run.stderr.decode()
    assert run.returncode == 2
    assert "a.yml:" in said
    assert "pack.yml:5" in said
    assert "没有进行检查" in said
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing_behind(machine: Path, tmp_path: Path) -> None:
    """Documents larger than what may be written: the run fails in Chinese, the folder stays empty."""
    import resource

    out = tmp_path / "out"
    run = subprocess.run(
        [sys.executable, "-m", "ybscan", *only(machine, "-o", str(out))],
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)),
    )
    assert run.returncode == 2, run.stderr.decode()
    assert "写入失败" in run.stderr.decode()
    assert list(out.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="needs /proc")
def test_an_output_folder_that_cannot_be_written(machine: Path) -> None:
    run = ybscan(*only(machine, "-o", "/proc/nowhere"))
    assert run.returncode == 2
    assert "输出文件夹无法写入" in run.stderr.decode()


HOSTILE = "<script>alert(1)</script>|`{{7*7}}`\u202e\x1b[31m" + "长" * 50


def test_hostile_names_are_data(tmp_path: Path) -> None:
    machine = tree(
        tmp_path / "m",
        {"etc/lightdm/lightdm.conf": f"[Seat:*]\nautologin-user={HOSTILE}\n", "etc/hostname": "../../etc/x\n"},
    )
    run = ybscan(*only(machine, "-o", str(tmp_path / "out")))
    assert run.returncode == 1, run.stderr.decode()
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert len(names) == 3
    assert all("/" not in n and not n.startswith(".") for n in names)
    html = next((tmp_path / "out").glob("*.html")).read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "49" not in html.split("7*7")[0][-20:]
    assert "\x1b" not in run.stderr.decode()
    assert "\x1b" not in html


def test_a_site_file_in_the_current_folder_is_used_and_named(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("schema: ybscan.site/v1\nterminal: { id: YB-0007 }\n", encoding="utf-8")
    run = ybscan(*only(machine, "--format", "json", "-o", "-"), cwd=tmp_path)
    assert "使用单位配置 site.yml" in run.stderr.decode()
    assert json.loads(run.stdout)["host"]["id"] == "YB-0007"


def test_rules_and_facts_commands() -> None:
    listed = json.loads(ybscan("rules", "list", "--format", "json").stdout)
    assert "PWD-06" in [r["id"] for r in listed]
    assert "gbt22239" in ybscan("rules", "show", "pwd-06").stdout.decode()
    assert "自动登录设置" in ybscan("rules", "explain", "PWD-06").stdout.decode()
    facts = json.loads(ybscan("facts", "list", "--format", "json").stdout)
    assert {"name", "kind", "label", "linux", "windows"} <= set(facts[0])
    assert "getty" in ybscan("facts", "show", "autologin.entries").stdout.decode()


def test_rules_test_notices_a_wrong_verdict(tmp_path: Path) -> None:
    cases = tmp_path / "PWD-06"
    cases.mkdir()
    case = "description: x\nfacts:\n  autologin.entries: []\n"
    (cases / "none.pass.yml").write_text(case, encoding="utf-8")
    assert ybscan("rules", "test", "--cases", str(tmp_path)).returncode == 0
    (cases / "none.fail.yml").write_text(case, encoding="utf-8")
    run = ybscan("rules", "test", "--cases", str(tmp_path))
    assert run.returncode == 1
    assert "应为 fail，实为 pass" in run.stdout.decode()
    (cases / "odd.maybe.yml").write_text(case, encoding="utf-8")
    assert ybscan("rules", "test", "--cases", str(tmp_path)).returncode == 2


def test_doctor_names_what_will_be_unknown(machine: Path, tmp_path: Path) -> None:
    run = ybscan("doctor", "--root", str(machine), cwd=tmp_path)
    text = run.stdout.decode()
    assert run.returncode == 3, run.stderr.decode()
    assert "site.yml" in text
    assert "原因：" in text
    assert "办法：" in text


#: Empty lines decline what was found on this machine and leave the rest unset; how many are asked differs by machine.
ANSWERS = "\n".join(["1", '示例"市: {人民} #医院', "YB-0001", "收费处", "张三", "1", *[""] * 40])


def test_init_writes_a_site_file_that_loads(tmp_path: Path) -> None:
    run = ybscan("init", "-o", "site.yml", cwd=tmp_path, stdin=ANSWERS)
    assert run.returncode == 0, run.stderr.decode()
    loaded = load_site(tmp_path / "site.yml")
    assert loaded.site.unit is not None
    assert loaded.site.unit.name == '示例"市: {人民} #医院'
    assert loaded.site.terminal is not None
    assert loaded.site.terminal.department == "收费处"
    assert loaded.site.network.gateways is None, "what was found is not approved until a person says so"
    again = ybscan("init", "-o", "site.yml", cwd=tmp_path)
    assert again.returncode == 2
    assert "文件已存在" in again.stderr.decode()


def test_init_imports_the_register_or_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "登记.csv").write_bytes("编号,计算机名,用途\nYB-1,SF-01,结算\nYB-1,SF-02,老板\n".encode("gb18030"))
    run = ybscan("init", "--terminals", "登记.csv", cwd=tmp_path, stdin="")
    assert run.returncode == 2
    assert "登记.csv:3 " in run.stderr.decode()
    assert not (tmp_path / "site.yml").exists()
    (tmp_path / "登记.csv").write_bytes("编号,计算机名,用途\nYB-1,SF-01,结算\nYB-2,SF-02,办公\n".encode("gb18030"))
    answers = "\n".join(["3", "示例大药房", *[""] * 40])
    run = ybscan("init", "--terminals", "登记.csv", cwd=tmp_path, stdin=answers)
    assert run.returncode == 0, run.stderr.decode()
    assert [t.id for t in load_site(tmp_path / "site.yml").register] == ["YB-1", "YB-2"]


def test_an_interrupted_init_writes_nothing(tmp_path: Path) -> None:
    run = ybscan("init", "-o", "site.yml", cwd=tmp_path, stdin="1\n")
    assert run.returncode != 0
    assert list(tmp_path.iterdir()) == []
    assert "没有写入任何文件" in run.stderr.decode()


def test_a_few_files_are_no_system_disk(tmp_path: Path) -> None:
    """What is missing from a folder that is no whole system says nothing about the terminal: nothing passes."""
    folder = tmp_path / "part"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "hostname").write_text("SF-01\n", encoding="utf-8")
    run = ybscan("scan", "--root", str(folder), "--format", "json", "-o", "-", "-q")
    assert "不是完整的系统盘" in run.stderr.decode()
    result = json.loads(run.stdout)
    assert not [f["rule_id"] for f in result["findings"] if f["status"] == "pass"]
