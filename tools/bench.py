"""Benchmarks as ratios of whole processes, every pair taken in this one run, A B A B.

Absolute times differ by machine; a ratio to what any program of this kind has to pay does not, much. Each row prints
the median ratio, and the aim it is held against. Nothing here fails a build.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [
    str(PROJECT),
    str(PROJECT / "tools"),
]  # the handmade results of the tests, and what lies beside this file
PYTHON = sys.executable
IMPORTS = "import typer, rich, yaml, jinja2, psutil, pydantic"
ROUNDS = 7
SIX_PACKS = (
    "usb-lockdown", "forbidden-software", "internet-isolation", "password-policy", "open-ports", "backup-freshness",
)  # fmt: skip


from bench_history import history_rows  # noqa: E402
from bench_reports import report_rows  # noqa: E402


def seconds(command: list[str], env: dict[str, str] | None = None) -> float:
    """Wall time of one run, output thrown away."""
    nothing = subprocess.DEVNULL
    start = time.perf_counter()
    subprocess.run(command, stdin=nothing, stdout=nothing, stderr=nothing, check=False, cwd="/", env=env)
    return time.perf_counter() - start


def ratio(a: list[str], b: list[str], env: dict[str, str] | None = None) -> tuple[float, float, float]:
    """Median of the pairwise ratios A/B after one warm-up each, and both medians in seconds."""
    seconds(a, env), seconds(b, env)
    pairs = [(seconds(a, env), seconds(b, env)) for _ in range(ROUNDS)]
    return (
        statistics.median(x / y for x, y in pairs),
        statistics.median(x for x, _ in pairs),
        statistics.median(y for _, y in pairs),
    )


def peak_mib(command: list[str]) -> float:
    """Peak resident size of one run, MiB."""
    code = (
        "import os,sys,resource;os.spawnvp(os.P_WAIT,sys.argv[1],sys.argv[1:]);"
        "sys.stderr.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))"
    )
    run = subprocess.run([PYTHON, "-c", code, *command], capture_output=True, text=True, check=False, cwd="/")
    return int(run.stderr.strip().splitlines()[-1]) / 1024


def row(name: str, value: str, aim: str, note: str = "") -> None:
    """Print one line of the table."""
    print(f"{name:<58} {value:>12}   aim {aim:<14} {note}")


def rules_per_second(count: int = 200) -> float:
    """How many rules are loaded from YAML and judged per second, in this process after imports."""
    from datetime import datetime

    from ybscan.engine.judge import Case
    from ybscan.engine.scan import judged
    from ybscan.model.rule import Role
    from ybscan.model.site import Site
    from ybscan.probes.registry import builtin
    from ybscan.rules.load import load_packs

    registry = builtin()
    with tempfile.TemporaryDirectory() as scratch:
        pack = Path(scratch) / "bench"
        pack.mkdir()
        texts = [p.read_text(encoding="utf-8") for p in sorted((PROJECT / "rules").glob("*/*.yml")) if _is_rule(p)]
        ids = []
        for i in range(count):
            text = texts[i % len(texts)]
            old = next(line.split()[1] for line in text.splitlines() if line.startswith("id:"))
            new = f"BENCH-{i:03d}"
            ids.append(new)
            (pack / f"{new.lower()}-copy.yml").write_text(text.replace(f"id: {old}", f"id: {new}", 1), encoding="utf-8")
        order = ", ".join(ids)
        (pack / "pack.yml").write_text(
            f'schema: ybscan.pack/v1\nid: bench\ntitle: bench\nversion: "1.0"\norder: [{order}]\n', encoding="utf-8"
        )
        start = time.perf_counter()
        packs = load_packs(Path(scratch), registry)
        case = Case(
            facts={}, specs=registry.spec_of, site=Site(), waivers=(), now=datetime.now().astimezone(), os="linux",
            role=Role.SETTLEMENT, terminal="bench",
        )  # fmt: skip
        for rule in packs[0].rules:
            judged(rule, case)
        return count / (time.perf_counter() - start)


def _is_rule(path: Path) -> bool:
    from ybscan.rules.load import DATA_FOLDERS

    return path.name != "pack.yml" and path.parent.name not in DATA_FOLDERS


def slowest_probes(shown: int = 5) -> list[tuple[float, str]]:
    """The probes that take longest on this machine, in seconds."""
    from datetime import datetime

    from ybscan.cli import prepare
    from ybscan.hosts.recorder import recorded

    now = datetime.now().astimezone()
    plan = prepare.plan(rules=None, site=None, packs=[], only=[], now=now)
    host, _ = recorded(prepare.live_host(), lambda: now)
    times = []
    for name, probe in plan.registry.probes.items():
        start = time.perf_counter()
        probe.read(host, plan.context)
        times.append((time.perf_counter() - start, name))
    return sorted(times, reverse=True)[:shown]


def portable() -> None:
    """The portable forms: of Windows against its bare interpreter in the same Wine prefix, of Linux against ours."""
    import windows_python

    found = {p.name: p for p in (PROJECT / "dist" / "portable").glob("*") if p.is_file()}
    json_scan = ["scan", "--no-store", "--quiet", "--format", "json", "-o", "-"]
    with tempfile.TemporaryDirectory(prefix="ybscan-bench-") as scratch:
        for archive in (p for n, p in found.items() if n.endswith((".zip", ".tar.gz"))):
            shutil.unpack_archive(archive, scratch)
        launcher = next(Path(scratch).glob("*linux/ybscan"), None)
        if launcher is None:
            row("portable form for Linux", "skipped", "-", "not built: nox -s portable")
        else:
            launcher.chmod(0o755)
            _compare("portable Linux", [str(launcher)], [PYTHON, "-c", "pass"], json_scan, None)
        folder = next(Path(scratch).glob("*windows*/ybscan.exe"), None)
        single = next((p for n, p in found.items() if n.endswith(".exe")), None)
        python = windows_python.HOME / "python" / "python.exe"
        if folder is None or single is None:
            row("portable forms for Windows", "skipped", "-", "not built: nox -s portable")
        elif shutil.which("wine") is None or not python.is_file():
            row("portable forms for Windows", "skipped", "-", "no Wine or no Windows Python: nox -s windows")
        else:
            windows_python.run(["cmd", "/c", "exit"])
            env, bare = windows_python.environment(), ["wine", str(python), "-c", "pass"]
            _compare("ybscan.exe (folder)", ["wine", str(folder)], bare, json_scan, env)
            _compare("ybscan.exe (single file)", ["wine", str(single)], bare, json_scan, env)


def _compare(name: str, program: list[str], bare: list[str], scan: list[str], env: dict[str, str] | None) -> None:
    for what, arguments in (("--version", ["--version"]), ("scan", scan)):
        r, a, b = ratio([*program, *arguments], bare, env)
        row(f"{name} {what} / python -c pass", f"{r:.2f}x", "-", f"({a:.3f} s / {b:.3f} s)")


def main() -> None:
    """Take and print every ratio."""
    ybscan = [PYTHON, "-m", "ybscan"]
    scan = [*ybscan, "scan", "--no-store", "--quiet", "--format", "json", "-o", "-"]
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}, median of {ROUNDS} pairs")
    r, a, b = ratio(scan, [PYTHON, "-c", IMPORTS])
    row("scan to JSON / importing the libraries", f"{r:.2f}x", "<= 2.5x", f"({a:.3f} s / {b:.3f} s)")
    row("scan to JSON, peak memory", f"{peak_mib(scan):.1f} MiB", "<= 60 MiB")
    six = [a for p in SIX_PACKS for a in ("--pack", p)]
    r, a, b = ratio([*scan, *six], [PYTHON, "-c", IMPORTS])
    row("the six first packs alone / importing the libraries", f"{r:.2f}x", "<= 2.5x", f"({a:.3f} s / {b:.3f} s)")
    r, a, b = ratio([*ybscan, "--version"], [PYTHON, "-c", "pass"])
    row("--version / python -c pass", f"{r:.2f}x", "<= 5x", f"({a:.3f} s / {b:.3f} s)")
    r, a, b = ratio([*ybscan, "--help"], [PYTHON, "-c", "pass"])
    row("--help / python -c pass", f"{r:.2f}x", "-", f"({a:.3f} s / {b:.3f} s)")
    rates = sorted(rules_per_second() for _ in range(3))
    row("200 rules loaded and judged", f"{rates[1]:.0f}/s", ">= 1000/s")
    many = sorted(rules_per_second(900) for _ in range(3))
    row("time per rule, 900 rules / 200 rules", f"{rates[1] / many[1]:.2f}x", "~ 1x (linear)")
    history_rows(row)
    report_rows(row)
    for took, name in slowest_probes():
        row(f"probe {name}", f"{took * 1000:.1f} ms", "-")
    portable()


if __name__ == "__main__":
    main()
