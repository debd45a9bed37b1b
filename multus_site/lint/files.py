"""Lint the text of files: YAML with one or more documents, JSON, manifests, CNI configurations, sites."""

import re
from dataclasses import dataclass, field

from multus_site.cni import go_json
from multus_site.cni.catalogue import IPAM, PLUGINS
from multus_site.lint.allow import Allow, ObjectAllow, allows_in, not_allowed, object_allows
from multus_site.lint.checked import Checked
from multus_site.lint.documents import is_site, lacks_site, stack_of, subjects_in, without_site
from multus_site.lint.engine import Collection, Located, Origin, findings_of, findings_together
from multus_site.lint.facts import Facts
from multus_site.lint.finding import Finding
from multus_site.lint.placeholders import Masked, Placeholder, Template, known, masked, unrendered
from multus_site.lint.positions import JsonText, PlacedText, YamlText
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.segments import StackFile, check_segments
from multus_site.lint.site import located_in, site_text
from multus_site.lint.stack_files import NamedSite, StackConfig
from multus_site.lint.subjects import BrokenYaml, ConfigText
from multus_site.model.defaults import Defaults
from multus_site.model.load import SiteError, parse_site, site_data
from multus_site.model.paths import Data, Path
from multus_site.model.pydantic_errors import sound_part
from multus_site.model.yaml_documents import YamlMistakeError, documents

_TYPES = "|".join(map(re.escape, (*PLUGINS, *IPAM)))

_MARKS = re.compile(rf'cni\.cncf\.io|cniVersion|multus-site:|"ipam"|"type"\s*:\s*"(?:{_TYPES})"', re.IGNORECASE)
"""Text that marks a broken file of a folder as one to report."""


def _is_ours(text: str) -> bool:
    return _MARKS.search(text) is not None


@dataclass(frozen=True, slots=True, eq=False)
class SiteMistake:
    """A mistake that the site model found."""

    message: str
    path: Path = ()


@rule(
    "SITE_MODEL",
    "error",
    "text",
    "A site that the model rejects",
    example="networks: {internal: {type: macvlan, mastre: ens6}}",
    source="docs/site.md",
)
def site_model(mistake: SiteMistake) -> Problems:
    """Unknown keys, wrong types, references to missing names: the program would not start."""
    what, _, right = mistake.message.partition("; ")
    yield Problem((), what, right[:1].upper() + right[1:] + ("" if right[-1:] in ".?)" else "."))


@dataclass(slots=True)
class Linter:
    """Checks files one by one, and keeps the subjects that are checked together at the end."""

    facts: Facts = field(default_factory=Facts)
    found: list[Located] = field(default_factory=list)
    allows: dict[str, list[Allow]] = field(default_factory=dict)
    annotations: dict[str, list[ObjectAllow]] = field(default_factory=dict)
    stacks: list[StackFile] = field(default_factory=list)
    others: list[StackFile] = field(default_factory=list)
    """Stacks that are not checked themselves, only compared with those of `stacks`."""
    defaults: dict[str, Defaults] = field(default_factory=dict)
    """Defaults by stack file."""
    checked: Checked = field(default_factory=Checked)
    masks: dict[str, Masked] = field(default_factory=dict)
    """Files with placeholders."""
    together: Collection = field(init=False)

    def __post_init__(self) -> None:
        self.together = Collection(self.facts)

    def add(self, text: str, file: str, *, sure: bool = False, defaults: Defaults | None = None) -> None:
        """Check a file. With `sure`, for files found in a folder, only documents of a known form are checked.

        `defaults` apply to the file if it is a site.
        """
        if defaults is not None:
            self.defaults[file] = defaults
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        mask = masked(text) if "multus-site:" not in text else Masked(text)
        if mask.found:
            self.masks[file] = mask
        before = self.checked.total, len(self.found)
        self._add_text(mask, file, sure=sure)
        self.checked.settle()
        if not sure and before == (self.checked.total, len(self.found)):
            self.checked.empty.append(file)

    def _add_text(self, mask: Masked, file: str, *, sure: bool) -> None:
        text, first = mask.text, None
        if text.lstrip()[:1] in {"{", "["} and self._add_json(mask, file, sure=sure):
            return
        texts, stack, broken = [], False, False
        for document in documents(text):
            yaml_text = YamlText(document)
            try:
                data = document.data()
            except YamlMistakeError as mistake:
                broken = True
                if not sure or _is_ours(document.text):
                    origin = Origin(file, PlacedText(document.number, mistake.line, mistake.column))
                    if mask.is_template:
                        first = first or next(one for one in mask.found if one.kind == "template")
                    else:
                        self._keep(BrokenYaml(mistake.message, mistake.right, text=document.text), origin)
                continue
            texts.append(yaml_text)
            stack = stack or is_site(data)
            own = self._add_document(data, mask, Origin(file, yaml_text), sure=True)
            first = first or own
            if lacks_site(data):
                self._keep(SiteMistake(without_site(data)), Origin(file, yaml_text))
                stack = True
        if not (stack or broken or sure) and stack_of(file):
            self._keep(SiteMistake(without_site(None)), Origin(file, PlacedText(1, 1, 1)))
        if first is not None:
            self._keep_template(mask, first, file)
        self.allows[file] = allows_in(text, texts)
        for allow in self.allows[file]:
            self._keep(allow, Origin(file, PlacedText(1, allow.line, allow.column)))

    def _add_json(self, mask: Masked, file: str, *, sure: bool) -> bool:
        """Check a JSON file; False if it may be YAML that begins with a bracket."""
        text = mask.text
        reading, origin = go_json.read(text), Origin(file, JsonText(text))
        if reading.mistakes:
            if file.endswith((".yaml", ".yml")):
                return False
            if sure and not _is_ours(text):
                return True
            self._keep(ConfigText(text, (), self.facts, whole_file=True), origin)
        first = self._add_document(reading.data, mask, origin, sure=sure)
        if first is not None:
            self._keep_template(mask, first, file)
        return True

    def _add_document(self, data: Data, mask: Masked, origin: Origin, *, sure: bool) -> Placeholder | None:
        """Check a document; its first placeholder that has to be reported."""
        if is_site(data):
            self._add_site(data, mask.text, origin)
            return None
        first = None
        for subject in subjects_in(data, self.facts, sure=sure):
            self._keep(subject, origin)
            self.checked.add(subject)
            self.together.add(subject, origin)
            first = first or unrendered(subject, mask, data)
            for allow in object_allows(subject, origin):
                self._keep(allow, origin)
                self.annotations.setdefault(origin.file, []).append(allow)
        return first

    def _keep_template(self, mask: Masked, first: Placeholder, file: str) -> None:
        place = PlacedText(1, *go_json.line_and_column(mask.text, first.offset))
        self._keep(Template(mask, first), Origin(file, place))

    def _add_site(self, data: Data, text: str, origin: Origin) -> None:
        defaults = self.defaults.get(origin.file)
        config = data.get("config") if isinstance(data, dict) else None
        if isinstance(config, dict):
            self._keep(StackConfig(config), origin)
        try:
            site = parse_site(site_data(data), source=origin.file, text=text, defaults=defaults)
        except SiteError as error:
            for mistake, place in error.mistakes:
                placed = PlacedText(1, place.line, place.column)
                self._keep(SiteMistake(mistake.message, mistake.path), Origin(place.file, placed))
            self._add_sound_part(error, text, origin.file)
            return
        self.stacks.append(StackFile(origin.file, text, site, defaults))
        self.checked.add_site(site)
        self._keep(NamedSite(site, stack_of(origin.file)), Origin(origin.file, site_text(text, defaults)))
        self.found += located_in(site, file=origin.file, text=site_text(text, defaults), facts=self.facts)

    def _add_sound_part(self, error: SiteError, text: str, file: str) -> None:
        """Check what does not depend on the broken parts of a site."""
        site, broken = sound_part([mistake for mistake, _ in error.mistakes], error.data)
        if site is None:
            return
        places = site_text(text, self.defaults.get(file))
        # What racks lack depends on all hosts and workloads.
        unknown = {
            *broken,
            *((("racks",),) if any(path[:1] in {("nodes",), ("workloads",)} for path in broken) else ()),
        }
        for located in located_in(site, file=file, text=places, facts=self.facts):
            if not any(located.path[: len(path)] == path for path in unknown if path):
                self.found.append(located)

    def _keep(self, subject: object, origin: Origin) -> None:
        self.found += findings_of(subject, origin)

    def findings(self) -> list[Finding]:
        """All findings, sorted, without those that comments allow. Call it once, after the last file."""
        self.found += findings_together(self.together)
        if self.masks:
            self.found = [located for located in self.found if known(located.finding, self.masks)]
        by_file: dict[str, list[Located]] = {}
        # Sites with the same defaults share findings: report each once.
        for located in {located.finding: located for located in self.found}.values():
            by_file.setdefault(located.finding.file, []).append(located)
        left = {
            finding
            for file, items in by_file.items()
            for finding in not_allowed(items, self.allows.get(file, []), self.annotations.get(file, []))
        }
        files = {stack.file for stack in self.stacks} | {defaults.file for defaults in self.defaults.values()}
        across = {finding for finding in check_segments([*self.stacks, *self.others]) if finding.file in files}
        return sorted(left | across)
