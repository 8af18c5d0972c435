"""A stand-in for the models of the Hugging Face hub, on 127.0.0.1: real requests, real weights, faults on demand."""

import hashlib
from urllib.parse import unquote, urlsplit

from hub_process import Answers, serving


def model_hub(models, *, faults=(), pulls=()):
    """Serve `models`, {id: {revision: {path: bytes}}}: the server as a context, with `url`, `requests` and `faults`.

    `pulls` maps an id to its pull requests, (number, author) each; their files are the revision refs/pr/<number>.

    `faults` maps an id to what goes wrong with it: a status for every answer ("503", "403", ..., "gated"), with the
    status of success a page of HTML ("page"), the same for files alone ("pages") or an empty list ("list"), weights
    with one bit turned ("other"), or half of them, and then the end ("cut") or silence ("silent"). A request for /heal
    ends all faults.
    """
    return serving(_Handler, models=models, faults=dict(faults), pulls=dict(pulls))


def commit_of(model, revision):
    return hashlib.sha1(f"{model} {revision}".encode()).hexdigest()


class _Handler(Answers):
    def do_GET(self):
        self.server.requests.append(f"{self.command} {self.path}")
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        if parts == ["heal"]:
            self.server.faults.clear()
            self.send(200)
        elif parts[:2] == ["api", "models"] and parts[4:] == ["discussions"]:
            self.send_pulls("/".join(parts[2:4]))
        elif parts[:2] == ["api", "models"] and len(parts) >= 4:
            self.answer("/".join(parts[2:4]), parts[4:5], parts[5] if len(parts) > 5 else "main", None)
        elif len(parts) >= 5 and parts[2] == "resolve":
            self.answer("/".join(parts[:2]), ["resolve"], parts[3], "/".join(parts[4:]))
        else:
            self.send(404)

    do_HEAD = do_GET

    def answer(self, model, action, revision, path):
        fault = self.server.faults.get(model)
        if fault and fault.isdigit():
            return self.send(int(fault))
        if fault == "page" or (fault == "pages" and path):
            return self.send(200, {"Content-Type": "text/html"}, b"<html>Log in first</html>")
        if fault == "list":
            return self.send_json([])
        if model not in self.server.models:
            return self.send(401, {"X-Error-Code": "RepoNotFound"})  # as the hub does for who is not logged in
        revisions = self.server.models[model]
        named = {commit_of(model, name): name for name in revisions} | {name: name for name in revisions}
        if revision not in named:
            return self.send(404, {"X-Error-Code": "RevisionNotFound"})
        files, commit = revisions[named[revision]], commit_of(model, named[revision])
        if action in ([], ["revision"]):
            siblings = [{"rfilename": name} for name in files]
            return self.send_json({"id": model, "sha": commit, "siblings": siblings})
        if fault == "gated":
            return self.send(403, {"X-Error-Code": "GatedRepo"})
        if action == ["tree"]:
            tree = [{"type": "file", "path": n, "size": len(b), "oid": _oid(b)} for n, b in files.items()]
            return self.send_json(tree)
        if action == ["resolve"] and path in files:
            return self.send_weights(files[path], commit, fault if path.endswith(".safetensors") else None)
        return self.send(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})

    def send_pulls(self, model):
        pulls = [
            {"num": number, "author": {"name": author}, "title": "weights", "status": "open", "isPullRequest": True}
            | {"createdAt": "2023-05-01T00:00:00.000Z", "repo": {"name": model, "type": "model"}}
            for number, author in self.server.pulls.get(model, ())
        ]
        self.send_json({"discussions": pulls, "count": len(pulls), "start": 0})

    def send_weights(self, content, commit, fault):
        headers = {"X-Repo-Commit": commit, "ETag": f'"{_oid(content)}"'}
        if fault == "other":
            content = content[:-1] + bytes([content[-1] ^ 1])
        half = 0 if self.headers.get("Range") else len(content) // 2
        self.send_file(content, headers, cut_at=half if fault in ("cut", "silent") else None, silent=fault == "silent")


def _oid(content):
    return hashlib.sha256(content).hexdigest()  # as the hub names its large files
