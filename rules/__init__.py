"""What can be wrong with a site or with an attachment: one function per rule."""

from rules.finding import Finding
from rules.segments import StackFile, check_segments, check_stack
from rules.site import check_site

__all__ = ["Finding", "StackFile", "check_segments", "check_site", "check_stack"]
