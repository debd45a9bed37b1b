"""The linter: rules on sites, networks and attachments, one function per rule."""

from multus_site.lint.finding import Finding
from multus_site.lint.segments import StackFile, check_segments, check_stack
from multus_site.lint.site import check_site

__all__ = ["Finding", "StackFile", "check_segments", "check_site", "check_stack"]
