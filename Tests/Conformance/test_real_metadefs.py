"""The clients' commands about metadata definitions with a real Keystone, which is running and named by KEYSTONE_URL
(Tests/Backends/keystone.sh env). Part of `make conformance`; everything else about them is in Tests/System."""

import os

import pytest
import requests

from clients import GlanceCommand, OpenStackCommand
from metadef_walks import walk_with_glance, walk_with_openstack
from metadefs import Actor
from services import User

KEYSTONE = os.environ["KEYSTONE_URL"]
PASSWORD = os.environ["KEYSTONE_PASSWORD"]
ACCOUNT = {
    "auth_url": KEYSTONE,
    "auth_type": "password",
    "username": "glance",
    "password": PASSWORD,
    "project_name": "service",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}


def credentials(user):
    """What both commands log in with."""
    return [
        *("--os-auth-url", f"{KEYSTONE}/v3", "--os-username", user.name, "--os-password", PASSWORD),
        *("--os-project-name", user.project, "--os-user-domain-id", "default", "--os-project-domain-id", "default"),
    ]


class OpenStack(OpenStackCommand):
    def options(self):
        self.environment["OS_IMAGE_ENDPOINT_OVERRIDE"] = self.deployment.url
        return ["--os-identity-api-version", "3", *credentials(self.user)]


class Glance(GlanceCommand):
    def options(self):
        return [*credentials(self.user), "--os-image-url", self.deployment.url]


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    lines = [f"{name} = {value}" for name, value in ACCOUNT.items()]
    deployment = shared_deployments.prepare(auth="keystone", options={"api": {"keystone_authtoken": lines}})
    for name, project in (("admin", "admin"), ("demo", "demo"), ("other", "other")):
        deployment.users[name] = User(name, project, "", PASSWORD)
    return deployment.start()


def actor(deployment, name):
    who = deployment.users[name]
    domain = {"id": "default"}
    user = {"name": who.name, "domain": domain, "password": PASSWORD}
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": who.project, "domain": domain}},
        }
    }
    answer = requests.post(f"{KEYSTONE}/v3/auth/tokens", json=body, timeout=30)
    answer.raise_for_status()
    actor = Actor(deployment, name)
    actor.session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
    return actor


def test_a_life_with_openstack(deployment):
    walk_with_openstack(OpenStack(deployment, "admin"), actor(deployment, "admin"), "Client::OpenStack")


def test_a_life_with_glance(deployment):
    walk_with_glance(Glance(deployment, "admin"), "Client::Glance")


@pytest.mark.parametrize("command, create", [
    (OpenStack, ("image", "metadef", "namespace", "create")), (Glance, ("md-namespace-create",)),
])  # fmt: skip
def test_who_is_no_administrator_reads_what_is_public(deployment, command, create):
    admin = actor(deployment, "admin")
    show = (*create[:-1], "show") if len(create) > 1 else ("md-namespace-show",)
    for name, visibility in (("Seen", "public"), ("Unseen", "private")):
        admin("POST", "", 201, json={"namespace": name, "visibility": visibility})
    member = command(deployment, "demo")
    assert "Seen" in member.run(*show, "Seen")
    with pytest.raises(RuntimeError, match="404|No Namespace|not found"):
        member.run(*show, "Unseen")
    with pytest.raises(RuntimeError, match="403"):
        member.run(*create, "Mine")
    for name in ("Seen", "Unseen"):
        admin("DELETE", f"/{name}", 204)
