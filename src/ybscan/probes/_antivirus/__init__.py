"""Reading what antivirus products leave behind; the probe beside this package makes facts of it."""
