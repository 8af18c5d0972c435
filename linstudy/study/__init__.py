"""Tables of long runs and what makes them: results, provenance, sizes, the registry of runs, the doctor."""
