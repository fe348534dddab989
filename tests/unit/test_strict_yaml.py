"""The strict YAML reader: what it accepts, what it refuses, and that it names the line."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ybscan.model.problem import InputProblems
from ybscan.rules.strict_yaml import MAX_BYTES, Map, line_at, parse_yaml, read_yaml


def problems(text: bytes | str) -> list[tuple[int, str]]:
    with pytest.raises(InputProblems) as caught:
        parse_yaml(text, name="x.yml")
    return [(p.line, p.message) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: -1.5e3", {"a": -1500.0}),
        ("a: true\nb: False", {"a": True, "b": False}),
        ("a:\nb: ~", {"a": None, "b": None}),
        ("a: 2026-01-01", {"a": "2026-01-01"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("a: 0o17\nb: 010\nc: 0x1f", {"a": "0o17", "b": "010", "c": "0x1f"}),
        ('a: "no"', {"a": "no"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: |\n  甲\n  乙\n", {"a": "甲\n乙\n"}),
        ("[1, [2, {a: b}]]", [1, [2, {"a": "b"}]]),
        ("", None),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_values(text: str, value: object) -> None:
    assert parse_yaml(text.encode("utf-8"), name="x.yml") == value


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF", "y", "N"])
def test_yaml_1_1_booleans_are_refused(word: str) -> None:
    [(line, message)] = problems(f"a: 1\nb: {word}")
    assert line == 2
    assert word in message


def test_duplicate_key_names_both_lines() -> None:
    [(line, message)] = problems("a: 1\nb: 2\na: 3\n")
    assert line == 3
    assert "第 1 行" in message


def test_all_problems_are_collected() -> None:
    assert [line for line, _ in problems("a: yes\nb: &x 1\nc: *x\nd: !!python/object:os.system x\n")] == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["<<: {a: 1}", "a: {<<: {b: 1}}"])
def test_merge_keys_are_refused(text: str) -> None:
    assert "<<" in problems(text)[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "{a: " * 5000,
        "- " * 5000 + "x",
        "a: b: c",
        "a: 'x",
        "a:\n\t- b",
        "--- 1\n--- 2",
        "a: \x07",
        "{a: 1",
        "? [a]\n: 1",
        "%FOO\n---\na",
    ],
)
def test_malformed_is_refused_without_a_traceback(text: str) -> None:
    assert problems(text)


def test_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    assert len(problems(bomb)) > 20


def test_size_limit() -> None:
    assert "MiB" in problems(b"a: " + b"x" * MAX_BYTES)[0][1]


def test_not_utf8_names_the_line() -> None:
    assert problems("a: 1\nb: 中文".encode("gbk"))[0][0] == 2


def test_lines() -> None:
    document = parse_yaml("a: 1\nb:\n  - x\n  - y: 1\n    z: 2\n", name="x.yml")
    assert isinstance(document, Map)
    assert line_at(document, ("b", 1, "z")) == 5
    assert line_at(document, ("b", 1, "missing")) == 4
    assert line_at(document, ("nothing",)) == 1


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yml", tmp_path):
        with pytest.raises(InputProblems):
            read_yaml(path)


def _unambiguous(text: str) -> bool:
    """PyYAML leaves single y and n, and numbers such as 1e3, without quotes; YAML 1.2 and we read them otherwise."""
    return text.lower() not in {"y", "n"} and not text[:1].isdigit()


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20).filter(_unambiguous)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_what_pyyaml_writes_is_read_back(value: object) -> None:
    """Every plain document that a YAML writer makes (without aliases) means the same to us."""

    class NoAliases(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    text = yaml.dump(value, Dumper=NoAliases, allow_unicode=True)
    assert parse_yaml(text, name="x.yml") == value


@given(st.binary(max_size=400))
def test_any_bytes_give_a_value_or_problems(data: bytes) -> None:
    """Whatever a damaged file holds, nothing but our own exception comes out of it."""
    with contextlib.suppress(InputProblems):
        value = parse_yaml(data, name="x.yml")
        assert value is None or isinstance(value, (dict, list, str, int, float))
