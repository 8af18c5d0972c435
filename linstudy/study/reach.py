"""Whether the hub can be reached, asked without importing torch."""

import os
import urllib.error
import urllib.request


def hub_away(*, seconds: float = 2.0) -> str:
    """Say in a few words why the hub cannot be reached; nothing ("") when it can."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return "HF_HUB_OFFLINE is set"
    from ..hub import within  # takes half a second

    request = urllib.request.Request(os.environ.get("HF_ENDPOINT") or "https://huggingface.co", method="HEAD")
    try:
        within(seconds + 0.5, lambda: urllib.request.urlopen(request, timeout=seconds).close())
    except urllib.error.HTTPError as error:
        error.close()
        return "" if error.code < 500 else f"the hub answers with error {error.code}"
    except TimeoutError:
        return f"the hub does not answer within {seconds:.0f} s"
    except OSError as error:
        return f"the hub cannot be reached ({getattr(error, 'reason', error)})"
    return ""
