"""Where data is: `locations` in PATCH, and data that stays on a web server."""

import base64
import collections
import hashlib
import re
import subprocess
import threading

import pytest
import requests

from audit import rows
from clients import GlanceCommand, SDK
from located_images import DATA, V20, V21, Images, admin, deployment, held, member, options, refusal, source, start
from web_source import WebSource


# --- PATCH ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", [V21, V20])
def test_a_queued_image_becomes_active_with_its_first_location(member, source, media_type):
    image_id = member.create()
    value = {"url": source.url + "/data", "metadata": {"k": {"deep": 1}}}
    operation = {"op": "add", "path": "/locations/-", "value": value}
    if media_type == V20:
        operation = {"add": "/locations/-", "value": value}
    answer = member.patch(image_id, operation, media_type=media_type)
    assert answer.status_code == 200, answer.text
    record = answer.json()
    assert record["status"] == "active" and record["size"] == len(DATA)
    assert record["locations"] == [value] and record["direct_url"] == value["url"]
    assert record["checksum"] is None
    assert record == member.show(image_id)
    assert record in member.request("GET", "?name=located&limit=1000").json()["images"]
    assert member.request("GET", f"/{image_id}/file").content == DATA
    part = member.request("GET", f"/{image_id}/file", headers={"Range": "bytes=100-299"})
    assert part.status_code == 206 and part.content == DATA[100:300]
    assert member.request("DELETE", f"/{image_id}").status_code == 204
    assert source.files["/data"] == DATA


def test_positions_replacement_and_removal(member, admin, source):
    image_id = member.create()
    data, same, other = (source.url + path for path in ("/data", "/same", "/equal"))
    assert member.add(image_id, data).status_code == 200
    refusal(member.add(image_id, source.url + "/other"), 400, "there are 5000 bytes, but the image has 1048576")
    assert member.add(image_id, same, 0).status_code == 200
    assert member.add(image_id, other, 1).status_code == 200
    assert [at["url"] for at in member.show(image_id)["locations"]] == [same, other, data]
    marked = [{"url": url, "metadata": {"n": n}} for n, url in enumerate((data, same, other))]
    assert member.replace(image_id, *marked).json()["locations"] == marked
    refusal(member.replace(image_id, marked[0]), 400, "Original locations is not empty")
    twice = [*marked, {"url": data, "metadata": {"n": 3}}]
    refusal(member.replace(image_id, *twice), 400, "Original locations is not empty")
    refusal(member.replace(image_id), 403, "Cannot set locations to empty list.")
    assert member.remove(image_id, 0).status_code == 403
    assert [at["url"] for at in admin.remove(image_id, 0).json()["locations"]] == [same, other]
    assert [at["url"] for at in admin.remove(image_id, "-").json()["locations"]] == [same]
    refusal(admin.remove(image_id, 0), 403, "Cannot remove last location in the image.")


def test_a_change_is_done_whole_or_not_at_all(member, source):
    image_id = member.create()
    answer = member.patch(
        image_id,
        {"op": "replace", "path": "/name", "value": "changed"},
        {"op": "add", "path": "/locations/-", "value": {"url": source.url + "/data", "metadata": {}}},
        {"op": "add", "path": "/locations/-", "value": {"url": source.url + "/absent", "metadata": {}}},
    )
    refusal(answer, 400, "Invalid location")
    record = member.show(image_id)
    assert (record["name"], record["status"], record["locations"]) == ("located", "queued", [])
    answer = member.patch(
        image_id,
        {"op": "replace", "path": "/name", "value": "changed"},
        {"op": "add", "path": "/locations/-", "value": {"url": source.url + "/data", "metadata": {}}},
    )
    assert (answer.json()["name"], answer.json()["status"]) == ("changed", "active")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "filesystem:///etc/passwd", "swift+config://ref/a/b", "rbd://pool/image", "unknown://x",
        "http://", "http:///x", "x", "", "http://127.1/data", "http://0x7f000001/", "http://2130706433/",
        "http://localhost:1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/refused",
        "ftp://127.0.0.1/data", "http://127.0.0.1\\@other/", "http://no-such-host.invalid/",
    ],
)  # fmt: skip
def test_locations_that_nobody_may_name(member, url):
    image_id = member.create()
    refusal(member.add(image_id, url), 400, "Invalid location")
    record = member.show(image_id)
    assert record["status"] == "queued" and record["locations"] == []


def test_the_files_of_other_images_cannot_be_named(deployment, member, source):
    victim = member.create()
    member.request(
        "PUT", f"/{victim}/file", data=b"secret", headers={"Content-Type": "application/octet-stream"}
    ).raise_for_status()
    url = member.show(victim)["locations"][0]["url"]
    assert url.startswith("file://")
    other = Images(deployment, "other")
    thief = other.create()
    refusal(other.add(thief, url), 400, "Invalid location")
    refusal(other.post(thief, url), 403, "http store must be enabled")
    refusal(Images(deployment, "service").request("POST", f"/{thief}/locations", json={"url": url}), 404, "")
    # Nor by metadata that names its store.
    record = other.add(thief, source.url + "/data", metadata={"store": "file"}).json()
    assert record["locations"] == [{"url": source.url + "/data", "metadata": {}}]
    assert other.request("GET", f"/{thief}/file").content == DATA


def test_refusals_of_what_a_source_answers(member, source):
    silent = source.behaviour
    silent["/chunked"] = lambda handler: (handler.send_response(200), handler.end_headers())
    silent["/503"] = lambda handler: source.send(handler, 503)
    silent["/403"] = lambda handler: source.send(handler, 403)
    urls = [source.url + path for path in ("/absent", "/empty", "/503", "/403", "/chunked")]
    urls += [
        source.redirect("/to-file", "file:///etc/passwd"),
        source.redirect("/to-link", "http://169.254.169.254/"),
        source.redirect("/loop", "/loop"),
        source.redirect("/permanent", "/data", status=308),
    ]
    image_id = member.create()
    for url in urls:
        refusal(member.add(image_id, url), 400, "Invalid location")


def test_redirects_are_followed_and_credentials_stay_where_they_belong(member, source):
    elsewhere = WebSource()
    try:
        target = elsewhere.add("/data", DATA)
        url = source.redirect("/hop", target).replace("http://", "http://user:pa%73s@")
        image_id = member.create()
        assert member.add(image_id, url).status_code == 200
        assert member.request("GET", f"/{image_id}/file").content == DATA
        first = [headers for _, path, headers in source.requests if path == "/hop"]
        assert first and all(
            headers["Authorization"] == "Basic " + base64.b64encode(b"user:pass").decode() for headers in first
        )
        assert elsewhere.requests and all("Authorization" not in headers for _, _, headers in elsewhere.requests)
    finally:
        elsewhere.close()


def test_status_repetition_and_quota(member, source):
    image_id = member.create(disk_format=None)
    refusal(member.add(image_id, source.url + "/data"), 400, "Property disk_format must be set prior to saving data.")
    image_id = member.create()
    refusal(member.remove(image_id, 0), 403, "delete_image_location")
    assert member.add(image_id, source.url + "/data").status_code == 200
    refusal(member.add(image_id, source.url + "/data"), 400, "already exists")
    refusal(member.add(image_id, source.url + "/other", "x"), 400, "Invalid position for adding a location.")
    for number in range(9):
        assert member.add(image_id, source.url + "/data", metadata={"n": number}).status_code == 200
    refusal(member.add(image_id, source.url + "/other"), 413, "Attempted: 11, Maximum: 10")
    member.request("POST", f"/{image_id}/actions/deactivate").raise_for_status()
    refusal(member.add(image_id, source.url + "/other"), 409, "if image status is deactivated.")
    record = member.show(image_id)
    assert record["locations"] == [] and "direct_url" not in record


def test_validation_data_is_kept_and_not_shown(member, source):
    image_id = member.create()
    value = hashlib.sha512(DATA).hexdigest()
    checksum = hashlib.md5(DATA).hexdigest()
    validation = {"checksum": checksum, "os_hash_algo": "sha512", "os_hash_value": value}
    record = member.add(image_id, source.url + "/data", validation_data=validation).json()
    assert (record["checksum"], record["os_hash_algo"], record["os_hash_value"]) == (checksum, "sha512", value)
    assert record["locations"] == [{"url": source.url + "/data", "metadata": {}}]
    wrong = {"os_hash_algo": "sha256", "os_hash_value": "00" * 32}
    refusal(
        member.add(member.create(), source.url + "/data", validation_data=wrong), 409, "os_hash_algo must be sha512"
    )


def test_who_sees_and_changes_locations(deployment, member, admin, source):
    image_id = member.create()
    assert member.add(image_id, source.url + "/data").status_code == 200
    admin.patch(image_id, {"op": "replace", "path": "/visibility", "value": "public"})
    other = Images(deployment, "other")
    record = other.show(image_id)
    assert record["locations"] == [] and "direct_url" not in record
    assert Images(deployment, "reader").show(image_id)["locations"] != []
    assert other.add(image_id, source.url + "/same").status_code == 403
    assert Images(deployment, "reader").add(image_id, source.url + "/same").status_code == 403
    assert other.request("GET", f"/{image_id}/file").content == DATA


def test_without_the_options_locations_are_neither_shown_nor_changed(deployments, source):
    deployment = start(deployments, options={"api": options()["api"] | {"DEFAULT": []}})
    member = Images(deployment)
    image_id = member.create()
    refusal(member.add(image_id, source.url + "/data"), 403, "if locations are invisible.")
    record = member.show(image_id)
    assert "locations" not in record and "direct_url" not in record
    # The newer API does not depend on them.
    assert member.post(image_id, source.url + "/data").status_code == 202
    assert member.wait(image_id, status="active")["size"] == len(DATA)


def test_this_machine_is_not_read_from_unless_it_is_listed(deployments, source):
    deployment = start(
        deployments, options={"api": options()["api"] | {"import_filtering_opts": ["allowed_ports ="]}}
    )
    member = Images(deployment)
    image_id = member.create()
    seen = len(source.requests)
    for url in (source.url, f"http://localhost:{source.port}", f"http://[::ffff:127.0.0.1]:{source.port}"):
        refusal(member.add(image_id, url + "/data"), 400, "Invalid location")
        refusal(member.post(image_id, url + "/data"), 400, "URI for add location does not pass filtering: " + url)
    assert len(source.requests) == seen


# --- Downloads --------------------------------------------------------------------------------------------------------


def test_a_download_goes_on_at_the_next_location(member, source):
    image_id = member.create()
    first = source.add(f"/{image_id}", DATA)
    assert member.add(image_id, first).status_code == 200
    assert member.add(image_id, source.url + "/same").status_code == 200
    del source.files[f"/{image_id}"]
    assert member.request("GET", f"/{image_id}/file").content == DATA
    source.behaviour[f"/{image_id}"] = lambda handler: source.send(handler, 500)
    assert member.request("GET", f"/{image_id}/file").content == DATA
    source.behaviour[f"/{image_id}"] = lambda handler: source.send(handler, 200, b"another length")
    assert member.request("GET", f"/{image_id}/file").content == DATA


def test_a_source_that_is_gone_is_told_from_data_that_is_gone(member, source):
    image_id = member.create()
    path = f"/{image_id}"
    assert member.add(image_id, source.add(path, DATA)).status_code == 200
    del source.files[path]
    assert member.request("GET", f"/{image_id}/file").status_code == 204
    source.behaviour[path] = lambda handler: source.send(handler, 503)
    assert member.request("GET", f"/{image_id}/file").status_code == 503
    source.behaviour[path] = lambda handler: source.send(handler, 401)
    assert member.request("GET", f"/{image_id}/file").status_code == 400
    # What breaks off in the middle is no whole image.
    source.behaviour[path] = lambda handler: source.send(handler, 200, DATA[:1000], length=len(DATA))
    with pytest.raises(requests.RequestException):
        member.request("GET", f"/{image_id}/file")
    # A source without ranges is read from its beginning.
    source.behaviour[path] = lambda handler: source.send(handler, 200, DATA)
    part = member.request("GET", f"/{image_id}/file", headers={"Range": "bytes=5000-5999"})
    assert part.status_code == 206 and part.content == DATA[5000:6000]


def test_certificates_are_verified(deployments, tmp_path):
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    source = WebSource(WebSource.tls(certificate, key))
    try:
        url = source.add("/data", DATA)
        for lines, status in (
            ([], 400),
            ([f"https_ca_certificates_file = {certificate}"], 200),
            (["https_insecure = true"], 200),
        ):
            deployment = start(deployments, options=options(glance_store=lines))
            member = Images(deployment)
            image_id = member.create()
            assert member.add(image_id, url).status_code == status, lines
            if status == 200:
                assert member.request("GET", f"/{image_id}/file").content == DATA
    finally:
        source.close()


def test_several_stores(deployments, source):
    deployment = deployments.prepare(auth="trusted_headers", stores=("fast",), options=options(web=["weight = 5"]))
    deployment.options["api"]["DEFAULT"].append("enabled_backends = fast:file, web:http")
    deployment.start()
    member = Images(deployment)
    stores = member.session.get(f"{deployment.url}/v2/info/stores", timeout=10).json()["stores"]
    assert stores == [{"id": "fast", "default": "true"}, {"id": "web", "read-only": "true"}]
    image_id = member.create()
    headers = {"Content-Type": "application/octet-stream"}
    member.request("PUT", f"/{image_id}/file", data=DATA, headers=headers).raise_for_status()
    assert member.add(image_id, source.url + "/data", metadata={"store": "fast"}).status_code == 200
    marked = [{"url": source.url + "/data", "metadata": {"store": "web", "n": n}} for n in (1, 2)]
    for one in marked:
        assert member.add(image_id, **one).status_code == 200
    assert member.show(image_id)["locations"][1:3] == marked
    admin = Images(deployment, "admin")
    for position in (2, 1):
        assert admin.remove(image_id, position).status_code == 200
    record = member.show(image_id)
    assert record["stores"] == "web,fast"
    assert record["locations"][0] == {"url": source.url + "/data", "metadata": {"store": "web"}}
    assert record["direct_url"] == source.url + "/data"
    upload = member.request("PUT", f"/{member.create()}/file", data=b"x", headers=headers | {"x-image-meta-store": "web"})
    assert upload.status_code == 410
    # What is removed of a file store is deleted.
    position = [at["metadata"]["store"] for at in record["locations"]].index("fast")
    stored = deployment.stores["fast"] / image_id
    assert stored.exists()
    answer = admin.remove(image_id, position)
    assert answer.status_code == 200 and not stored.exists()
    assert member.request("GET", f"/{image_id}/file").content == DATA
    assert rows(deployment, "SELECT count(*) FROM image_locations WHERE state <> 'live'") == [(0,)]


# --- Stock clients, and what it costs ---------------------------------------------------------------------------------


def test_glanceclient_leads_locations_through_their_life(deployments, source):
    deployment = deployments.start(auth="noauth", options=options())
    glance = GlanceCommand(deployment, "admin")
    created = glance.table("image-create", "--disk-format", "raw", "--container-format", "bare", "--name", "x")
    image_id = dict(created)["id"]
    url, same = source.url + "/data", source.url + "/same"
    assert dict(glance.table("location-add", "--url", url, image_id))["status"] == "active"
    glance.run("location-add", "--url", same, "--metadata", '{"k": "v"}', image_id)
    glance.run("location-update", "--url", url, "--metadata", '{"k": "w"}', image_id)
    images = Images(deployment, "admin")
    assert images.show(image_id)["locations"] == [
        {"url": url, "metadata": {"k": "w"}}, {"url": same, "metadata": {"k": "v"}},
    ]  # fmt: skip
    glance.run("location-delete", "--url", url, image_id)
    assert images.show(image_id)["locations"] == [{"url": same, "metadata": {"k": "v"}}]
    path = deployment.directory / "downloaded"
    glance.download(image_id, path)
    assert path.read_bytes() == DATA


def test_openstacksdk_shows_locations(deployments, source):
    deployment = deployments.start(auth="noauth", options=options())
    images = Images(deployment, "admin")
    image_id = images.create()
    assert images.add(image_id, source.url + "/data").status_code == 200
    sdk = SDK(deployment, "admin")
    record = sdk.images.get_image(image_id)
    assert record.locations == [{"url": source.url + "/data", "metadata": {}}]
    assert record.direct_url == source.url + "/data"


def test_what_requests_about_locations_cost(deployment, member, source):
    def exchanges():
        text = deployment.registry.get("/metrics")
        row = re.compile(r'^registry_operation\w*_count\{.*operation="((?:images|uploads)\.\w+)".*\} (\S+)$', re.M)
        return collections.Counter({name: int(float(count)) for name, count in row.findall(text)})

    def costs(*operations, do):
        before = exchanges()
        assert do().status_code in (200, 202)
        assert exchanges() - before == collections.Counter(operations)

    image_id = member.create()
    costs("images.show", "images.relocate", do=lambda: member.add(image_id, source.url + "/data"))
    costs("images.show", do=lambda: Images(deployment, "admin").request("GET", f"/{image_id}/locations"))
    # What is read behind the answer is not read before it was counted.
    is_counted = threading.Event()
    source.behaviour["/later"] = held(source, lambda: is_counted.wait(60))
    other = member.create()
    costs("images.show", "images.relocate", do=lambda: member.post(other, source.url + "/later"))
    is_counted.set()
    member.wait(other, os_hash_algo="sha512")
