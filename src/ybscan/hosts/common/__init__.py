"""What the backends of both systems share: errors as readings, time limits, walking folders, looking into backups."""
