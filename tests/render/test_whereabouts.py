"""What the whereabouts daemon does when it starts, beside upstream's own script."""

import json
import subprocess

from multus_site.render.whereabouts import TUNING, daemon

UPSTREAM = """\
{
  "datastore": "kubernetes",
  "kubernetes": {
    "kubeconfig": "/etc/cni/net.d/whereabouts.d/whereabouts.kubeconfig"
  },
  "reconciler_cron_expression": "30 4 * * *"
}
"""
"""What generateWhereaboutsConf of script/lib.sh (0.9.2) writes."""


def container():
    return daemon("image:1", "256Mi", "*/15 * * * *")["spec"]["template"]["spec"]["containers"][0]


def test_the_lease_is_tuned_in_the_file_that_every_call_reads(tmp_path):
    lines = [line for line in container()["command"][2].splitlines() if "WHEREABOUTS_CONF_FILE" in line]
    file = tmp_path / "whereabouts.conf"
    file.write_text(UPSTREAM)
    script = "\n".join(["set -eu", *lines])
    subprocess.run(["sh", "-c", script], env={"WHEREABOUTS_CONF_FILE": str(file), "PATH": "/usr/bin:/bin"}, check=True)
    assert json.loads(file.read_text()) == {**json.loads(UPSTREAM), **TUNING}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["whereabouts.conf"]


def test_the_lease_can_be_held():
    """What client-go asks of the three (leaderelection.NewLeaderElector): else the plugin ends with a nil pointer."""
    duration, renewal, retry = TUNING.values()
    assert duration > renewal > 1.2 * retry


def test_a_node_is_ready_when_the_tuned_file_is_there():
    assert "grep -q leader_" in container()["readinessProbe"]["exec"]["command"][2]
