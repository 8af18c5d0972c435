"""A report on one model: the book's measurements of it, each beside its control and the book's models, as one page."""
