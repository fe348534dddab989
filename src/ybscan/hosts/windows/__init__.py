"""What the Windows backends share: the running system, a disk that lies still, and what a collector brought."""

#: Why the groups of Linux' own institutions (dconf …) have nothing to say on Windows.
NO_LINUX = "Windows 没有 dconf 等 Linux 专有的信息"
