"""From results to documents. Pure: reads templates through a loader it is given, touches nothing else."""
