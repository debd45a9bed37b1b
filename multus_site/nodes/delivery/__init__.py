"""CNI plugin binaries that the machine where Pulumi runs has: built or unpacked there, sent to the nodes' stores by SSH."""
