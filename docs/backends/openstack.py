"""Nodes as OpenStack servers: a port on each network, the one of the management network at the site's address."""

import pulumi
import pulumi_openstack as openstack

from multus_site.components.node_backend import Asked, Machine
from multus_site.model.machines import Custom
from multus_site.model.part import Part
from multus_site.render.cloud_init import user_data


class Settings(Part):
    """What a site says under nodes.custom.settings."""

    cloud: str
    """The cloud's name in clouds.yaml."""
    image: str
    flavor: str


class Backend:
    """One for a site."""

    def __init__(self, settings: Settings, custom: Custom) -> None:
        self._settings, self._custom = settings, custom
        self._provider = openstack.Provider("openstack", cloud=settings.cloud)

    def machine(self, asked: Asked, opts: pulumi.ResourceOptions) -> Machine:
        """A server, and its ports."""
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=self._provider))
        ports = {nic: self._port(asked, nic, network, opts) for nic, network in self._custom.networks.items()}
        macs = {nic: port.mac_address for nic, port in ports.items() if nic != self._custom.interface}
        keys = (asked.authorized_key, asked.host_key, asked.host_key_public)
        server = openstack.compute.Instance(
            f"{asked.name}-machine",
            name=asked.node,
            image_name=self._settings.image,
            flavor_name=self._settings.flavor,
            networks=[openstack.compute.InstanceNetworkArgs(port=port.id) for port in ports.values()],
            user_data=pulumi.Output.all(*keys, macs).apply(lambda known: user_data(asked.node, asked.user, *known)),
            # The ports are plugged into one server at a time, and another one would have the same address.
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
        )
        return Machine(server, server.id)

    def _port(self, asked: Asked, nic: str, network: str, opts: pulumi.ResourceOptions) -> openstack.networking.Port:
        found = openstack.networking.get_network_output(
            name=network, opts=pulumi.InvokeOptions(provider=self._provider)
        )
        if nic == self._custom.interface:
            address = [openstack.networking.PortFixedIpArgs(subnet_id=found.subnets[0], ip_address=asked.host.address)]
            return openstack.networking.Port(f"{asked.name}-{nic}", network_id=found.id, fixed_ips=address, opts=opts)
        # Pods have MAC addresses and addresses of their own there, whose frames port security would drop.
        return openstack.networking.Port(
            f"{asked.name}-{nic}", network_id=found.id, no_fixed_ip=True, port_security_enabled=False, opts=opts
        )
