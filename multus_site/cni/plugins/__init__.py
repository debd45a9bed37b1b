"""The plugins, a file for each family. Read from the Go structs of containernetworking/plugins v1.9.1, sriov-cni v2.10.0, whereabouts v0.9.4, ovs-cni, bond-cni."""
