"""Where rules and templates lie: what the user names, else the checkout we run from, else what the package carries."""

from __future__ import annotations

from pathlib import Path

import ybscan
from ybscan.model.problem import InputProblems, Problem


def data_folder(kind: str, given: Path | None = None) -> Path:
    """The folder of ``kind`` (``rules`` or ``templates``).

    Raises:
        InputProblems: there is none.
    """
    if given is not None:
        if not given.is_dir():
            raise InputProblems([Problem(str(given), 0, "不是文件夹", f"请用 --{kind} 指定文件夹")])
        return given
    package = Path(ybscan.__file__).parent
    for candidate in (package.parents[1] / kind, package / "_data" / kind):
        # The marker keeps an unrelated folder of that name, two levels above site-packages, from being taken.
        if candidate.is_dir() and (candidate.parent.name == "_data" or (candidate.parent / "src" / "ybscan").is_dir()):
            return candidate
    raise InputProblems([Problem(kind, 0, f"程序缺少 {kind} 文件夹", "程序不完整，请重新获取")])
