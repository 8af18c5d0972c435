"""The cases of this book: its long runs and what makes them, what they say, its exercises and its report."""
