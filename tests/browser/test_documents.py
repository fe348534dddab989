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
NPM = Path(__file__).resolve().parents[2] / ".browser" / "node_modules"
KINDS: tuple[Kind, ...] = ("record", "self-inspection", "leader", "ledger")
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
        elif not {"style", "script"} & set(self._path):
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
    assert not {"img", "iframe", "object"} & set(after.names)
    assert after.names.count("script") == 1, "ours"
    assert not after.handlers
    assert "document.title='pwned'" in after.text, "it is there to be read"


def test_the_guard_above_would_see_a_script_run(browse: Browse, tmp_path: Path) -> None:
    """The same page with its policy and escaping taken off does run what the data says."""
    page = written(tmp_path, "hostile", "record")
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    text = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
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
    [("pharmacy", "record", 4, 7), ("everything-wrong", "record", 5, 10), ("hostile", "record", 10, 40),
     ("pharmacy", "self-inspection", 9, 21), ("hospital", "self-inspection", 12, 26)],
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


def printed(page: Path, browse: Browse, *flags: str) -> tuple[list[tuple[int, int]], list[str]]:
    """The size in points and the text of every printed page."""
    pdf = page.with_suffix(".pdf")
    browse(page, f"--print-to-pdf={pdf}", "--no-pdf-header-footer", *flags)
    info = subprocess.run(["pdfinfo", "-l", "999", pdf], capture_output=True, text=True, check=True).stdout
    sizes = [(round(float(w)), round(float(h))) for w, h in re.findall(r"size:\s+([\d.]+) x ([\d.]+)", info)]
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    return sizes, text.split("\f")[:-1]


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="needs poppler-utils")
@pytest.mark.parametrize("name", list(cases()))
def test_the_page_for_the_leader_is_one_page(name: str, browse: Browse, tmp_path: Path) -> None:
    sizes, pages = printed(written(tmp_path, name, "leader"), browse)
    assert sizes == [(595, 842)]
    assert "询问记录" in pages[0]


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="needs poppler-utils")
def test_the_ledger_lies_on_its_side_and_repeats_its_heads(browse: Browse, tmp_path: Path) -> None:
    sizes, pages = printed(written(tmp_path, "everything-wrong", "ledger"), browse)
    assert set(sizes) == {(842, 595)}
    assert len(pages) > 1
    assert all("整改措施" in page for page in pages if "YB-0007" in page)
    for number, content in enumerate(pages, 1):
        assert "".join(content.split()).endswith(f"—{number}—")
    (signed,) = [page for page in pages if "检查人" in page]
    assert "复核人" in signed and "分管领导" in signed, "signed on one page"  # noqa: PT018


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="needs poppler-utils")
def test_annexes_begin_on_pages_of_their_own_and_signatures_stay_together(browse: Browse, tmp_path: Path) -> None:
    _, pages = printed(written(tmp_path, "hospital", "self-inspection"), browse)
    for annex in ("附件1", "附件2", "附件3", "附件5"):
        starts = [p for p in pages if re.search(rf"^\s*{annex}\s+\S", p, re.MULTILINE)]
        assert any(p.lstrip().startswith(annex) for p in starts), annex
    (signed,) = [p for p in pages if "落款" in p]
    assert all(word in signed for word in ("盖章", "检查人", "复核人", "分管领导"))


# --- filter -----------------------------------------------------------------------------------------------------------

# What a person does, as events: the boxes by click and by the keyboard's own event, the words by input.
_DRIVE = """
function rows() { return document.querySelectorAll(".items tbody tr"); }
function seen() { var n = 0, r = rows(); for (var i = 0; i < r.length; i += 1) { n += r[i].offsetParent ? 1 : 0; } return n; }
function told() { return document.querySelector(".filter [role=status]").textContent; }
function box(value) { return document.querySelector(".filter input[value='" + value + "']"); }
var search = document.querySelector(".filter input[type=search]"), buttons = document.querySelectorAll(".filter button");
function type(words) { search.value = words; search.dispatchEvent(new Event("input")); }
"""


def driven(page: Path, browse: Browse, steps: str, *flags: str) -> str:
    """What ``steps`` (JavaScript) put into the title; the policy is taken off for it, as only a test may."""
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    probe = f"<script>{_DRIVE}\n{steps}</script></body>"
    other = page.with_name("driven.html")
    other.write_text(text.replace("</body>", probe), encoding="utf-8")
    return dom(browse(other, "--dump-dom", *flags)).title


@pytest.mark.parametrize("kind", ["record", "self-inspection"])
def test_rows_can_be_filtered_and_searched(kind: Kind, browse: Browse, tmp_path: Path) -> None:
    title = driven(
        written(tmp_path, "hospital", kind), browse,
        """
        var said = [seen() + "/" + rows().length];
        box("pass").click(); said.push(seen());
        buttons[1].click(); said.push(seen());
        type("usb"); said.push(seen() + " " + told());
        buttons[0].click(); said.push(seen());
        buttons[1].click(); said.push(seen());
        box("严重").click(); box("高").click(); said.push(seen());
        box("严重").click(); said.push(seen() + " " + box("高").checked);
        document.title = said.join("|");
        """,
    )  # fmt: skip
    open_ = {"record": 2, "self-inspection": 5}[kind]
    # Of a report a row has the results of several terminals; only those with 符合 alone go when 符合 is off.
    only_other = {"record": 2, "self-inspection": 7}[kind]
    assert title == f"10/10|{only_other}|10|2 显示 2 行，共 10 行|{open_}|10|1|5 false"


def test_the_filter_can_be_used_by_keyboard(browse: Browse, tmp_path: Path) -> None:
    """Every control is native, takes the focus in order, is named, and shows where the focus is."""
    title = driven(
        written(tmp_path, "hospital", "record"), browse,
        """
        var all = document.querySelectorAll(".filter input, .filter button"), good = 0;
        for (var i = 0; i < all.length; i += 1) {
          all[i].focus();
          var style = window.getComputedStyle(all[i]);
          var named = all[i].tagName === "BUTTON" ? all[i].textContent : all[i].parentNode.textContent;
          if (document.activeElement === all[i] && all[i].tabIndex === 0 && style.outlineStyle === "solid"
              && parseInt(style.outlineWidth, 10) >= 2 && named.trim()) { good += 1; }
        }
        var live = document.querySelector(".filter [role=status]").getAttribute("aria-live");
        var controlled = document.getElementById(search.getAttribute("aria-controls"));
        document.title = (good === all.length && good > 6) + " " + live + " " + (controlled.contains(rows()[0]));
        """,
    )  # fmt: skip
    assert title == "true polite true"


def test_a_link_to_a_hidden_row_shows_it(browse: Browse, tmp_path: Path) -> None:
    title = driven(
        written(tmp_path, "hospital", "record"), browse,
        """
        type("nothing like this"); var none = seen();
        window.addEventListener("hashchange", function () { setTimeout(function () { document.title = none + "|" + seen(); }, 50); });
        location.hash = "#r-AV-02";
        """,
    )  # fmt: skip
    assert title == "0|10"


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="needs poppler-utils")
def test_print_ignores_the_filter(browse: Browse, tmp_path: Path) -> None:
    page = written(tmp_path, "hospital", "record")
    driven(page, browse, "type('nothing like this'); document.title = seen();")
    _, pages = printed(page.with_name("driven.html"), browse)
    text = "".join(pages)
    assert all(f"{rule}" in text for rule in ("PWD-05", "NET-05", "AV-02"))
    assert "恢复显示" not in text


def test_without_scripts_everything_is_there_and_no_control_is_shown(browse: Browse, tmp_path: Path) -> None:
    page = written(tmp_path, "hospital", "record")
    text = page.read_text(encoding="utf-8")
    bare = re.sub(r'<script>.*?</script>|<div class="filter".*?</div>', "", text, flags=re.DOTALL)
    assert len(bare) < len(text)
    other = page.with_name("bare.html")
    other.write_text(bare, encoding="utf-8")

    def shot(path: Path, name: str, sandbox: str) -> bytes:
        """The page in a frame: with an empty ``sandbox`` attribute the browser runs no script in it at all."""
        frame, picture = tmp_path / f"{name}-frame.html", tmp_path / f"{name}.png"
        frame.write_text(
            f'<iframe {sandbox} width="1000" height="1500" src="{path.as_uri()}#s6"></iframe>', encoding="utf-8"
        )
        browse(frame, f"--screenshot={picture}", "--window-size=1030,1530")
        return picture.read_bytes()

    # On a busy machine a picture may be taken before the frame has scrolled; a page that differs does so every time.
    for _ in range(4):
        without = shot(page, "without", "sandbox")
        same = without == shot(other, "bare", "sandbox")
        if same:
            break
    assert same, "as if there were neither script nor filter"
    assert without != shot(page, "with", ""), "under its own policy the script does run"


# --- accessibility ----------------------------------------------------------------------------------------------------

_AXE = NPM / "axe-core" / "axe.min.js"
_ASK = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).then(function (r) {
  document.title = "axe " + r.passes.length + " " + JSON.stringify(r.violations.map(function (v) {
    return v.id + ": " + v.nodes.slice(0, 3).map(function (n) { return n.html.slice(0, 160); }).join(" ");
  }));
}, function (e) { document.title = "axe failed " + e; });"""


@pytest.mark.skipif(
    not _AXE.is_file(), reason="needs axe-core: npm install --prefix .browser --no-save axe-core@4.14.1 acorn@8.19.0"
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["hospital", "everything-wrong", "hostile"])
def test_axe_finds_nothing(name: str, kind: Kind, browse: Browse, tmp_path: Path) -> None:
    page = written(tmp_path, name, kind)
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    probe = f"<script>{_AXE.read_text(encoding='utf-8')}</script><script>{_ASK}</script></body>"
    page.write_text(text.replace("</body>", probe), encoding="utf-8")
    title = dom(browse(page, "--dump-dom", "--window-size=1366,768", "--virtual-time-budget=20000")).title
    assert re.fullmatch(r"axe \d{2,} \[\]", title), title
