"""What the tests of machines that libvirt makes share: an image, a hypervisor, a stack on it."""

import json
import time

import pytest

from lab.cache import LabError
from tests.contract.tools import tool
from tests.vm.disk_image import disk_image
from tests.vm.hypervisor import NoHypervisorError, hypervisor
from tests.vm.site_stack import Stack


@pytest.fixture(scope="module")
def image():
    try:
        return disk_image()
    except LabError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def kvm(tmp_path_factory):
    try:
        with hypervisor(tmp_path_factory.mktemp("hypervisor")) as running:
            yield running
    except NoHypervisorError as error:
        pytest.skip(f"libvirtd does not start here: {error}")


@pytest.fixture
def stack(kvm, tmp_path):
    tool("pulumi")
    return Stack(kvm, tmp_path)


@pytest.fixture
def timed(capsys):
    """`timed(step, work)`: does it, prints how long it took."""

    def run(step, work):
        started = time.monotonic()
        result = work()
        with capsys.disabled():
            print(json.dumps({"step": step, "seconds": round(time.monotonic() - started, 1)}), flush=True)
        return result

    return run
