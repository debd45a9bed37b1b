"""The fault campaign: faults that are provoked on a lab that is up, what the commands say of each, and what is left after `up`."""
