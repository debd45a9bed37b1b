"""Multi-interface Kubernetes pods at telecom sites, as code."""

__version__ = "0.2.0"
