"""All mistakes of a stack file in one run: ten are planted, ten are found, each at its line."""

import re

import pytest

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4{}"

FILE = """\
config:
  {above}
  multus-site:site:
    name: {name}
    {top}
    nodes:
      backend: existing
      ssh: {{user: {user}}}
      hosts:
        node1: {{address: {address1}, hostKey: "{key1}", roles: [control-plane, etcd, worker]}}
        node2: {{address: {address2}, hostKey: "{key2}"}}
    kubespray: {{{kubespray}}}
    multus: {{{multus}}}
    networks:
      a: {{type: macvlan, master: ens6, {a}}}
      b: {{type: vlan, master: ens7, {b}}}
      c: {{type: bridge, bridge: br1, {c}}}
      d: {{type: macvlan, master: ens8, {d}}}
    workloads:
      one: {{image: docker.io/library/busybox:1.36, {one}}}
      two: {{image: docker.io/library/busybox:1.36, {two}}}
"""
RIGHT = {
    "above": "pulumi:disable-default-providers: ['*']",
    "name": "dallas",
    "top": "protect: true",
    "user": "ubuntu",
    "address1": "10.1.1.5",
    "address2": "10.1.1.6",
    "key1": KEY.format("A"),
    "key2": KEY.format("B"),
    "kubespray": "version: v2.31.0",
    "multus": "version: 4.3.0",
    "a": "ipam: {type: whereabouts, range: 10.1.10.0/24}",
    "b": "vlanId: 110, ipam: {type: dhcp}",
    "c": "ipam: {type: static}",
    "d": "ipam: {type: whereabouts, range: 10.1.20.0/24}",
    "one": "networks: [a]",
    "two": "networks: [d]",
}

SETS = {
    "values": {
        "above": "multus-site:sshPassword: letmein",
        "name": "Dallas",
        "top": "protect: yes",
        "user": "'a b'",
        "address1": "10.1.1.300",
        "key2": "ssh-ed25519 AAAA",
        "kubespray": "version: 2.31",
        "multus": "version: v4",
        "b": "vlanId: 0110, ipam: {type: dhcp}",
        "one": "networks: [x]",
    },
    "keys": {
        "above": "multus-site:sshPrivatKey: {secure: v1:x}",
        "top": "cni_plugins: {}",
        "address2": "10.1.1.5",
        "kubespray": "versoin: v2.31.0",
        "multus": "memory_limit: 256Mi",
        "a": "mdoe: bridge, ipam: {type: whereabouts, range: 10.1.10.0/24}",
        "b": "vlanId: '110', ipam: {type: dhcp}",
        "c": "ipam: {type: statik}",
        "one": "netwroks: [a]",
        "two": "networks: [d], replicas: two",
    },
    "networks": {
        "address1": "fe80::%",
        "key1": "ssh-rsa AAAA",
        "top": "protect: 1",
        "kubespray": "version: v2.31.0, podCidr: 10.1.10.0/33",
        "a": "mtu: 1500.0, ipam: {type: whereabouts, range: 10.1.10.0/24}",
        "b": "vlanId: 4095, ipam: {type: dhcp}",
        "c": "ipam: {type: static}, segment: core",
        "d": "ipam: {type: host-local, ranges: [{subnet: 10.1.20.0/24}]}",
        "one": "networks: [a, a, a], interface: net1",
        "multus": "version: 4.3.0, memoryLimit: 256",
    },
    "rules": {
        "top": "proteect: true",
        "address2": "10.1.1.x",
        "a": "ipam: {type: whereabouts, range: 10.1.10.0/24, gateway: 10.1.20.1}",
        "b": "vlanId: 110, ipam: {type: whereabouts, range: 10.233.70.0/24}",
        "c": "vlan: 5000, ipam: {type: static}",
        "d": "ipam: {type: whereabouts, range: 10.1.20.9-10.1.20.5/24}",
        "one": "networks: [{name: b, ips: [10.1.10.5/24]}]",
        "two": "networks: [d], image2: x",
        "kubespray": "version: v2.31",
        "multus": "version: 4",
    },
}


def test_nothing_is_wrong_without_them(findings):
    assert findings({"x.yaml": FILE.format(**RIGHT)}) == []


@pytest.mark.parametrize("name", SETS)
def test_ten_mistakes_give_ten_findings(name, findings):
    planted = SETS[name]
    assert len(planted) == 10
    text = FILE.format(**{**RIGHT, **planted})
    found = {finding.line for finding in findings({"x.yaml": text})}
    lines = {
        number
        for number, line in enumerate(FILE.splitlines(), 1)
        for field in re.findall(r"(?<!\{)\{(\w+)\}", line)
        if field in planted
    }
    assert lines - found == set()
