"""``ybscan collect``: evidence only, to be judged on another machine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ybscan.cli import console
from ybscan.cli.options import NowOption, RootOption, RulesOption, SiteOption


def collect(
    output: Annotated[Path, typer.Option("--output", "-o", help="证据包文件（.zip）。", metavar="文件")],
    site: SiteOption = None,
    rules: RulesOption = None,
    root: RootOption = None,
    now: NowOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="不显示进度。")] = False,
) -> int:
    """只采集证据，不作判定。证据包可在其他计算机上用 ybscan scan --evidence 判定。"""
    from ybscan.cli import prepare
    from ybscan.cli.output import prepared_folder
    from ybscan.engine.scan import scan as run_scan
    from ybscan.hosts.bundle import write_bundle
    from ybscan.hosts.recorder import recorded

    where = prepare.source(root=root, evidence=None, now=now)
    plan = prepare.plan(rules=rules, site=prepare.site_path(site), packs=[], only=[], now=where.now)
    prepared_folder(output.parent)

    def clock() -> datetime:
        return where.now if where.fixed else datetime.now().astimezone()

    host, recording = recorded(where.host, clock)
    with console.progress(quiet=quiet) as show:
        # Judging is cheap and decides nothing here: it is what asks the terminal every question a scan would ask.
        run_scan(host, plan, finished=clock, progress=show)
    write_bundle(recording, os=host.os, collected_at=where.now, path=output)
    if not quiet:
        console.say(f"已写入 {output}")
    return console.OK
