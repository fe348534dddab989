"""The nouns of ybscan: readings, facts, rules, sites, evidence and results. Imports nothing of the other packages."""
