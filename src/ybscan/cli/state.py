"""Where ybscan remembers things: the ``--state`` option, the site file's ``state``, else the user's own state folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ybscan.rules.site import LoadedSite

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        help="存放历史记录的文件夹；不写时用 site.yml 的 state，都没有时用当前用户的状态文件夹。",
        metavar="文件夹",
        show_default=False,
    ),
]


def state_folder(given: Path | None, loaded: LoadedSite | None, site: Path | None) -> Path:
    """The state folder. One named in the site file is relative to that file."""
    if given is not None:
        return given
    if loaded is not None and loaded.site.state and site is not None:
        return site.parent / loaded.site.state
    from platformdirs import user_state_dir

    return Path(user_state_dir("ybscan", appauthor=False))
