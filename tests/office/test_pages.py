"""Word files as LibreOffice lays them out: pages, page numbers, fonts. One conversion for all of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.documents import word
from tests.unit.test_word import templated
from tests.unit.test_word_reference import letterhead

from ybscan.report.options import KINDS

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
MISSING = [t for t in ("pdftotext", "pdffonts", "pdfinfo", "fc-list") if shutil.which(t) is None]
pytestmark = [
    pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice Writer here"),
    pytest.mark.skipif(bool(MISSING), reason=f"no {'、'.join(MISSING)} here"),
]
#: Fewest and most pages of the hospital's documents.
PAGES = {"record": (6, 12), "self-inspection": (15, 30), "leader": (1, 1), "ledger": (1, 4)}
ONE_PAGE = ("pharmacy", "everything-wrong", "nothing-readable", "hostile")


def told(*command: str | Path) -> str:
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def pdfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of PDF files, ``<case>.<kind>.pdf``."""
    if not told("fc-list", ":lang=zh-cn", "family").strip():
        pytest.skip("no Chinese font here")
    folder = tmp_path_factory.mktemp("pages")
    for kind in KINDS:
        (folder / f"hospital.{kind}.docx").write_bytes(word("hospital", kind))
    for name in ONE_PAGE:
        (folder / f"{name}.leader.docx").write_bytes(word(name, "leader"))
    (folder / "hostile.record.docx").write_bytes(word("hostile", "record"))
    (folder / "lines.docx").write_bytes(templated("保" * 700))
    (folder / "letterhead.docx").write_bytes(word("hospital", "record", ("a.docx", letterhead())))
    assert SOFFICE is not None
    subprocess.run(
        [SOFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "pdf", "--outdir",
         str(folder), *sorted(map(str, folder.glob("*.docx")))],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    assert len(list(folder.glob("*.pdf"))) == len(list(folder.glob("*.docx")))
    return folder


def page_count(pdf: Path) -> int:
    found = re.search(r"^Pages: +(\d+)$", told("pdfinfo", pdf), re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_as_many_as_expected(pdfs: Path, kind: str) -> None:
    least, most = PAGES[kind]
    assert least <= page_count(pdfs / f"hospital.{kind}.pdf") <= most


@pytest.mark.parametrize("name", ONE_PAGE)
def test_the_page_for_the_leader_is_one_page(pdfs: Path, name: str) -> None:
    assert page_count(pdfs / f"{name}.leader.pdf") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_has_its_number_and_something_to_say(pdfs: Path, kind: str) -> None:
    pdf = pdfs / f"hospital.{kind}.pdf"
    pages = told("pdftotext", "-layout", pdf, "-").split("\f")[:-1]
    assert len(pages) == page_count(pdf)
    for number, page in enumerate(pages, 1):
        text, dash, rest = re.sub(r"\s", "", page).rpartition(f"—{number}—")
        assert dash, page
        assert not rest
        assert len(text) > 20, "an empty page"
    assert "示例市人民医院" in pages[0]


def test_numbers_stand_outside_on_both_sides_of_a_sheet(pdfs: Path) -> None:
    words = told("pdftotext", "-bbox", pdfs / "hospital.record.pdf", "-").split("<page ")[1:]
    for number, page in enumerate(words, 1):
        found = re.findall(rf'xMin="([\d.]+)"[^>]*>{number}</word>', page)[-1]
        assert (float(found) > 595 / 2) == (number % 2 == 1), number


def test_a_page_holds_22_lines_of_28_characters(pdfs: Path) -> None:
    pages = told("pdftotext", "-layout", pdfs / "lines.pdf", "-").split("\f")
    lines = [line.strip() for line in pages[0].split("\n") if "保" in line]
    assert [len(line) for line in lines] == [26] + [28] * 21
    assert "保" in pages[1]


@pytest.mark.parametrize("kind", KINDS)
def test_fonts_are_embedded(pdfs: Path, kind: str) -> None:
    lines = told("pdffonts", pdfs / f"hospital.{kind}.pdf").splitlines()[2:]
    assert lines
    assert all(re.search(r" yes (yes|no) +(yes|no) +\d+ +\d+$", line) for line in lines), lines


def test_hostile_data_and_a_units_own_file_open(pdfs: Path) -> None:
    assert "〔U+202E〕" in told("pdftotext", pdfs / "hostile.record.pdf", "-")
    text = told("pdftotext", pdfs / "letterhead.pdf", "-")
    assert text.count("示例市人民医院信息科") == page_count(pdfs / "letterhead.pdf")
    assert "原来的" not in text
