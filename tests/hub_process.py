"""A script in a process of its own whose hub is a stand-in."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path


def run_on_hub(script, url, home, *, options=(), arguments=(), seconds=300):
    """Run a script in a process of its own, whose hub is at `url` and whose cache in `home`; return what it printed.

    A process of its own, because the hub's library reads its settings when it is imported.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    settings = {"HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    settings |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(script), *arguments],
        env=kept | settings,
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done
