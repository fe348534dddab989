"""From YAML files to checked rules: strict reading with file and line, loading, linting, explaining."""
