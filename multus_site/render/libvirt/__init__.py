"""Virtual machines as libvirt and cloud-init want them told, out of a site alone."""
