"""The running Windows, group by group: one file and one class each. Composed in ``hosts/live_windows.py``."""
