"""Policy files, property protections and glance-policy with the real programs."""

import json
import re
import subprocess

import pytest

from services import PROGRAMS, ROOT, User

PATCH_TYPE = "application/openstack-images-v2.1-json-patch"
PROTECTIONS = """\
[^vendor_.*]
create = admin,packager
read = @
update = admin
delete = !
[.*]
create = member,admin
read = member,admin
update = member,admin
delete = member,admin
"""


def policy(*arguments, **more):
    return subprocess.run(
        [PROGRAMS / "glance-policy", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, **more
    )


def put_in_place(path, text):
    """At once, as a rename does it."""
    new = path.with_name("new")
    new.write_text(text)
    new.rename(path)


@pytest.fixture(scope="module")
def plain(shared_deployments):
    return shared_deployments.start(auth="trusted_headers")


@pytest.fixture(scope="module")
def protected(shared_deployments):
    deployment = shared_deployments.prepare(
        auth="trusted_headers", options={"api": {"DEFAULT": ["property_protection_file = protections.conf"]}}
    )
    (deployment.directory / "protections.conf").write_text(PROTECTIONS)
    deployment.users["packager"] = User("packager", "demo", "packager,member,reader")
    return deployment.start()


class TestPolicyFile:
    @pytest.fixture
    def deployment(self, plain):
        return plain

    def test_a_change_counts_for_the_very_next_request(self, deployment):
        file = deployment.directory / "policy.yaml"
        member = deployment.session("member")
        for _ in range(20):
            put_in_place(file, 'get_images: "role:admin"\n')
            assert member.get(f"{deployment.url}/v2/images", timeout=10).status_code == 403
            put_in_place(file, 'get_images: ""\n')
            assert member.get(f"{deployment.url}/v2/images", timeout=10).status_code == 200
        file.unlink()

    def test_a_refusal_is_told_with_its_rule_in_the_log_alone(self, deployment):
        member = deployment.session("member")
        answer = member.post(f"{deployment.url}/v2/images", json={"visibility": "public"}, timeout=10)
        assert answer.status_code == 403
        assert answer.json()["message"] == "You are not authorized to complete publicize_image action."
        refusals = [line for line in deployment.api.log.splitlines() if "A request was refused" in line]
        assert "policy rule 'publicize_image' does not hold" in refusals[-1]

    def test_a_broken_file_leaves_the_rules_of_before(self, deployment):
        file = deployment.directory / "policy.yaml"
        put_in_place(file, 'get_images: "!"\n')
        member = deployment.session("member")
        assert member.get(f"{deployment.url}/v2/images", timeout=10).status_code == 403
        put_in_place(file, 'get_images: "@"\nadd_image: "unclosed\n')
        for _ in range(3):
            assert member.get(f"{deployment.url}/v2/images", timeout=10).status_code == 403
        assert len(re.findall(rf"{file}:\d+", deployment.api.log)) == 1
        file.unlink()

    def test_who_is_an_administrator_is_a_rule(self, deployment):
        file = deployment.directory / "policy.yaml"
        deployment.users["boss"] = User("boss", "boss", "boss")
        boss = deployment.session("boss")
        created = deployment.session("member").post(f"{deployment.url}/v2/images", json={"visibility": "private"}, timeout=10)
        image = f"{deployment.url}/v2/images/{created.json()['id']}"
        assert boss.get(image, timeout=10).status_code == 404
        put_in_place(file, 'context_is_admin: "role:boss"\n')
        assert boss.get(image, timeout=10).status_code == 200
        put_in_place(file, 'context_is_admin: "user_id:boss and not project_id:other"\n')
        assert boss.get(image, timeout=10).status_code == 200
        file.unlink()

    def test_a_broken_file_keeps_the_service_from_starting(self, deployments):
        deployment = deployments.prepare(auth="trusted_headers")
        (deployment.directory / "policy.yaml").write_text("get_images: [\n")
        with pytest.raises(AssertionError, match=r"policy\.yaml:\d+: "):
            deployment.start()


class TestPropertyProtections:
    @pytest.fixture
    def deployment(self, protected):
        return protected

    def create(self, deployment, user, **properties):
        return deployment.session(user).post(f"{deployment.url}/v2/images", json=properties, timeout=10)

    def patch(self, deployment, user, image_id, *operations):
        return deployment.session(user).patch(
            f"{deployment.url}/v2/images/{image_id}",
            data=json.dumps(operations),
            headers={"Content-Type": PATCH_TYPE},
            timeout=10,
        )

    def test_create(self, deployment):
        refused = self.create(deployment, "member", vendor_x="1")
        assert refused.status_code == 403
        assert "Attribute 'vendor_x' is reserved." in refused.json()["message"]
        created = self.create(deployment, "packager", vendor_x="1", note="n")
        assert created.status_code == 201
        assert created.json()["vendor_x"] == "1" and created.json()["note"] == "n"

    def test_what_a_caller_may_not_read_cannot_be_searched(self, deployment):
        assert self.create(deployment, "admin", note="s3cret", name="searched").status_code == 201
        tests = ("prefix:s", "gt:a", "in:s3cret,x", "in:s3cret", "exists:true", "neq:x", "eq:s3cret", "eq:x")
        for test in [f"os_glance_filter=note:{test}" for test in tests] + ["os_glance_newest=note:s3cret"]:
            url = f"{deployment.url}/v2/images?name=searched&{test}"
            answer = deployment.session("reader").get(url, timeout=10)
            assert answer.status_code == 403 and "Attribute 'note' is reserved." in answer.json()["message"], test
            assert deployment.session("member").get(url, timeout=10).status_code == 200, test

    def test_a_name_that_looks_alike_is_another_name(self, deployment):
        image = self.create(deployment, "admin", licence_K="1").json()["id"]
        lookalike = "licence_\u212a"
        for operation, code in (("add", 400), ("replace", 409), ("remove", 409)):
            change = {"op": operation, "path": f"/{lookalike}", "value": "2"}
            assert self.patch(deployment, "admin", image, change).status_code == code, operation
        assert self.patch(deployment, "admin", image, {"op": "add", "path": "/licence_K", "value": "3"}).status_code == 200
        shown = deployment.session("admin").get(f"{deployment.url}/v2/images/{image}", timeout=10).json()
        assert shown["licence_K"] == "3" and lookalike not in shown

    def test_what_a_caller_may_not_read_is_left_out_everywhere(self, deployment):
        image_id = self.create(deployment, "packager", vendor_x="1", note="n").json()["id"]
        reader = deployment.session("reader")
        shown = reader.get(f"{deployment.url}/v2/images/{image_id}", timeout=10).json()
        assert shown["vendor_x"] == "1" and "note" not in shown
        listed = reader.get(f"{deployment.url}/v2/images", timeout=10).json()["images"]
        assert all("note" not in image for image in listed)
        assert "note" in deployment.session("member").get(f"{deployment.url}/v2/images/{image_id}", timeout=10).json()

    def test_a_check_tells_no_more_of_properties_than_the_image(self, deployment):
        image_id = self.create(deployment, "packager", vendor_x="1", note="n").json()["id"]
        for user, names in (("reader", ["vendor_x"]), ("member", ["note", "vendor_x"])):
            path = f"{deployment.url}/v2/metadefs/os_glance_check?image={image_id}"
            problems = deployment.session(user).get(path, timeout=10).json()["problems"]
            assert [problem["property"] for problem in problems] == names

    def test_change(self, deployment):
        image_id = self.create(deployment, "packager", vendor_x="1").json()["id"]
        replace = {"op": "replace", "path": "/vendor_x", "value": "2"}
        remove = {"op": "remove", "path": "/vendor_x"}
        add = {"op": "add", "path": "/note", "value": "1"}
        refused = self.patch(deployment, "packager", image_id, add, replace)
        assert refused.status_code == 403 and "Attribute 'vendor_x' is reserved." in refused.json()["message"]
        assert "note" not in deployment.session("admin").get(f"{deployment.url}/v2/images/{image_id}", timeout=10).json()
        assert self.patch(deployment, "member", image_id, add).status_code == 200
        assert self.patch(deployment, "admin", image_id, replace).json()["vendor_x"] == "2"
        assert self.patch(deployment, "admin", image_id, remove).status_code == 403
        missing = self.patch(deployment, "admin", image_id, {"op": "remove", "path": "/vendor_y"})
        assert missing.status_code == 409 and "Property vendor_y does not exist." in missing.json()["message"]

    @pytest.mark.parametrize(
        "text, sentence",
        [
            ("[a(]\ncreate=@\nread=@\nupdate=@\ndelete=@\n", r"protections\.conf:1: section \[a\(\]: "),
            ("[a]\ncreate=@\n", r"protections\.conf:1: section \[a\]: read is missing"),
            ("[a]\n\ncreate=@,!\n", r"protections\.conf:3: section \[a\]: create has"),
        ],
    )
    def test_a_fault_keeps_the_service_from_starting(self, deployments, text, sentence):
        deployment = deployments.prepare(
            auth="trusted_headers", options={"api": {"DEFAULT": ["property_protection_file = protections.conf"]}}
        )
        (deployment.directory / "protections.conf").write_text(text)
        with pytest.raises(AssertionError, match=sentence):
            deployment.start()


class TestTool:
    def test_the_sample_is_a_policy_and_list_shows_where_rules_come_from(self, tmp_path):
        sample = policy("sample").stdout
        file = tmp_path / "policy.yaml"
        file.write_text("".join(line.removeprefix("#") + "\n" for line in sample.splitlines() if line.startswith('#"')))
        listed = policy("list", "--policy-file", file).stdout
        assert '"get_image": "rule:context_is_admin or (role:reader and (' in listed
        assert f"# {file}:1" in listed
        assert "# warning:" in listed

    def test_check_says_why(self, tmp_path):
        image = tmp_path / "image.json"
        image.write_text(json.dumps({"id": "i", "owner": "demo", "visibility": "public", "protected": False}))
        arguments = ["--roles", "member,reader", "--image", image, "--rule", "modify_image"]
        refused = policy("check", "--project", "other", *arguments)
        assert refused.returncode == 1, refused.stderr
        lines = [" ".join(line.split()) for line in refused.stdout.splitlines()]
        assert lines[0] == "modify_image: refused (default)"
        assert "role:member yes" in lines and "project_id:%(project_id)s no" in lines
        allowed = policy("check", "--project", "demo", *arguments)
        assert allowed.returncode == 0 and "modify_image: allowed" in allowed.stdout

    def test_a_token_is_understood(self, tmp_path):
        token = tmp_path / "token.json"
        token.write_text(json.dumps({"token": {"roles": [{"name": "Admin"}], "system": {"all": True}, "user": {"id": "u"}}}))
        refused = policy("check", "--token", token, "--rule", "publicize_image", "--rule", "context_is_admin")
        assert "publicize_image: refused, because the token is not for a project" in refused.stdout
        assert "context_is_admin: allowed" in refused.stdout

    @pytest.mark.parametrize("text", ["a: [", "- x", "a: 1", '"a": "b"\n"a": "c"'])
    def test_a_broken_file_is_told_with_its_line(self, tmp_path, text):
        file = tmp_path / "policy.yaml"
        file.write_text(text)
        answer = policy("list", "--policy-file", file)
        assert answer.returncode == 1
        assert re.search(rf"{file}:\d+: ", answer.stderr)

    def test_the_page_of_documentation_is_what_the_program_prints(self):
        page = (ROOT / "docs" / "policy.md").read_text()
        assert page == (ROOT / "docs" / "policy.head.md").read_text() + policy("sample", "--markdown").stdout, "run make docs"
