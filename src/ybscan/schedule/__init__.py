"""The weekly check by itself: what the operating system's scheduler has to be told, and whether a check is due."""
