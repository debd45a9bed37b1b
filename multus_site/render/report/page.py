"""The report as HTML: one file without scripts and external resources. Its content security policy forbids both."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from multus_site.model.site import Site
from multus_site.render.diagram.cards import diagram
from multus_site.render.diagram.live import pod_interfaces
from multus_site.render.diagram.svg import svg
from multus_site.render.report import content, plots
from multus_site.render.report.content import Found

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(stack: str, site: Site, found: Found) -> str:
    """The document."""
    verification = found.verification
    checks = verification.get("checks", [])
    drawn = diagram(site, pod_interfaces(verification))
    return _TEMPLATES.get_template("page.html").render(
        stack=stack,
        site=site,
        found=found,
        described=content.described(site),
        summary=content.summary(site, found),
        # Our own markup; svg escapes every text.
        diagram=Markup(svg(drawn)),  # noqa: S704
        matrices=content.matrices(checks),
        failures=content.failures(checks),
        evidence=verification.get("evidence", {}),
        plots=[(title, Markup(plot)) for title, plot in plots.throughput_plots(found.throughput)],  # noqa: S704
        of_node=content.of_node,
        timeline=Markup(plots.timeline_plot(found.timeline)) if found.timeline else "",  # noqa: S704
        versions=content.versions(site),
        nodes=verification.get("nodes", []),
        addresses=content.addresses(site, verification),
    )
