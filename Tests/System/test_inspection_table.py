"""This service's inspection of images beside that of oslo.utils: every difference is explained, and the page tells them."""

import importlib.metadata

import inspection_table
from services import ROOT

PAGE = ROOT / "docs/content-inspection.md"


def test_the_page_of_differences_is_true(deployments, images, pytestconfig):
    formats = "disk_formats = ami,ari,aki,vhd,vhdx,vmdk,raw,qcow2,vdi,iso,ploop,luks"
    deployment = deployments.start(auth="noauth", options={"api": {"image_format": [formats]}})
    findings = list(inspection_table.rows(deployment.session(), deployment.url, images))
    for image, ours, theirs, _ in findings:
        assert ours.is_taken == image.is_safe, (image.name, ours.text(image))
        assert ours.size_text(image) != "wrong", (image.name, ours.virtual_size)
        # Nothing is taken here that oslo.utils finds unsafe.
        assert not (ours.is_taken and "unsafe" in theirs.found), image.name
    differing = {image.name for image, _, _, agree in findings if not agree}
    assert differing == inspection_table.REASONS.keys(), "each difference is explained, and each explanation is of one"
    text = inspection_table.page(findings, importlib.metadata.version("oslo.utils"))
    if pytestconfig.getoption("--update-golden"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "write the page anew, and read what has changed"
