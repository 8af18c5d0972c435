"""Result tables and where their rows come from, this machine, and what is told of errors."""
