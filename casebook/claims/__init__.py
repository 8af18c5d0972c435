"""What the chapters say of their tables, as tables: each claim is computed here, and a chapter asserts it in a line."""

# The pocket models are alike in all but this.
SIBLINGS = {
    "stories-1m": "plain",
    "stories-1m-cosine": "cosine 0.5, all layers",
    "stories-1m-mse": "MSE 0.5, all layers",
}
