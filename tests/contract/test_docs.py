"""What the documents show works: links, command lines, settings, conditions and the worked example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from ybscan.cli.app import build
from ybscan.engine.cases import run_rule_case
from ybscan.hosts.groups.tools import Tool
from ybscan.model.dictionary import Dictionary
from ybscan.model.expression import WORDS
from ybscan.model.problem import Problem
from ybscan.model.reading import Cause
from ybscan.model.rule import CheckDocument, Param, RuleDocument, WaiverFile
from ybscan.model.site import Site
from ybscan.probes.registry import ProbeRegistry
from ybscan.report.grading import GRADING
from ybscan.rules.calendar import load_calendar
from ybscan.rules.catalogue import clause_ids
from ybscan.rules.expressions import STRUCTURE, ExpressionParser
from ybscan.rules.lint import VALIDATORS, Surroundings, lint
from ybscan.rules.load import DATA_FOLDERS, LoadedPack, load_packs, validated
from ybscan.rules.strict_yaml import parse_yaml

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "templates").glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
AUTHORING = PROJECT / "docs" / "rule-authoring.zh-CN.md"
MANUAL = PROJECT / "docs" / "user-manual.zh-CN.md"
_FENCE = re.compile(r"^ *```(?P<info>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def fences(path: Path, info: str) -> list[str]:
    return [m["text"] for m in _FENCE.finditer(path.read_text(encoding="utf-8")) if m["info"].strip() == info]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), target
        if anchor and path.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in slugs, target


def command_lines() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for m in _FENCE.finditer(page.read_text(encoding="utf-8")):
            if m["info"].split(" ")[0] in ("sh", "bat", "console", "powershell"):
                found += [(name(page), line.strip()) for line in m["text"].splitlines()]
        found += [(name(page), c) for c in re.findall(r"`(ybscan [a-z][^`]*)`", page.read_text(encoding="utf-8"))]
    return [
        (page, line) for page, line in found if re.search(r"(^|[\\/ ])ybscan(\.exe)? [a-z]|bootstrap\.py scan", line)
    ]


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_command_lines_exist(page: str, line: str) -> None:
    words = re.sub(r".*?(bootstrap\.py|ybscan(\.exe)?) ", "", line, count=1).split("#")[0].split()
    command: Any = get_command(build())
    path = []
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{page}: {line}"
        path.append(words[0])
        command = command.commands[words.pop(0)]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
    for word in words:
        if re.match(r"--?[a-zA-Z]", word):
            assert word.partition("=")[0] in known, f"{page}: {line}"


def problems_with(text: str, registry: ProbeRegistry) -> list[str]:
    found: list[str] = []
    names = dict.fromkeys(re.findall(r"\$(?!site\.)(\w+)", text))
    param = Param(label="例", default=1, site_may="never")
    parser = ExpressionParser(registry, dict.fromkeys(names, param), lambda line, message, hint: found.append(message))
    parser.parse(parse_yaml(text, name="condition"), 1)
    return found


@pytest.mark.parametrize("condition", fences(AUTHORING, "yaml condition"))
def test_conditions_parse(condition: str, registry: ProbeRegistry) -> None:
    assert problems_with(condition, registry) == []


def test_a_wrong_condition_is_noticed(registry: ProbeRegistry) -> None:
    assert problems_with("{ fact: no.such, is: true }", registry)


def table_examples() -> list[str]:
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(\{ f.*\})` \|$", AUTHORING.read_text(encoding="utf-8"), re.MULTILINE)
    assert [word for word, _ in rows] == list(WORDS)
    return [example for _, example in rows]


@pytest.mark.parametrize("example", table_examples())
def test_examples_of_leaf_words_parse(example: str, registry: ProbeRegistry) -> None:
    if "field:" not in example:
        assert problems_with(example, registry) == []
        return
    field = parse_yaml(example, name="example")["field"]
    lists = [n for n in registry.names() if field in getattr(registry.spec(n), "field_by_name", {})]
    tried = {n: problems_with(f"{{ no_item_in: {n}, where: {example} }}", registry) for n in lists}
    assert [] in tried.values(), tried


def test_every_word_and_cause_is_explained() -> None:
    text = AUTHORING.read_text(encoding="utf-8")
    for word in (*STRUCTURE, *WORDS, *RuleDocument.model_json_schema()["properties"], *CheckDocument.model_fields):
        assert re.search(rf"\b{word}\b", text), word
    for cause in Cause:
        assert f"`{cause.value}`" in text, cause
    for validator in VALIDATORS:
        assert f"`{validator}`" in text, validator


@pytest.mark.parametrize("text", fences(AUTHORING, "yaml checks"))
def test_checks(text: str, registry: ProbeRegistry) -> None:
    for check in parse_yaml(text, name="checks"):
        CheckDocument.model_validate(check)
        for key in {"when", "expect"} & set(check):
            found: list[str] = []
            ExpressionParser(registry, {}, lambda line, message, hint, to=found: to.append(message)).parse(
                check[key], 1
            )
            assert found == []


@pytest.mark.parametrize("text", fences(AUTHORING, "yaml params"))
def test_params(text: str) -> None:
    params = parse_yaml(text, name="params")
    assert params
    for param in params.values():
        assert Param.model_validate(param).model_fields_set == set(param)


def lay_out(page: Path, root: Path) -> list[str]:
    files = {
        m["info"].partition("file=")[2]: m["text"]
        for m in _FENCE.finditer(page.read_text(encoding="utf-8"))
        if "file=" in m["info"]
    }
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, encoding="utf-8")
    return sorted(files)


def test_the_worked_rule(registry: ProbeRegistry, tmp_path: Path) -> None:
    files = lay_out(AUTHORING, tmp_path)
    rules = {r.id: r for p in load_packs(tmp_path / "rules", registry) for r in p.rules}
    around = Surroundings(clause_ids(PROJECT / "rules"), tmp_path / "tests" / "rules", registry)
    assert [str(r) for r in lint(tuple(rules.values()), around)] == []
    cases = [f for f in files if f.startswith("tests/rules/")]
    assert len(cases) >= 4
    for number, case in enumerate(cases):
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir()
        outcome = run_rule_case(tmp_path / case, rules[Path(case).parent.name], registry, Dictionary(), scratch)
        assert outcome.ok, f"{case}: {outcome.finding}"


@pytest.mark.parametrize("text", fences(MANUAL, "yaml site"))
def test_settings_of_the_manual(text: str) -> None:
    problems: list[Problem] = []
    assert validated(Site, parse_yaml(text, name="site.yml"), "site.yml", problems) is not None, problems


@pytest.mark.parametrize("text", fences(MANUAL, "yaml waivers"))
def test_waivers_of_the_manual(text: str) -> None:
    problems: list[Problem] = []
    assert validated(WaiverFile, parse_yaml(text, name="waivers.yml"), "waivers.yml", problems) is not None, problems


def test_the_manual_explains_every_setting() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    assert fences(MANUAL, "yaml site")
    for section, field in Site.model_fields.items():
        key = field.alias or section
        assert re.search(rf"`{key}`|^{key}:", text, re.MULTILINE), key
        inner = field.annotation
        for sub in getattr(inner, "model_fields", {}):
            assert re.search(rf"`{key}\.{sub}`|\b{sub}:", text), f"{key}.{sub}"


def test_the_manual_prints_the_grading_rule_of_the_record() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    places = [text.index(f"| {rule.grade} | {rule.text} |") for rule in GRADING]
    assert places == sorted(places)


def keys() -> set[str]:
    found = set()
    for section, field in Site.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        found |= {f"{section}.{sub}" for sub in inner} if inner is not None else {section}
    return found


def used(key: str) -> bool:
    """Whether code or a rule asks for a setting; the models themselves and what ``init`` writes do not count."""
    folders = [PROJECT / "src" / "ybscan" / p for p in ("probes", "engine", "report", "rules")]
    files = [p for f in folders for p in f.rglob("*.py")]
    files += [p for p in (PROJECT / "rules").glob("*/*.yml") if p.parent.name not in DATA_FOLDERS]
    section, _, inner = key.partition(".")
    wanted = re.compile(rf"\b{section}\.{inner}\b" if inner else rf"\bsite\.{section}\b")
    return any(wanted.search(p.read_text(encoding="utf-8")) for p in files)


def test_no_setting_is_accepted_for_nothing() -> None:
    # What commands read rather than rules: who reports, where things are kept.
    asked = {"unit", "people", "terminal", "terminals", "schema_", "params", "waivers", "delegations", "answers", "rules",
             "state", "calendar"}  # fmt: skip
    assert {k for k in keys() if k.partition(".")[0] not in asked and not used(k)} == set()


@pytest.mark.parametrize("example", fences(MANUAL, "yaml calendar"))
def test_calendars_load(example: str, tmp_path: Path) -> None:
    (tmp_path / "calendar.yml").write_text(example, encoding="utf-8")
    assert load_calendar(tmp_path / "calendar.yml")


def test_rules_that_documents_name_exist(packs: tuple[LoadedPack, ...]) -> None:
    ids = {r.id for p in packs for r in p.rules} | {"OWN-01", "DEMO-01", "DEMO-02"}
    for page in (MANUAL, AUTHORING, PROJECT / "README.md", PROJECT / "README.zh-CN.md"):
        text = re.sub(r"YB-\d+|yb-\d+|sf-\d+", "", page.read_text(encoding="utf-8"))
        assert set(re.findall(r"\b[A-Z]{2,8}-\d{2}\b", text)) <= ids, page


def test_the_decision_on_tools_names_those_in_use() -> None:
    text = (PROJECT / "docs" / "adr" / "0008-external-tools.md").read_text(encoding="utf-8")
    sources = (PROJECT / "src" / "ybscan").rglob("*.py")
    in_use = {m for p in sources for m in re.findall(r'tool="([A-Z_]+)"', p.read_text(encoding="utf-8"))}
    assert in_use
    for name in in_use:
        assert f"`{Tool[name].command}" in text, name
