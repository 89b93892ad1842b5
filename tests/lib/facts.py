# SPDX-License-Identifier: GPL-2.0-or-later
"""What a booted machine said about itself on its second serial port."""

import json
import re

ADDRESS = r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"


class Facts:
    """Sections of the judge script's output, as dictionaries.

    functions   address -> {"path", "driver", "group", "override", "id", "subsystem", "class"}
    settings    address, or "vfio-pci" for its parameters -> {"reset_method": value, ...}
    report      the parsed report, or None
    log         the kernel log's lines
    complete    whether the output reached its end
    sections    all of it: heading -> lines
    """

    def __init__(self, text):
        self.sections = sections = _sections(text.replace("\r", ""))
        self.complete = "end" in sections
        self.log = sections.get("log", [])
        self.modules = {line.split()[0] for line in sections.get("modules", []) if line}
        self.report_file = sections.get("report-file", [])
        self.functions = {}
        for line in sections.get("functions", []):
            if match := re.search(rf" ({ADDRESS}) -> \S*/pci([0-9a-f]+:[0-9a-f]+)/(\S+)$", line):
                self.functions[match[1]] = {
                    "path": "/".join(part.partition(":")[2].partition(":")[2]
                                     for part in match[3].split("/")),
                    "driver": None, "group": None, "override": None}
        for line in sections.get("links", []):
            if match := re.search(rf" ({ADDRESS})/(driver|iommu_group) -> \S*/(\S+)$", line):
                kind = "driver" if match[2] == "driver" else "group"
                self.functions[match[1]][kind] = match[3]
        for line in sections.get("overrides", []):
            if match := re.match(rf"({ADDRESS})/driver_override:(.*)", line):
                value = match[2].strip()
                self.functions[match[1]]["override"] = None if value == "(null)" else value
        self.settings = {}
        for line in sections.get("settings", []):
            if match := re.fullmatch(rf"({ADDRESS}|/sys/module/\w+/parameters)/(\S+?):(.*)",
                                     line):
                where = match[1] if match[1] in self.functions else "vfio-pci"
                self.settings.setdefault(where, {})[match[2]] = match[3].strip()
        names = {"PCI_ID": "id", "PCI_SUBSYS_ID": "subsystem", "PCI_CLASS": "class"}
        for line in sections.get("uevents", []):
            if match := re.match(rf"({ADDRESS})/uevent:(\w+)=(.*)", line):
                if match[2] in names:
                    self.functions[match[1]][names[match[2]]] = match[3].lower()
        self.report_text = "\n".join(sections.get("report", []))
        try:
            self.report = json.loads(self.report_text)
        except ValueError:
            self.report = None

    def at(self, path):
        """The address of the function at a path of domain 0, or None."""
        for address, function in self.functions.items():
            if function["path"] == path:
                return address
        return None

    def own_lines(self):
        return [line for line in self.log if "vfio-claim: " in line]


def _sections(text):
    sections, lines = {}, []
    for line in text.split("\n"):
        if match := re.fullmatch(r"== (\S+)", line):
            lines = sections.setdefault(match[1], [])
        else:
            lines.append(line)
    return sections
