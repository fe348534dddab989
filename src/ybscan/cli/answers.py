"""Where the questionnaire and the unit's answers lie, for every command that uses them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ybscan.cli import console

if TYPE_CHECKING:
    from ybscan.model.attestation import Answer, Question

AnswersOption = Annotated[
    Path | None,
    typer.Option(
        "--answers",
        help="人工确认的答复文件（ybscan attest 生成）；不写时用单位配置的 answers。",
        metavar="文件",
        show_default=False,
    ),
]


def questions(rules: Path | None) -> tuple[Question, ...]:
    """The questionnaire; a unit's own rules folder need not repeat it.

    Raises:
        InputProblems: it cannot be used.
    """
    from ybscan.rules.attestation import load_questions
    from ybscan.rules.locate import data_folder

    folder = data_folder("rules", rules)
    return load_questions(folder if (folder / "attestation").is_dir() else data_folder("rules"))


def answers_path(given: Path | None, site: Path | None) -> Path | None:
    """The answers file: what the user named, else what the site file names, relative to its folder.

    Raises:
        InputProblems: the site file cannot be used.
    """
    if given is not None or site is None:
        return given
    from ybscan.model.site import Site
    from ybscan.rules.load import read_document

    document, _ = read_document(Site, site)
    return site.parent / document.answers if document.answers is not None else None


def given_answers(
    given: Path | None, site: Path | None, asked: tuple[Question, ...], *, quiet: bool = False
) -> tuple[Answer, ...]:
    """The unit's answers; none where the site file names a file that nobody has written yet.

    Raises:
        InputProblems: the file cannot be used, or the one named on the command line does not exist.
    """
    from ybscan.rules.attestation import load_answers

    path = answers_path(given, site)
    if path is None:
        return ()
    if given is None and not path.exists():
        if not quiet:
            console.say(f"还没有人工确认的答复文件 {path}，有关事项按【未确认】处理；用 ybscan attest 答复。")
        return ()
    return load_answers(path, asked)
