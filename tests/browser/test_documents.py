"""Documents in a real Chromium: what is shown, what is printed, and that no data ever runs.

Local files only; the browser gets a profile of its own and its background traffic is switched off.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.documents import cases, document

from ybscan.report.options import Kind

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium"),
]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=2000",
)  # fmt: skip
PAGES = [(name, kind) for name in cases() for kind in ("record", "self-inspection")]

Browse = Callable[..., str]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Open a local page with more flags; returns what Chromium prints."""

    def run(page: Path, *flags: str) -> str:
        assert CHROMIUM is not None
        profile = tmp_path / f"profile-{len(list(tmp_path.glob('profile-*')))}"
        done = subprocess.run(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
            capture_output=True,
            timeout=120,
            check=True,
        )
        return done.stdout.decode("utf-8")

    return run


def written(folder: Path, name: str, kind: Kind) -> Path:
    path = folder / f"{name}.html"
    path.write_text(document(name, kind, "html"), encoding="utf-8")
    return path


class Dom(HTMLParser):
    """Element names, title and the text of the body."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.title = ""
        self.text = ""
        self._path: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [a for a, _ in attrs if a.startswith("on")]
        if tag not in ("meta", "br", "img", "input", "hr", "link"):
            self._path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._path and self._path.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._path[-2:] == ["head", "title"]:
            self.title += data
        elif "style" not in self._path:
            self.text += data


def dom(text: str) -> Dom:
    parsed = Dom()
    parsed.feed(text)
    return parsed


@pytest.mark.parametrize(("name", "kind"), PAGES)
def test_the_browser_shows_every_verdict_of_the_result(name: str, kind: Kind, browse: Browse, tmp_path: Path) -> None:
    found = cases()[name][0]
    shown = found[1:2] if kind == "record" and len(found) > 1 else found[-3:]
    parsed = browse(written(tmp_path, name, kind), "--dump-dom")
    tables = re.findall(r'<table class="fixed items">.*?</table>', parsed, re.DOTALL)
    rows = re.findall(r"<tr[^>]*><th scope=\"row\">([\w-]+)</th>(.*?)</tr>", "".join(tables), re.DOTALL)
    want: dict[str, dict[str, int]] = {}
    for r in shown:
        for f in r.findings:
            want.setdefault(f.rule_id, {})
            want[f.rule_id][f.status.text] = want[f.rule_id].get(f.status.text, 0) + 1
    got = {
        rule: {w: int(n or 1) for w, n in re.findall(r"<b[^>]*>\S (\S+?)</b> ?(\d*)", cells)} for rule, cells in rows
    }
    assert got == want


@pytest.mark.parametrize("kind", ["record", "self-inspection"])
def test_no_data_runs(kind: Kind, browse: Browse, tmp_path: Path) -> None:
    page = written(tmp_path, "hostile", kind)
    source = dom(page.read_text(encoding="utf-8"))
    after = dom(browse(page, "--dump-dom"))
    assert after.title == source.title
    assert "pwned" not in after.title
    assert not {"script", "img", "iframe", "object"} & set(after.names)
    assert not after.handlers
    assert "document.title='pwned'" in after.text, "it is there to be read"


def test_the_guard_above_would_see_a_script_run(browse: Browse, tmp_path: Path) -> None:
    """The same page with its policy and escaping taken off does run what the data says."""
    page = written(tmp_path, "hostile", "record")
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    page.write_text(text.replace("&lt;script&gt;", "<script>").replace("&lt;/script&gt;", "</script>")
                    .replace("&#39;", "'").replace("alert(1)", "1"), encoding="utf-8")  # fmt: skip
    assert dom(browse(page, "--dump-dom")).title == "pwned"


def pixels(path: Path) -> tuple[int, int, list[bytes]]:
    """A PNG's width, height and rows of RGB(A) samples; 8 bits, not interlaced, as Chromium and pdftoppm write them."""
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", raw[16:29])
    assert (depth, interlace) == (8, 0)
    size = {0: 1, 2: 3, 6: 4}[colour]
    packed, at = b"", 8
    while at < len(raw):
        length, kind = struct.unpack(">I4s", raw[at : at + 8])
        packed += raw[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    data = zlib.decompress(packed)
    rows, before, stride = [], bytes(width * size), width * size
    for y in range(height):
        filter_, line = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for i in range(stride):
            left = line[i - size] if i >= size else 0
            up, corner = before[i], before[i - size] if i >= size else 0
            if filter_ == 1:
                line[i] = (line[i] + left) & 255
            elif filter_ == 2:
                line[i] = (line[i] + up) & 255
            elif filter_ == 3:
                line[i] = (line[i] + (left + up) // 2) & 255
            elif filter_ == 4:
                guess = left + up - corner
                near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
                line[i] = (line[i] + near[2]) & 255
        before = bytes(line)
        rows.append(before)
    return width, height, rows


@pytest.mark.parametrize("kind", ["record", "self-inspection"])
def test_the_first_screen_shows_something(kind: Kind, browse: Browse, tmp_path: Path) -> None:
    """At 1366x768 there is text, table and picture to be seen."""
    page, shot = written(tmp_path, "hospital", kind), tmp_path / "shot.png"
    browse(page, f"--screenshot={shot}", "--window-size=1366,768")
    width, height, rows = pixels(shot)
    assert (width, height) == (1366, 768)
    size = len(rows[0]) // width
    colours = {rows[y][x * size : x * size + 3] for y in range(0, height, 4) for x in range(0, width, 4)}
    assert len(colours) > 20


@pytest.mark.parametrize("kind", ["record", "self-inspection"])
def test_a_page_is_no_wider_than_its_screen(kind: Kind, browse: Browse, tmp_path: Path) -> None:
    """10 000-character names included: a probe script, added for this test, reports the width of the document."""
    page = written(tmp_path, "hostile", kind)
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    probe = "<script>document.title='w'+document.documentElement.scrollWidth</script></body>"
    page.write_text(text.replace("</body>", probe), encoding="utf-8")
    assert dom(browse(page, "--dump-dom", "--window-size=1366,768")).title == "w1366"


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="needs poppler-utils")
@pytest.mark.parametrize(
    ("name", "kind", "fewest", "most"),
    [("pharmacy", "record", 4, 7), ("everything-wrong", "record", 7, 13), ("hostile", "record", 10, 40),
     ("pharmacy", "self-inspection", 9, 21), ("hospital", "self-inspection", 12, 24)],
)  # fmt: skip
def test_it_prints_on_a4(name: str, kind: Kind, fewest: int, most: int, browse: Browse, tmp_path: Path) -> None:
    page, pdf = written(tmp_path, name, kind), tmp_path / "out.pdf"
    browse(page, f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    info = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    width, height = (float(n) for n in re.findall(r"Page size:\s+([\d.]+) x ([\d.]+)", info)[0])
    assert (round(width), round(height)) == (595, 842)
    assert fewest <= int(re.findall(r"Pages:\s+(\d+)", info)[0]) <= most
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    assert "跳到正文" not in text, "what is for the screen only is not printed"
    for page_number, content in enumerate(text.split("\f")[:-1], 1):
        assert content.strip(), f"page {page_number} is empty"
        assert "".join(content.split()).endswith(f"—{page_number}—"), "its number stands at the foot"


def test_a_fallback_prints_without_page_numbers(browse: Browse, tmp_path: Path) -> None:
    """A browser that knows no margin boxes drops them and nothing else: the rules around them stay valid."""
    page, pdf = written(tmp_path, "pharmacy", "record"), tmp_path / "out.pdf"
    text = page.read_text(encoding="utf-8").replace("@bottom-center", "@unheard-of")
    page.write_text(text, encoding="utf-8")
    browse(page, f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    info = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Page size:\s+59[45]\.\d+ x 841", info)
