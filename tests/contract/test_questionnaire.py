"""Every clause that only a person can answer is asked exactly once."""

from __future__ import annotations

from tests.conftest import PROJECT

from ybscan.rules.attestation import load_questions
from ybscan.rules.catalogue import load_catalogue

CLAUSES = load_catalogue(PROJECT / "rules")
QUESTIONS = load_questions(PROJECT / "rules")


def test_every_attested_clause_is_answered_by_exactly_one_question() -> None:
    asked = [c for q in QUESTIONS for c in q.clauses]
    assert len(asked) == len(set(asked))
    wanted = {c.id for c in CLAUSES.values() if c.kind == "attested"}
    assert wanted - set(asked) == set()


def test_questions_answer_only_what_a_person_answers() -> None:
    kinds = {c: CLAUSES[c].kind for q in QUESTIONS for c in q.clauses}
    assert set(kinds.values()) <= {"attested", "process", "report"}


def test_few_enough_to_be_answered() -> None:
    assert 40 <= len(QUESTIONS) <= 60
    assert 4 <= len([q for q in QUESTIONS if q.frequency == "weekly"]) <= 10


def test_a_yes_means_compliance() -> None:
    for q in QUESTIONS:
        if q.kind == "yes_no":
            assert "是否" in q.text or "都" in q.text or "本周" in q.text, q.id
