"""The definitions of virtual machines for libvirt and cloud-init, from a site."""
