"""What a Windows command line starts. The line itself is never kept: it may hold passwords.

Sources: CommandLineToArgvW and CreateProcess for quotes and unquoted paths with blanks; the command-line help of cmd,
powershell, wscript, mshta, rundll32 and regsvr32 for what they take.
"""

from __future__ import annotations

import re

#: Stand for arguments that say what is done without naming a file.
ENCODED = "（编码的命令）"
INLINE = "（内嵌脚本）"
ADDRESS = "（网址）"

_LIMIT = 8192
_PROGRAM = re.compile(
    r"\.(?:exe|com|bat|cmd|scr|pif|vbs|vbe|jse?|wsf|hta|ps1|msc|cpl|lnk)(?=[\s\"',]|$)", re.IGNORECASE
)
_FILE = re.compile(
    r"\.(?:exe|com|bat|cmd|scr|pif|vbs|vbe|jse?|wsf|wsh|hta|sct|ps1|psm1|msc|cpl|dll|ocx|py|pyw|jar|lnk|msi|tmp|dat)$",
    re.IGNORECASE,
)
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_INTERPRETERS = frozenset(
    {
        "cmd", "powershell", "pwsh", "wscript", "cscript", "mshta", "rundll32", "regsvr32", "python", "pythonw", "java",
        "javaw", "msiexec", "conhost", "forfiles", "pcalua", "explorer",
    }
)  # fmt: skip
_ENCODED = re.compile(r"^[-/]e(?:c|n[a-z]*)?$", re.IGNORECASE)


def programs(command: str) -> tuple[str, ...]:
    """The program of a command line, and the scripts, libraries or programs an interpreter is given, as written."""
    text = command.strip()[:_LIMIT]
    program, rest = _first(text)
    if not program:
        return ()
    found = [program]
    base = re.split(r"[\\/]", program)[-1].lower().removesuffix(".exe")
    if base in _INTERPRETERS:
        found += _given(base, rest)
    return tuple(dict.fromkeys(f[:400] for f in found))[:8]


def _first(text: str) -> tuple[str, str]:
    """The program and what follows it. An unquoted path may hold blanks: it ends at the first name of a program."""
    if text.startswith('"'):
        inside, _, rest = text[1:].partition('"')
        return inside.strip(), rest.strip()
    end = _PROGRAM.search(text)
    word = text.split(None, 1)[0] if text else ""
    # "cmd /c x.bat": a plain word before a switch is a program without its extension.
    if end is None or (not re.search(r"[\\/]", word) and end.end() > len(word)):
        return word, text[len(word) :].strip()
    return text[: end.end()], text[end.end() :].strip()


def _given(base: str, rest: str) -> list[str]:
    words = [quoted or plain for quoted, plain in _WORD.findall(rest)]
    found: list[str] = []
    for word in words:
        lower = word.lower()
        if base in ("powershell", "pwsh") and _ENCODED.match(word):
            found.append(ENCODED)
        elif lower.startswith(("javascript:", "vbscript:", "about:")):
            found.append(INLINE)
        elif re.match(r"[-/a-z:]*(?:https?|ftp)://", lower):
            found.append(ADDRESS)
        else:
            # rundll32 writes the entry point behind a comma, regsvr32 the script behind "/i:".
            name = re.sub(r"^[-/]i:", "", word.split(",", 1)[0], flags=re.IGNORECASE)
            if _FILE.search(name) and not re.match(r"^[-/]", name):
                found.append(name)
    return found
