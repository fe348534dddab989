"""Whose home folders hold software: people's accounts and root, and folders below /home nobody local owns."""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.reading import Cause, Gap, Known, Unknown

#: login.defs(5) UID_MIN, which was 500 on releases up to Red Hat 6 (NeoKylin); below it are system accounts. 65534: nobody.
_FIRST_PERSON, _NOBODY = 500, 65534
_NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown")


def person_homes(host: Host, gaps: list[Gap]) -> dict[str, str]:
    """Home folder → account name, sorted by folder.

    Folders below /home that no local account owns count too: domain users are not in passwd, and a deleted
    account's software still lies there.
    """
    homes: dict[str, str] = {}
    users = host.accounts.users()
    if isinstance(users, Known):
        gaps.extend(users.gaps)
        for user in users.value:
            person = user.uid == 0 or _FIRST_PERSON <= user.uid != _NOBODY
            if not person or user.shell.rsplit("/", 1)[-1] in _NO_LOGIN or user.home in ("", "/"):
                continue
            if user.home.startswith("/"):
                homes.setdefault(user.home.rstrip("/"), user.name)
            else:
                gaps.append(Gap(Cause.MALFORMED, f"账户 {user.name} 的用户目录无法识别", "/etc/passwd"))
    else:
        gaps.append(
            users.as_gap() if isinstance(users, Unknown) else Gap(Cause.UNAVAILABLE, "没有账户数据库", "/etc/passwd")
        )
    listed = host.files.entries(path="/home")
    if isinstance(listed, Unknown):
        gaps.append(listed.as_gap())
    elif isinstance(listed, Known):
        for name in listed.value:
            if name != "lost+found":
                homes.setdefault(f"/home/{name}", name)
    return dict(sorted(homes.items()))
