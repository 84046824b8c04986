"""`os_glance_filter` and `os_glance_newest` through the real programs; docs/search.md is what they are held to."""

import pytest

V21 = "application/openstack-images-v2.1-json-patch"
IMAGES = [
    {"name": "debian-11", "os_distro": "debian", "os_version": "11", "tags": ["lts"]},
    {"name": "debian-12", "os_distro": "debian", "os_version": "12", "tags": ["lts", "current"]},
    {"name": "debian-sid", "os_distro": "debian", "os_version": "sid"},
    {"name": "ubuntu-9.10", "os_distro": "ubuntu", "os_version": "9.10"},
    {"name": "ubuntu-22.04", "os_distro": "ubuntu", "os_version": "22.04", "tags": ["lts"], "min_ram": 1024},
    {"name": "Deb, \"odd\" 100%", "trait:CUSTOM_X": "required"},
]


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return shared_deployments.start(auth="trusted_headers")


@pytest.fixture(scope="module")
def session(deployment):
    return deployment.session("member")


@pytest.fixture(scope="module", autouse=True)
def images(deployment, session):
    for fields in IMAGES:
        make(deployment, session, **fields)


def make(deployment, session, active=True, **fields):
    body = {"disk_format": "raw", "container_format": "bare", **fields}
    created = session.post(f"{deployment.url}/v2/images", json=body)
    assert created.status_code == 201, created.text
    url = f"{deployment.url}/v2/images/{created.json()['id']}"
    if active:
        data = session.put(url + "/file", data=b"x", headers={"Content-Type": "application/octet-stream"})
        assert data.status_code == 204, data.text
    return url


def listing(deployment, session, *parameters):
    answer = session.get(f"{deployment.url}/v2/images", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(deployment, session, *conditions):
    parameters = [("sort", "name:asc"), *(("os_glance_filter", condition) for condition in conditions)]
    return [image["name"] for image in listing(deployment, session, *parameters)["images"]]


SEARCHES = [
    (["os_distro:in:debian,ubuntu", "tag:exists"], ["debian-11", "debian-12", "ubuntu-22.04"]),
    (["name:prefix:deb"], ["debian-11", "debian-12", "debian-sid"]),
    (["name:prefix:Deb"], ['Deb, "odd" 100%']),
    (["name:prefix:%"], []),
    (["os_version:gte:11", "os_version:lt:22.04"], ["debian-11", "debian-12"]),
    (["os_version:gt:9.1"], ["debian-11", "debian-12", "ubuntu-22.04"]),
    (["os_distro:neq:debian"], ['Deb, "odd" 100%', "ubuntu-22.04", "ubuntu-9.10"]),
    (["os_distro:nin:debian,ubuntu"], ['Deb, "odd" 100%']),
    (["os_distro:exists:false"], ['Deb, "odd" 100%']),
    (['"trait:CUSTOM_X":eq:required'], ['Deb, "odd" 100%']),
    (['name:in:"Deb, \\"odd\\" 100%",debian-11'], ['Deb, "odd" 100%', "debian-11"]),
    (["min_ram:gt:0"], ["ubuntu-22.04"]),
    (["status:neq:active"], []),
]


@pytest.mark.parametrize(("conditions", "expected"), SEARCHES)
def test_conditions_find_what_they_say(deployment, session, conditions, expected):
    assert names(deployment, session, *conditions) == expected


def test_conditions_work_beside_plain_parameters(deployment, session):
    page = listing(deployment, session, ("os_distro", "debian"), ("os_glance_filter", "tag:in:lts,current"), ("tag", "current"))
    assert [image["name"] for image in page["images"]] == ["debian-12"]


def test_the_links_of_a_page_keep_every_condition(deployment, session):
    parameters = [("limit", "1"), ("sort", "name:asc"), ("os_glance_filter", "name:prefix:deb"), ("os_glance_filter", "tag:exists")]
    page = listing(deployment, session, *parameters)
    found = []
    while True:
        found += [image["name"] for image in page["images"]]
        if "next" not in page:
            break
        assert page["next"].count("os_glance_filter=") == page["first"].count("os_glance_filter=") == 2
        page = session.get(deployment.url + page["next"]).json()
    assert found == ["debian-11", "debian-12"]


def test_nobody_finds_what_is_not_theirs(deployment, session):
    assert names(deployment, deployment.session("other"), "name:prefix:deb") == []
    assert len(names(deployment, deployment.session("admin"), "name:prefix:deb")) == 3


REFUSED = [
    ("os_distro:like:debian", "unknown operator 'like'"),
    ("debian", "a colon must follow the field"),
    ("size:gt:large", "'large' is not a whole number"),
    ("created_at:gt:yesterday", "'yesterday' is not a time in ISO 8601"),
    ("visibility:eq:public", "'visibility' is a parameter of its own"),
    ("os_glance_stage_host:exists", "cannot be searched"),
]


@pytest.mark.parametrize(("condition", "phrase"), REFUSED)
def test_an_error_names_the_part_that_is_wrong(deployment, session, condition, phrase):
    answer = session.get(f"{deployment.url}/v2/images", params={"os_glance_filter": condition})
    assert answer.status_code == 400
    assert phrase in answer.json()["message"]


def test_too_many_conditions_are_refused(deployment, session):
    def ask(count):
        parameters = [("os_glance_filter", f"p{n}:neq:x") for n in range(count)]
        return session.get(f"{deployment.url}/v2/images", params=parameters).status_code

    assert (ask(16), ask(17)) == (200, 400)


def test_the_most_that_one_request_may_ask_is_answered(deployment, session):
    values = ",".join(f"v{n}" for n in range(100))
    parameters = [("os_glance_filter", f"p{n}:nin:{values}") for n in range(16)]
    assert len(listing(deployment, session, *parameters)["images"]) == len(IMAGES)


def newest(deployment, session, family, *more):
    page = listing(deployment, session, ("os_glance_newest", family), *more)
    assert "next" not in page and page["schema"] == "/v2/schemas/images"
    assert len(page["images"]) <= 1
    return page["images"][0]["name"] if page["images"] else None


def test_the_newest_of_a_family_is_found_in_one_request(deployment, session):
    assert newest(deployment, session, "tag:none") is None
    make(deployment, session, name="first", os_family="bsd", tags=["release"])
    assert newest(deployment, session, "os_family:bsd") == "first"
    second = make(deployment, session, name="second", os_family="bsd")
    make(deployment, session, name="hidden", os_family="bsd", os_hidden=True)
    make(deployment, session, active=False, name="queued", os_family="bsd")
    make(deployment, deployment.session("other"), name="somebody's", os_family="bsd")
    assert newest(deployment, session, "os_family:bsd") == "second"
    assert newest(deployment, session, "os_family:bsd", ("limit", "20"), ("sort", "name:asc")) == "second"
    assert newest(deployment, session, "os_family:bsd", ("os_glance_filter", "tag:eq:release")) == "first"
    assert newest(deployment, session, "tag:release", ("os_family", "bsd")) == "first"
    assert newest(deployment, session, "name:second") == "second"
    admin = deployment.session()
    assert admin.post(second + "/actions/deactivate").status_code == 204
    assert newest(deployment, session, "os_family:bsd") == "first"


@pytest.mark.parametrize("other", ["os_hidden=true", "marker=5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11"])
def test_the_newest_cannot_be_combined_with_what_contradicts_it(deployment, session, other):
    answer = session.get(f"{deployment.url}/v2/images?os_glance_newest=tag:x&{other}")
    assert answer.status_code == 400
    assert "os_glance_newest" in answer.json()["message"]


def test_stock_clients_lists_are_not_touched(deployment, session):
    """The parameters' names are reserved, so that no image can have such a property."""
    body = {"name": "x", "os_glance_filter": "x"}
    assert session.post(f"{deployment.url}/v2/images", json=body).status_code == 403
