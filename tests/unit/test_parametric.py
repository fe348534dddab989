"""Facts with arguments: what they answer, what they refuse, and how a site's own rule uses them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ybscan.engine.cases import live_tree, run_rule_case
from ybscan.hosts.base import Host
from ybscan.hosts.groups.sockets import Socket
from ybscan.hosts.groups.tools import Output
from ybscan.hosts.offline import offline_root
from ybscan.hosts.replay import replay
from ybscan.model.dictionary import Dictionary
from ybscan.model.facts import Kind
from ybscan.model.problem import InputProblems
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown
from ybscan.model.site import Site
from ybscan.probes.base import Context
from ybscan.probes.registry import ProbeRegistry
from ybscan.rules.load import load_packs

CONTEXT = Context(site=Site(), now=datetime(2026, 11, 20, 2, 0, tzinfo=UTC))
Answers = dict[tuple[str, str, tuple[tuple[str, Any], ...]], Reading[Any]]


def ask(registry: ProbeRegistry, name: str, host: Host, /, **args: str) -> Any:
    parametric = registry.parametric[name]
    assert parametric.check_args(args) == []
    return parametric.read(host, CONTEXT, args)


def answered(
    *answers: tuple[str, dict[str, Any], Reading[Any]], fallback: Host | None = None, os: Any = "linux"
) -> Host:
    made: Answers = {}
    for question, args, reading in answers:
        group, _, name = question.partition(".")
        made[group, name, tuple(sorted(args.items()))] = reading
    return replay(os, made, fallback=fallback)


def refusal(registry: ProbeRegistry, name: str, /, **args: str) -> str:
    """The sentence on why the arguments are refused; reading with them must refuse as well."""
    problems = registry.parametric[name].check_args(args)
    assert problems, f"{name} takes {args}"
    asked = registry.parametric[name].read(replay("linux", {}), CONTEXT, args)
    assert isinstance(asked, Unknown)
    assert asked.cause is Cause.NOT_PERMITTED
    return "；".join(problems)


# file_line -----------------------------------------------------------------------------------------------------


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/login.defs").write_text("# PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t90\nUMASK 027\nPASS_MAX_DAYS 60\n")
    return tmp_path


def test_last_line_wins_unless_the_first_is_wanted(registry: ProbeRegistry, etc: Path) -> None:
    host = live_tree(etc)
    args = {"path": "/etc/login.defs", "pattern": r"^PASS_MAX_DAYS\s+(\S+)"}
    assert ask(registry, "file_line", host, **args) == Known("60", "/etc/login.defs")
    assert ask(registry, "file_line", host, **args, which="first") == Known("90", "/etc/login.defs")
    assert ask(registry, "file_line", host, **args, **{"as": "integer"}) == Known(60, "/etc/login.defs")


def test_no_match_and_no_file_are_absent(registry: ProbeRegistry, etc: Path) -> None:
    host = live_tree(etc)
    assert ask(registry, "file_line", host, path="/etc/login.defs", pattern="^(NOPE)") == Absent("/etc/login.defs")
    assert isinstance(ask(registry, "file_line", host, path="/etc/none.conf", pattern="^(x)"), Absent)
    assert isinstance(ask(registry, "file_line", host, path="/etc/login.defs", pattern="^UMASK (x)?"), Absent)


def test_text_where_a_number_should_be_is_unknown(registry: ProbeRegistry, etc: Path) -> None:
    for text in ("027x", "٣", "1_000"):
        (etc / "etc/x.conf").write_text(f"UMASK {text}\n")
        got = ask(
            registry, "file_line", live_tree(etc), path="/etc/x.conf", pattern=r"^UMASK (\S+)", **{"as": "integer"}
        )
        assert isinstance(got, Unknown), text
        assert got.cause is Cause.MALFORMED


def test_chinese_values_in_gbk(registry: ProbeRegistry, etc: Path) -> None:
    (etc / "etc/单位.conf").write_bytes("名称=示例医院\n".encode("gb18030"))
    assert ask(registry, "file_line", live_tree(etc), path="/etc/单位.conf", pattern="名称=(.+)").value == "示例医院"


def test_live_only_files_are_unknown_offline(registry: ProbeRegistry, etc: Path) -> None:
    got = ask(registry, "file_line", offline_root(etc), path="/proc/sys/net/ipv4/ip_forward", pattern="^(.)")
    assert isinstance(got, Unknown)
    assert got.cause is Cause.UNSUPPORTED


@pytest.mark.parametrize(
    "path",
    [
        "/etc/../root/.bashrc", "/etc/./login.defs", "/etc//login.defs", "etc/login.defs", "/etc/*.conf", "/etc/login.def?",
        "/etc/[l]ogin.defs", "/root/notes.txt", "/home/a/x.conf", "/proc/1/environ", "/var/lib/his/patients.csv", "/etc",
        "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/passwd", "/etc/security/opasswd", "/etc/ssl/private/a.conf",
        "/etc/ssh/ssh_host_ed25519_key", "/etc/x.pem", "/etc/krb5.keytab", "/etc/NetworkManager/system-connections/w",
        "/etc/ppp/chap-secrets", "/etc/wireguard/wg0.conf", "/etc/mysql/debian.cnf", "/etc/a\x00b", "/etc/a\nb",
        "C:\\Users\\a\\x.txt", "C:\\Windows\\System32\\config\\SAM", "C:\\Windows\\System32\\drivers\\etc\\..\\x",
        "\\\\server\\share\\x", "C:/Windows/System32/drivers/etc/hosts", "C:\\Windows\\System32\\drivers\\etc\\hosts:stream",
    ],
)  # fmt: skip
def test_paths_outside_are_refused(registry: ProbeRegistry, path: str) -> None:
    assert refusal(registry, "file_line", path=path, pattern="^(x)")


@pytest.mark.parametrize(
    "path", ["/etc/pam.d/common-password", "/etc/ssh/sshd_config", "/proc/sys/kernel/sysrq", "C:\\Windows\\System32\\drivers\\etc\\hosts"]
)  # fmt: skip
def test_paths_inside_are_taken(registry: ProbeRegistry, path: str) -> None:
    assert registry.parametric["file_line"].check_args({"path": path, "pattern": "^(x)"}) == []


@pytest.mark.parametrize(
    "pattern", [r"^PASS_MAX_DAYS\s+(\d+)", r"^(?:a|b)\s*=\s*([^)]+)", r"([(+]*)\(x\)+", r"(\d{1,3})"]
)
def test_ordinary_patterns_are_taken(registry: ProbeRegistry, pattern: str) -> None:
    assert registry.parametric["file_line"].check_args({"path": "/etc/login.defs", "pattern": pattern}) == []


@pytest.mark.parametrize("pattern", ["x", "(", "(a+)+$", "((ab)*)*", "(a|aa)+", "(x{1,})*", "a" * 201 + "(b)"])
def test_patterns_are_limited(registry: ProbeRegistry, pattern: str) -> None:
    assert refusal(registry, "file_line", path="/etc/login.defs", pattern=pattern)


def test_links_out_are_refused(registry: ProbeRegistry, etc: Path) -> None:
    (etc / "root").mkdir()
    (etc / "root/secret.txt").write_text("key=1\n")
    (etc / "etc/shadow").write_text("root:$6$x:1:::::\n")
    (etc / "root/notes.txt").write_text("key=1\n")
    (etc / "etc/out.conf").symlink_to("/root/secret.txt")
    (etc / "etc/up.conf").symlink_to("../root/secret.txt")
    (etc / "etc/hash.conf").symlink_to("shadow")
    (etc / "etc/dir").symlink_to("/root")
    for path in ("/etc/out.conf", "/etc/up.conf", "/etc/hash.conf", "/etc/dir/notes.txt"):
        got = ask(registry, "file_line", live_tree(etc), path=path, pattern="(.+)")
        assert isinstance(got, Unknown), path
        assert got.cause is Cause.NOT_PERMITTED, path


def test_links_inside_are_followed(registry: ProbeRegistry, etc: Path) -> None:
    (etc / "etc/other.defs").symlink_to("login.defs")
    assert ask(registry, "file_line", live_tree(etc), path="/etc/other.defs", pattern=r"^UMASK (\d+)").value == "027"


@pytest.mark.parametrize("line", ["db_password = geheim", "  psk=abc", '"token": "x"', "bindpw=abc", "- password: x"])
def test_secrets_are_not_shown(registry: ProbeRegistry, etc: Path, line: str) -> None:
    (etc / "etc/app.conf").write_text(line + "\n")
    got = ask(registry, "file_line", live_tree(etc), path="/etc/app.conf", pattern="(.+)")
    assert isinstance(got, Unknown)
    assert got.cause is Cause.NOT_PERMITTED


@pytest.mark.parametrize(
    "line", ["PASS_MAX_DAYS 90", "passwd: files", "PasswordAuthentication no", "password requisite x.so retry=3"]
)
def test_settings_about_passwords_are(registry: ProbeRegistry, etc: Path, line: str) -> None:
    (etc / "etc/app.conf").write_text(line + "\n")
    assert ask(registry, "file_line", live_tree(etc), path="/etc/app.conf", pattern="(.+)").value == line


def test_a_line_too_long_to_search_is_unknown(registry: ProbeRegistry, etc: Path) -> None:
    (etc / "etc/x.conf").write_text("a=1\n" + "b" * 3000 + "\n")
    got = ask(registry, "file_line", live_tree(etc), path="/etc/x.conf", pattern="^a=(.)")
    assert isinstance(got, Unknown)
    assert got.cause is Cause.TOO_LARGE


def test_unreadable_file_is_unknown(registry: ProbeRegistry, etc: Path) -> None:
    host = answered(
        ("files.text", {"path": "/etc/login.defs"}, Unknown(Cause.DENIED, "x")), fallback=live_tree(etc)
    )  # fmt: skip
    assert ask(registry, "file_line", host, path="/etc/login.defs", pattern="(x)") == Unknown(Cause.DENIED, "x")


# registry_value ------------------------------------------------------------------------------------------------

KEY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\System"


def test_registry_values(registry: ProbeRegistry) -> None:
    def host(value: Any, view: str = "64") -> Host:
        return answered(("registry.value", {"key": KEY, "name": "V", "view": view}, value), os="windows")

    assert ask(registry, "registry_value", host(Known("开")), key=KEY, name="V").value == "开"
    assert ask(registry, "registry_value", host(Known(5)), key=KEY, name="V").value == "5"
    assert ask(registry, "registry_value", host(Known(5)), key=KEY, name="V", **{"as": "integer"}).value == 5
    assert ask(registry, "registry_value", host(Known("12")), key=KEY, name="V", **{"as": "integer"}).value == 12
    assert ask(registry, "registry_value", host(Known(("a", "b"))), key=KEY, name="V").value == "a\nb"
    assert ask(registry, "registry_value", host(Known(1), "32"), key=KEY, name="V", view="32").value == "1"
    assert isinstance(ask(registry, "registry_value", host(Absent()), key=KEY, name="V"), Absent)
    assert isinstance(ask(registry, "registry_value", host(Known(b"\0")), key=KEY, name="V"), Unknown)
    assert isinstance(
        ask(registry, "registry_value", host(Known("x")), key=KEY, name="V", **{"as": "integer"}), Unknown
    )
    assert isinstance(ask(registry, "registry_value", host(Unknown(Cause.DENIED)), key=KEY, name="V"), Unknown)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("HKLM\\SAM\\SAM\\Domains", "F"), ("HKLM\\SECURITY\\Policy\\Secrets", "x"), ("HKCU\\Software", "x"),
        ("HKLM\\SYSTEM\\ControlSet001\\Services", "x"), ("HKLM/SOFTWARE/x", "x"), ("HKLM\\SOFTWARE\\*", "x"),
        ("HKLM\\SOFTWARE\\..\\SAM", "x"), ("HKLM\\SOFTWARE\\\\x", "x"), ("HKLM\\SOFTWARE\\x\\", "x"),
        ("HKLM\\SOFTWAREX\\x", "x"), ("HKU\\S-1-5-21-1-2-3-1001\\Software", "x"), ("HKLM\\SOFTWARE\\x", ""),
        ("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon", "DefaultPassword"),
        ("HKLM\\SOFTWARE\\TightVNC\\Server", "Password"),
    ],
)  # fmt: skip
def test_registry_keys_outside_are_refused(registry: ProbeRegistry, key: str, name: str) -> None:
    assert refusal(registry, "registry_value", key=key, name=name)


def test_a_switch_about_passwords_may_be_read_as_a_number(registry: ProbeRegistry) -> None:
    args = {
        "key": "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanWorkstation\\Parameters",
        "name": "EnablePlainTextPassword",
    }
    assert registry.parametric["registry_value"].check_args(args)
    assert not registry.parametric["registry_value"].check_args({**args, "as": "integer"})


# service -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("LoadState=loaded\nActiveState=active\n", "running"), ("LoadState=loaded\nActiveState=inactive\n", "stopped"),
        ("LoadState=masked\nActiveState=inactive\n", "stopped"), ("LoadState=loaded\nActiveState=failed\n", "failed"),
        ("LoadState=loaded\nActiveState=activating\n", "starting"),
        ("LoadState=not-found\nActiveState=active\n", "running"),
    ],
)  # fmt: skip
def test_service_states(registry: ProbeRegistry, etc: Path, said: str, state: str) -> None:
    assert ask(registry, "service", _systemd(etc, Known(Output(0, said, ""))), name="sshd").value == state


def test_service_that_is_not_there(registry: ProbeRegistry, etc: Path) -> None:
    host = _systemd(etc, Known(Output(0, "LoadState=not-found\nActiveState=inactive\n", "")))
    assert isinstance(ask(registry, "service", host, name="sshd"), Absent)


@pytest.mark.parametrize(
    "answer",
    [Known(Output(0, "", "")), Known(Output(1, "LoadState=loaded\nActiveState=active\n", "")), Unknown(Cause.TIMEOUT),
     Known(Output(0, "ActiveState=active\n", "")), Known(Output(0, "LoadState=loaded\nActiveState=锟斤拷\n", ""))],
)  # fmt: skip
def test_service_unknown(registry: ProbeRegistry, etc: Path, answer: Any) -> None:
    assert isinstance(ask(registry, "service", _systemd(etc, answer), name="sshd.service"), Unknown)


def test_service_without_systemd_is_unknown(registry: ProbeRegistry, etc: Path) -> None:
    assert isinstance(ask(registry, "service", live_tree(etc), name="sshd"), Unknown)
    assert isinstance(ask(registry, "service", offline_root(etc), name="sshd"), Unknown)


@pytest.mark.parametrize("name", ["--all", "a b", "a;b", "../x", "", "x" * 101])
def test_service_names_are_limited(registry: ProbeRegistry, name: str) -> None:
    assert refusal(registry, "service", name=name)


def _systemd(root: Path, answer: Any) -> Host:
    (root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    args = ("show", "--no-pager", "--property=LoadState,ActiveState", "sshd.service")
    return answered(("tools.run", {"tool": "SYSTEMCTL", "args": args}, answer), fallback=live_tree(root))


# port ----------------------------------------------------------------------------------------------------------


def _sockets(*sockets: Socket, gaps: tuple[Gap, ...] = ()) -> Host:
    return answered(("sockets.table", {}, Known(sockets, "/proc/net", gaps)))


def test_port(registry: ProbeRegistry) -> None:
    ssh = Socket("tcp", "ipv6", "::", 22, "", 0, "listen", 1, "sshd")
    local = Socket("tcp", "ipv4", "127.0.0.1", 631, "", 0, "listen", 2, "cupsd")
    mapped = Socket("tcp", "ipv6", "::ffff:127.0.0.1", 632, "", 0, "listen", 2, "java")
    peer = Socket("tcp", "ipv4", "10.0.0.1", 443, "10.0.0.2", 5000, "established", 3, "x")
    host = _sockets(ssh, local, mapped, peer)
    assert ask(registry, "port", host, proto="tcp", number="22").value is True
    for number in ("631", "632", "443", "80"):
        assert ask(registry, "port", host, proto="tcp", number=number).value is False, number
    assert ask(registry, "port", host, proto="udp", number="22").value is False


def test_port_with_gaps(registry: ProbeRegistry) -> None:
    owners = _sockets(gaps=(Gap(Cause.DENIED, "", "/proc/*/fd"),))
    assert ask(registry, "port", owners, proto="tcp", number="22").value is False
    assert isinstance(ask(registry, "port", _sockets(gaps=(Gap(Cause.INCOMPLETE),)), proto="tcp", number="22"), Unknown)
    assert isinstance(ask(registry, "port", replay("linux", {}), proto="tcp", number="22"), Unknown)


@pytest.mark.parametrize("number", ["0", "65536", "ssh", "-1", "", "٢٢", "22 "])
def test_port_numbers_are_checked(registry: ProbeRegistry, number: str) -> None:
    assert refusal(registry, "port", proto="tcp", number=number)


# file_meta -----------------------------------------------------------------------------------------------------


def test_file_meta(registry: ProbeRegistry, etc: Path) -> None:
    (etc / "etc/login.defs").chmod(0o640)
    (etc / "etc/passwd").write_text(f"kylin:x:{(etc / 'etc').stat().st_uid}:0::/:/bin/sh\n")
    host = live_tree(etc)

    def meta(attribute: str, path: str = "/etc/login.defs") -> Any:
        return ask(registry, "file_meta", host, path=path, attribute=attribute)

    assert meta("exists").value is True
    assert meta("exists", "/etc/none").value is False
    assert isinstance(meta("size", "/etc/none"), Absent)
    assert meta("size").value == (etc / "etc/login.defs").stat().st_size
    assert meta("mode").value == "0640"
    assert meta("owner").value == "kylin"
    assert abs((meta("mtime").value - datetime.now(UTC)).total_seconds()) < 300


def test_file_meta_unknown_is_never_absent(registry: ProbeRegistry) -> None:
    for reading in (Unknown(Cause.DENIED), Unknown(Cause.TIMEOUT)):
        host = answered(("files.real", {"path": "/etc/x"}, reading))
        for attribute in ("exists", "size", "mode", "owner", "mtime"):
            assert ask(registry, "file_meta", host, path="/etc/x", attribute=attribute) == reading


@pytest.mark.parametrize(
    "path", ["/home/a", "/root/x", "/proc/1/root", "/etc/../root/x", "/etc/*", "x", "C:\\Users\\a", "/media/x"]
)
def test_file_meta_paths_outside_are_refused(registry: ProbeRegistry, path: str) -> None:
    assert refusal(registry, "file_meta", path=path, attribute="exists")


def test_file_meta_link_out_is_refused(registry: ProbeRegistry, etc: Path) -> None:
    (etc / "home").mkdir()
    (etc / "home/x").write_text("")
    (etc / "etc/x").symlink_to("/home/x")
    assert isinstance(ask(registry, "file_meta", live_tree(etc), path="/etc/x", attribute="exists"), Unknown)


# Arguments and rules -------------------------------------------------------------------------------------------


def test_unknown_and_missing_arguments(registry: ProbeRegistry) -> None:
    assert "缺少参数 pattern" in refusal(registry, "file_line", path="/etc/login.defs")
    assert "patern" in refusal(registry, "file_line", path="/etc/login.defs", patern="(x)")
    assert "as 不能是" in refusal(registry, "file_line", path="/etc/login.defs", pattern="(x)", **{"as": "float"})
    assert "attribute" in refusal(registry, "file_meta", path="/etc/x", attribute="inode")


def test_kinds_follow_the_arguments(registry: ProbeRegistry) -> None:
    assert registry.parametric["file_line"].spec({"as": "integer"}).kind is Kind.INTEGER
    assert registry.parametric["file_meta"].spec({"attribute": "mtime"}).kind is Kind.TIME
    assert registry.parametric["file_meta"].spec({}).kind is Kind.TEXT
    for name, parametric in registry.parametric.items():
        assert parametric.help, name
        assert parametric.spec({}).label, name


RULE = """schema: ybscan.rule/v1
id: OWN-01
title: 本单位自定
severity: low
clauses: []
rationale: 试验
method: 试验
checks:
  - os: [linux]
    expect:
      all:
        - {{ fact: file_line, args: {{ path: {path}, pattern: '^PASS_MAX_DAYS\\s+(\\d+)', as: integer }}, at_most: 90, when_absent: fail }}
        - {{ fact: port, args: {{ proto: tcp, number: 23 }}, is: false }}
        - {{ fact: file_meta, args: {{ path: /etc/login.defs, attribute: mode }}, one_of: ["0644", "0600"] }}
remediation: {{ linux: 试验 }}
"""
PACK = 'schema: ybscan.pack/v1\nid: own\ntitle: 本单位\nversion: "1.0"\norder: [OWN-01]\n'


def _own(folder: Path, rule: str) -> Path:
    (folder / "own").mkdir(parents=True)
    (folder / "own/pack.yml").write_text(PACK, encoding="utf-8")
    (folder / "own/own-01-site.yml").write_text(rule, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("days", "listens", "verdict"),
    [("90", "10.0.0.5", "fail"), ("90", "127.0.0.1", "pass"), ("91", "127.0.0.1", "fail"), ("", "127.0.0.1", "fail"),
     ("many", "127.0.0.1", "fail")],
)  # fmt: skip
def test_a_sites_own_rule(registry: ProbeRegistry, tmp_path: Path, days: str, listens: str, verdict: str) -> None:
    (pack,) = load_packs(_own(tmp_path / "rules", RULE.format(path="/etc/login.defs")), registry)
    line = f"PASS_MAX_DAYS {days}" if days else ""
    case = tmp_path / f"x.{verdict}.yml"
    case.write_text(
        f"""description: x
tree:
  /etc/login.defs: {{ text: "{line}\\n", mode: "0644" }}
answers:
  - ask: sockets.table
    known:
      - {{ proto: tcp, family: ipv4, local: "{listens}", local_port: 23, remote: "", remote_port: 0, state: listen, pid: 1, program: x }}
""",
        encoding="utf-8",
    )
    (tmp_path / "scratch").mkdir()
    outcome = run_rule_case(case, pack.rules[0], registry, Dictionary(), tmp_path / "scratch")
    assert outcome.ok, outcome.finding


def test_facts_given_by_name_in_a_case(registry: ProbeRegistry, tmp_path: Path) -> None:
    (pack,) = load_packs(_own(tmp_path / "rules", RULE.format(path="/etc/login.defs")), registry)
    case = tmp_path / "x.pass.yml"
    case.write_text(
        r"""description: x
facts:
  'file_line(as=integer, path=/etc/login.defs, pattern=^PASS_MAX_DAYS\s+(\d+))': 30
  'port(number=23, proto=tcp)': false
  'file_meta(attribute=mode, path=/etc/login.defs)': "0600"
""",
        encoding="utf-8",
    )
    assert run_rule_case(case, pack.rules[0], registry, Dictionary(), tmp_path).ok


def test_the_loader_refuses_bad_arguments(registry: ProbeRegistry, tmp_path: Path) -> None:
    with pytest.raises(InputProblems) as caught:
        load_packs(_own(tmp_path / "rules", RULE.format(path="/etc/shadow")), registry)
    assert any("/etc/shadow" in p.message and p.line == 12 for p in caught.value.problems)


def test_a_fault_never_turns_into_a_pass(registry: ProbeRegistry, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/login.defs").write_text("PASS_MAX_DAYS 90\n")
    host = replace(live_tree(tmp_path), sockets=answered(("sockets.table", {}, Unknown(Cause.DENIED))).sockets)
    assert isinstance(ask(registry, "port", host, proto="tcp", number="23"), Unknown)
