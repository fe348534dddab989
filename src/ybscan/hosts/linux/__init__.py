"""How the groups are answered on Linux, one file per group."""
