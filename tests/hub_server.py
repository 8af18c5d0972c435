"""A stand-in for the data sets of the Hugging Face hub, on 127.0.0.1: real requests, real parquet, no network."""

import io
import json
from urllib.parse import unquote, urlsplit

import pyarrow
import pyarrow.parquet
from hub_process import Answers, serving


def parquet(rows, **options):
    """Return the bytes of a parquet file with these rows, each a dict."""
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file, **options)
    return file.getvalue()


def dataset_hub(files, *, dataset, revision, commit=None, status=None, cut_after=None):
    """Serve `files` (path: bytes) as one revision of one data set: the server as a context, with `url` and `requests`.

    `status` answers every request with that error; `cut_after` closes the connection after so many bytes of a file.
    """
    commit = commit or revision
    state = {"dataset": dataset, "revisions": {revision, commit}, "commit": commit}
    return serving(_Handler, files=files, status=status, cut_after=cut_after, **state)


class _Handler(Answers):
    def do_GET(self):
        self.answer()

    do_HEAD = do_POST = do_GET

    def answer(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server, path = self.server, unquote(urlsplit(self.path).path)
        if "/datasets/" in path:  # the hub's library may ask other things too, of itself
            server.requests.append(f"{self.command} {path}")
        if server.status:
            return self.send(server.status, body=b"{}")
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
                    kept = {"ETag": '"0"', "X-Repo-Commit": server.commit}
                    return self.send_file(server.files[name], kept, cut_at=server.cut_after)
        known = path.startswith((api, resolve))
        error = "RevisionNotFound" if known else "RepoNotFound"
        return self.send(404, {"X-Error-Code": error}, b'{"error": "not found"}')

    def entry(self, name):
        return {"type": "file", "path": name, "size": len(self.server.files[name]), "oid": "0" * 40}
