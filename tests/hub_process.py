"""What stand-ins for the hub share: a server on 127.0.0.1, and a process of its own that takes it for the hub."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conftest import ROOT


class Answers(BaseHTTPRequestHandler):
    """Answers with JSON, files and ranges of them; breaks off or falls silent where it is told to; keeps no log."""

    protocol_version = "HTTP/1.1"

    def send(self, status, headers=(), body=b"", *, cut_at=None, silent=False):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:cut_at])
        if cut_at is not None and len(body) > cut_at:
            self.wfile.flush()
            time.sleep(30 * silent)
            self.connection.shutdown(2)
            self.close_connection = True

    def send_json(self, value):
        self.send(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def send_file(self, content, headers, **faults):
        headers = headers | {"Accept-Ranges": "bytes"}
        if not (asked := self.headers.get("Range")):
            return self.send(200, headers, content, **faults)
        first, last = asked.removeprefix("bytes=").split("-")
        first, last = int(first), min(int(last or len(content) - 1), len(content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return self.send(206, headers, content[first : last + 1], **faults)

    def log_message(self, *arguments):
        pass


@contextmanager
def serving(handler, **state):
    """Serve with a handler class until the block ends; the server has `url`, `requests` and the given state."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    vars(server).update(state, requests=[], url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done
