"""A stand-in for the data sets of the Hugging Face hub, on 127.0.0.1: real requests, real parquet, no network."""

import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from hub_process import serving


def dataset_hub(files, *, dataset, revision, commit=None, status=None, cut_after=None):
    """Serve `files` (path: bytes) as one revision of one data set: the server as a context, with `url` and `requests`.

    `status` answers every request with that error; `cut_after` closes the connection after so many bytes of a file.
    """
    commit = commit or revision
    state = {"dataset": dataset, "revisions": {revision, commit}, "commit": commit}
    return serving(_Handler, files=files, status=status, cut_after=cut_after, **state)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer()

    do_HEAD = do_POST = do_GET

    def log_message(self, *arguments):
        pass

    def answer(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server, path = self.server, unquote(urlsplit(self.path).path)
        if "/datasets/" in path:  # the hub's library may ask other things too, of itself
            server.requests.append(f"{self.command} {path}")
        if server.status:
            return self.send(server.status, b"{}")
        api, resolve = f"/api/datasets/{server.dataset}/", f"/datasets/{server.dataset}/resolve/"
        for revision in server.revisions:
            if path == f"{api}revision/{revision}":
                siblings = [{"rfilename": name} for name in server.files]
                return self.send_json({"id": server.dataset, "sha": server.commit, "siblings": siblings})
            if path.startswith(f"{api}paths-info/{revision}"):
                asked = json.loads(self.body)["paths"]
                return self.send_json([self.entry(name) for name in server.files if name in asked])
            if path.startswith(f"{api}tree/{revision}"):
                folder = path.removeprefix(f"{api}tree/{revision}").strip("/")
                return self.send_json([self.entry(name) for name in server.files if name.startswith(folder)])
            if path.startswith(f"{resolve}{revision}/"):
                name = path.removeprefix(f"{resolve}{revision}/")
                if name in server.files:
                    return self.send_file(server.files[name])
        known = path.startswith((api, resolve))
        error = "RevisionNotFound" if known else "RepoNotFound"
        return self.send(404, b'{"error": "not found"}', {"X-Error-Code": error})

    def entry(self, name):
        return {"type": "file", "path": name, "size": len(self.server.files[name]), "oid": "0" * 40}

    def send_json(self, value):
        self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def send_file(self, data):
        etag = {"ETag": '"0"', "X-Repo-Commit": self.server.commit, "Accept-Ranges": "bytes"}
        if asked := self.headers.get("Range"):
            first, last = asked.removeprefix("bytes=").split("-")
            first, last = int(first), min(int(last or len(data) - 1), len(data) - 1)
            etag["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            self.send(206, data[first : last + 1], etag, cut=self.server.cut_after)
        else:
            self.send(200, data, etag, cut=self.server.cut_after)

    def send(self, status, body, headers=(), *, cut=None):
        self.send_response(status)
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut is not None and len(body) > cut:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            self.connection.shutdown(2)
            self.close_connection = True
        else:
            self.wfile.write(body)
