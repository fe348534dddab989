"""Evidence of the collectors in ``tools/collector``: the container, its manifest, and its line format.

The collectors run where this program cannot. What they bring is read in full before anything is judged, and nothing of
it is trusted: sizes and counts are capped, names are of one simple form, and a part that is missing, damaged or was
refused makes the questions it would answer Unknown, never Absent.
"""
