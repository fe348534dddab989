"""What of the registry never leaves a backend: stored passwords, hashes, and passwords on command lines."""

from __future__ import annotations

import re

from ybscan.hosts.groups.registry import WITHHELD, RegistryValue

#: Hives of hashes and secrets. What is needed of them (policy, flags) comes from the accounts group.
CLOSED = re.compile(r"^HKLM\\(?:SAM|SECURITY)(?:\\|$)", re.IGNORECASE)

#: Values that hold a secret by their name. Numbers are never withheld: they are settings about passwords.
_SECRET_NAME = re.compile(
    r"(?:^|[^a-z])(?:(?:alt)?default|svc|service|logon|proxy|admin|user|view_?only|read_?only|control|encrypted|stored|"
    r"auto|root|sa|db|database)*_?(?:password|passwd|pwd|passphrase|secret|psk|privatekey)(?:_?(?:2|viewonly|hash|enc|"
    r"encrypted))?$",
    re.IGNORECASE,
)
#: Keys in which every value name or value is a secret of its own: SNMP community strings.
_SECRET_KEY = re.compile(r"\\(?:ValidCommunities|TrapConfiguration)(?:\\|$)", re.IGNORECASE)

#: Files of hashes and secrets: the hives of accounts and LSA with their logs and copies, the directory, stored logons.
_HASH_FILES = re.compile(
    r"\\(?:config|repair|regback|backup)\\(?:sam|security)(?:[.{ ~-][^\\]*)?$|\\ntds\.dit$"
    r"|\\microsoft\\(?:protect|credentials|vault|crypto\\(?:rsa|keys))\\",
    re.IGNORECASE,
)
#: What answer files and group policy preferences keep passwords in.
_XML_ELEMENT = re.compile(
    r"(<(\w*(?:password|passphrase|keymaterial|productkey|secret))\b[^>]*(?<!/)>).*?(</\2\s*>)",
    re.IGNORECASE | re.DOTALL,
)
_XML_ATTRIBUTE = re.compile(r"(\b(?:cpassword|password|pwd)\s*=\s*)(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_SETTING = re.compile(
    r"^(\s*[\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|psk|private[-_]?key)\d?\s*[=:]\s*)\S.*$",
    re.IGNORECASE | re.MULTILINE,
)

_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]*(?=@)")
_OPTION = re.compile(
    r"((?:^|\s)[-/]{1,2}(?:p|pw|pwd|pass|passwd|password|passphrase|token|key|secret|apikey)[=:\s]\s*)(\"[^\"]*\"|[^\s\"]+)",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(
    r"((?:password|passwd|pwd|passphrase|secret|token|apikey)\s*=\s*)(\"[^\"]*\"|[^\s\";,]+)", re.IGNORECASE
)


def is_closed(key: str) -> bool:
    """Whether the key (``HKLM\\…``) lies in a hive of hashes and secrets, of which the registry group tells nothing."""
    return CLOSED.match(key) is not None


def kept(key: str, name: str, value: RegistryValue) -> RegistryValue:
    """The value as it may leave the backend: a secret only as :data:`WITHHELD`, command lines without passwords."""
    if isinstance(value, int):
        return value
    if value and (_SECRET_NAME.search(name) or _SECRET_KEY.search(key)):
        return WITHHELD
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, tuple):
        return tuple(masked(v) for v in value)
    return value


def masked(text: str) -> str:
    """A text without the credentials of URLs and without passwords given as options or assignments."""
    text = _URL_CREDENTIALS.sub("***", text)
    text = _OPTION.sub(r"\1***", text)
    return _ASSIGNMENT.sub(r"\1***", text)


def holds_hashes(path: str) -> bool:
    """Whether ``path`` (``C:\\…``) is a file of password hashes or stored secrets, which no backend hands out."""
    return _HASH_FILES.search(path.replace("/", "\\")) is not None


def text_kept(text: str) -> str:
    """The text of a file without credentials: in URLs, in the elements and attributes of XML, and as settings."""
    text = _XML_ELEMENT.sub(r"\1***\3", text)
    text = _XML_ATTRIBUTE.sub(r'\1"***"', text)
    return _URL_CREDENTIALS.sub("***", _SETTING.sub(r"\1***", text))
