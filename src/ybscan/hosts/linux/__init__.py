"""How the groups are answered on Linux, one file per group."""

#: Why the groups of Windows' own institutions (registry, services …) have nothing to say on Linux.
NO_WINDOWS = "Linux 没有注册表等 Windows 专有的信息"
