"""Resolving the terminal's paths below a root folder without ever leaving it.

A disk mounted for inspection is hostile data: a link in it may point to ``/etc/shadow`` of the inspecting machine.
Every link is therefore followed by hand, and what is absolute or climbs with ``..`` starts again at the root.
"""

from __future__ import annotations

import errno
import os
from pathlib import PurePosixPath

MAX_LINKS = 40


class ClosedTreeError(Exception):
    """The way leads into a tree that must not be asked. ``args[0]`` is the tree."""


def resolve(root: str, path: str, *, last: bool = True, closed: tuple[str, ...] = ()) -> str:
    """The path on this machine for the terminal's ``path``, links resolved (the last component's when ``last``).

    ``closed`` names top-level trees (``/run``) that the way must not lead into, by a link either.

    Raises:
        ClosedTreeError: it does.
        OSError: ENOENT for a broken way, ELOOP for too many links, EINVAL for a relative path or a NUL in it.
    """
    if not path.startswith("/") or "\0" in path:
        raise OSError(errno.EINVAL, "not an absolute path")
    todo = [p for p in PurePosixPath(path).parts if p != "/"][::-1]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            if done:
                done.pop()
            continue
        if part == ".":
            continue
        if not done and f"/{part}" in closed:
            raise ClosedTreeError(f"/{part}")
        here = os.path.join(root, *done, part)  # noqa: PTH118 - surrogate-escaped names, hot path
        if todo or last:
            try:
                target = os.readlink(here)  # noqa: PTH115
            except OSError as e:
                if e.errno not in (errno.EINVAL, errno.ENOENT):
                    raise
                if e.errno == errno.ENOENT and todo:
                    raise
            else:
                links += 1
                if links > MAX_LINKS:
                    raise OSError(errno.ELOOP, "too many links")
                if target.startswith("/"):
                    done = []
                todo.extend(p for p in PurePosixPath(target).parts[::-1] if p != "/")
                continue
        done.append(part)
    return os.path.join(root, *done) if done else root  # noqa: PTH118
