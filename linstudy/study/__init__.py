"""Tables of long runs and what makes them: results, provenance, the registry of runs, this machine, the doctor."""
