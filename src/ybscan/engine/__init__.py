"""From facts and rules to findings: matchers, three-valued logic, judge, scan."""
