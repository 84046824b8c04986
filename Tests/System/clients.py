"""The stock clients, each behind the same few verbs, so that one test can lead an image's life with any of them.

An endpoint given with HTTP Basic credentials is used as it is by openstacksdk, and so by `openstack`: it has to name
the version. With no authentication they ask the root which versions there are, and glanceclient always does.
"""

import functools
import json
import os
import pty

import glanceclient
import keystoneauth1.loading
import keystoneauth1.session
import openstack

from warm_program import WarmProgram

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@functools.cache
def warm(name, module):
    return WarmProgram(name, module, ENVIRONMENT)


class CommandLine:
    """Runs a client's command in a clean environment; a failure is a RuntimeError that says what it said."""

    program = None

    def __init__(self, deployment, user):
        self.deployment = deployment
        self.user = deployment.users[user]
        self.home = deployment.directory / "home"
        self.home.mkdir(exist_ok=True)
        self.environment = {**ENVIRONMENT, "HOME": str(self.home)}

    def run(self, *arguments):
        # A terminal, as before a person: `glance image-create` takes any other standard input for the image's data.
        terminal, stdin = pty.openpty()
        try:
            words = [str(a) for a in (*self.options(), *arguments)]
            status, output, errors = warm(*self.program).run(words, stdin, self.home, self.environment, 120)
        finally:
            os.close(terminal)
            os.close(stdin)
        if status != 0:
            raise RuntimeError(f"{arguments}: {output}{errors}")
        return output


class OpenStackCommand(CommandLine):
    """`openstack`, which creates and uploads in one go."""

    program = ("openstack", "openstackclient.shell")

    def options(self):
        if self.deployment.auth == "noauth":
            return ["--os-auth-type", "none", "--os-endpoint", self.deployment.url]
        endpoint = ["--os-auth-type", "http_basic", "--os-endpoint", self.deployment.url + "/v2"]
        return [*endpoint, "--os-username", self.user.name, "--os-password", self.user.password]

    def create_and_upload(self, image, name, properties):
        arguments = ["--disk-format", image.disk_format, "--container-format", image.container_format]
        for key, value in properties.items():
            arguments += ["--property", f"{key}={value}"]
        return json.loads(self.run("image", "create", "-f", "json", *arguments, "--file", image.path, name))["id"]

    def show(self, image_id):
        record = json.loads(self.run("image", "show", "-f", "json", image_id))
        return {**record.pop("properties", {}), **record}

    def list(self):
        return {row["ID"] for row in json.loads(self.run("image", "list", "-f", "json"))}

    def set_property(self, image_id, name, value):
        self.run("image", "set", "--property", f"{name}={value}", image_id)

    def unset_property(self, image_id, name):
        self.run("image", "unset", "--property", name, image_id)

    def add_tag(self, image_id, tag):
        self.run("image", "set", "--tag", tag, image_id)

    def remove_tag(self, image_id, tag):
        self.run("image", "unset", "--tag", tag, image_id)

    def download(self, image_id, path):
        self.run("image", "save", "--file", path, image_id)

    def deactivate(self, image_id):
        self.run("image", "set", "--deactivate", image_id)

    def reactivate(self, image_id):
        self.run("image", "set", "--activate", image_id)

    def delete(self, image_id):
        self.run("image", "delete", image_id)


class GlanceCommand(CommandLine):
    """`glance`, which reads the image schema to learn what it may say; its only output is a table."""

    program = ("glance", "glanceclient.shell")

    def options(self):
        return ["--os-image-url", self.deployment.url, "--os-auth-token", "any"]

    def table(self, *arguments):
        rows = [line.split("|")[1:-1] for line in self.run(*arguments).splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in row] for row in rows[1:]]

    def create_and_upload(self, image, name, properties):
        arguments = ["--disk-format", image.disk_format, "--container-format", image.container_format, "--name", name]
        for key, value in properties.items():
            arguments += ["--property", f"{key}={value}"]
        image_id = dict(self.table("image-create", *arguments))["id"]
        self.run("image-upload", "--file", image.path, image_id)
        return image_id

    def show(self, image_id):
        record = dict(self.table("image-show", "--max-column-width", "300", image_id))
        return {**record, "tags": json.loads(record["tags"].replace("'", '"')), "size": int(record["size"])}

    def list(self):
        return {row[0] for row in self.table("image-list")}

    def set_property(self, image_id, name, value):
        self.run("image-update", "--property", f"{name}={value}", image_id)

    def unset_property(self, image_id, name):
        self.run("image-update", "--remove-property", name, image_id)

    def add_tag(self, image_id, tag):
        self.run("image-tag-update", image_id, tag)

    def remove_tag(self, image_id, tag):
        self.run("image-tag-delete", image_id, tag)

    def download(self, image_id, path):
        self.run("image-download", "--file", path, image_id)

    def deactivate(self, image_id):
        self.run("image-deactivate", image_id)

    def reactivate(self, image_id):
        self.run("image-reactivate", image_id)

    def delete(self, image_id):
        self.run("image-delete", image_id)


class SDK:
    """openstacksdk as a library."""

    def __init__(self, deployment, user):
        who = deployment.users[user]
        auth = {"endpoint": deployment.url}
        if deployment.auth == "http_basic":
            auth = {"endpoint": deployment.url + "/v2", "username": who.name, "password": who.password}
        self.images = openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            auth_type="none" if deployment.auth == "noauth" else "http_basic",
            auth=auth,
        ).image

    def create_and_upload(self, image, name, properties):
        record = self.images.create_image(
            name, disk_format=image.disk_format, container_format=image.container_format, **properties
        )
        assert record.status == "queued"
        with image.path.open("rb") as data:
            record.upload(self.images, data=data)
        return record.id

    def show(self, image_id):
        record = self.images.get_image(image_id).to_dict(original_names=True)
        properties = record.pop("properties")
        return {name: value for name, value in {**record, **properties}.items() if value is not None}

    def list(self):
        return {record.id for record in self.images.images()}

    def set_property(self, image_id, name, value):
        self.images.update_image(image_id, **{name: value})

    def unset_property(self, image_id, name):
        change = [{"op": "remove", "path": f"/{name}"}]
        media_type = "application/openstack-images-v2.1-json-patch"
        answer = self.images.patch(f"/images/{image_id}", json=change, headers={"Content-Type": media_type})
        assert answer.status_code == 200, answer.text

    def add_tag(self, image_id, tag):
        self.images.add_tag(image_id, tag)

    def remove_tag(self, image_id, tag):
        self.images.remove_tag(image_id, tag)

    def download(self, image_id, path):
        self.images.download_image(image_id, output=str(path))

    def deactivate(self, image_id):
        self.images.deactivate_image(image_id)

    def reactivate(self, image_id):
        self.images.reactivate_image(image_id)

    def delete(self, image_id):
        self.images.delete_image(image_id, ignore_missing=False)


class GlanceLibrary:
    """python-glanceclient as a library, over a keystoneauth session that sends HTTP Basic credentials."""

    def __init__(self, deployment, user):
        who = deployment.users[user]
        loader = keystoneauth1.loading.get_plugin_loader("http_basic")
        plugin = loader.load_from_options(endpoint=deployment.url, username=who.name, password=who.password)
        self.client = glanceclient.Client("2", session=keystoneauth1.session.Session(auth=plugin))

    def create_and_upload(self, image, name, properties):
        record = self.client.images.create(
            name=name, disk_format=image.disk_format, container_format=image.container_format, **properties
        )
        assert record.status == "queued"
        with image.path.open("rb") as data:
            self.client.images.upload(record.id, data)
        return record.id

    def show(self, image_id):
        return dict(self.client.images.get(image_id))

    def list(self):
        return {record.id for record in self.client.images.list()}

    def set_property(self, image_id, name, value):
        self.client.images.update(image_id, **{name: value})

    def unset_property(self, image_id, name):
        self.client.images.update(image_id, remove_props=[name])

    def add_tag(self, image_id, tag):
        self.client.image_tags.update(image_id, tag)

    def remove_tag(self, image_id, tag):
        self.client.image_tags.delete(image_id, tag)

    def download(self, image_id, path):
        with open(path, "wb") as file:
            for chunk in self.client.images.data(image_id):
                file.write(chunk)

    def deactivate(self, image_id):
        self.client.images.deactivate(image_id)

    def reactivate(self, image_id):
        self.client.images.reactivate(image_id)

    def delete(self, image_id):
        self.client.images.delete(image_id)
