"""ybscan: compliance scanner for terminals on a medical-insurance (医保) network."""

__version__ = "0.1.0"
