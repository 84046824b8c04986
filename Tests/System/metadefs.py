"""Requests about metadata definitions, and what their tests share."""

from services import ROOT

BASE = "/v2/metadefs/namespaces"
DEFINITION = {"title": "T", "type": "string"}
CATALOGUE = ROOT / "deploy" / "metadefs"


class Actor:
    """Somebody's requests: `actor(method, path)`, where a path below the namespaces needs nothing in front."""

    def __init__(self, deployment, user):
        self.url = deployment.url
        self.session = deployment.session(user)

    def __call__(self, method, path, status=200, **arguments):
        path = path if path.startswith("/v2") else BASE + path
        answer = self.session.request(method, self.url + path, timeout=30, **arguments)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        if status in (200, 201):
            return answer.json()
        return answer
