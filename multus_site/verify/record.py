"""The latest results, stored beside the project, and the report made from them: `.work/<site>/*.json`, `reports/<stack>.html`."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from multus_site.model.site import Site
from multus_site.render.report.content import Found
from multus_site.render.report.page import page
from multus_site.verify.timing import last_update

REPORTS = Path("reports")


def keep(site: str, what: str, found: Mapping[str, Any] | Sequence[Any]) -> None:
    """Store a result with the present time. `what`: site, verification or throughput."""
    folder = _folder(site)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "found": found})
    scratch = folder / f"{what}.new"
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(folder / f"{what}.json")


def kept(site: str, what: str) -> tuple[str, Any]:
    """Return the time and the stored result; ("", None) if none."""
    try:
        data = json.loads((_folder(site) / f"{what}.json").read_text(encoding="utf-8"))
        return str(data["at"]), data["found"]
    except (OSError, ValueError, KeyError, TypeError):
        return "", None


def write_report(stack: str, name: str) -> Path | None:
    """Write the report of a stack and its site; return its path, None if no site is stored. Raises OSError."""
    _, data = kept(name, "site")
    if data is None:
        return None
    site = Site.model_validate(data)
    verified, verification = kept(name, "verification")
    measured, throughput = kept(name, "throughput")
    update = last_update(stack)
    found = Found(
        verification=verification or {},
        verified=verified,
        throughput=throughput or (),
        measured=measured,
        timeline=update.to_json() if update else None,
        written=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    )
    REPORTS.mkdir(exist_ok=True)
    path = REPORTS / f"{stack}.html"
    scratch = path.with_suffix(".new")
    scratch.write_text(page(stack, site, found), encoding="utf-8")
    scratch.replace(path)
    return path


def _folder(site: str) -> Path:
    return Path(".work") / site
