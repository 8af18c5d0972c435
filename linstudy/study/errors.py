"""What a user is told of an error: one sentence with cause, value and remedy, in one place for all commands."""

from .machine import out_of_memory, size

# What a user can cause; anything else is a mistake of ours and keeps its traceback.
USER_ERRORS = (ValueError, IndexError, OSError, ImportError, MemoryError, FloatingPointError)


def sentence(error: BaseException) -> str:
    """Return what to tell the user, on one line; "" for an error that is ours."""
    if type(error) is MemoryError and error.args:  # of ours, with its own remedy; numpy's is of a class of its own
        return one_line(error)
    # Torch's two are told apart without importing it.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "CPUAllocator" in str(error):
        return out_of_memory(error, size())
    if isinstance(error, OSError) and error.strerror:
        where = error.filename or "the output"  # all else that is written says its name
        return f"{where}: {error.strerror}; look there, make room, or name another place"
    return (one_line(error) or type(error).__name__) if isinstance(error, USER_ERRORS) else ""


def one_line(error: BaseException) -> str:
    """Return an error's message without its line breaks."""
    return " ".join(str(error).split())
