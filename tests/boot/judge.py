# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares a booted machine with what its scenario expects. Everything is compared; the
answer is a list of differences in words."""

def judge(scenario, board, facts, release):
    if not facts.complete:
        return ["the machine did not reach the judge script's end"]
    return [*_machine(board, facts), *_drivers(scenario, board, facts),
            *_settings(scenario, facts), *_report(scenario, facts, release)]


def _machine(board, facts):
    """The machine is the one that the scenario describes. Guards the harness itself."""
    for path, function in board.functions.items():
        address = facts.at(path)
        if address is None:
            yield f"nothing at {path}"
        elif facts.functions[address]["id"] != function.model.id:
            yield f"{path} is {facts.functions[address]['id']}, not {function.model.id}"


def _drivers(scenario, board, facts):
    taken = scenario.vfio_paths()
    for path in taken:
        if facts.at(path) is None:
            yield f"nothing at {path}, which should be on vfio-pci"
    for address, function in sorted(facts.functions.items()):
        path = function["path"]
        known = board.functions.get(path)
        driver = known.model.driver if known else None
        if path in scenario.drivers:
            driver = scenario.drivers[path]
        override = None
        if path in taken:
            driver = override = "vfio-pci"
        if function["driver"] != driver:
            yield f"{address} ({path}) is on {function['driver']}, not {driver}"
        if function["override"] != override:
            yield f"{address} ({path}) has driver_override {function['override']}"
    if not scenario.framebuffer and facts.sections.get("framebuffers"):
        yield f"a firmware framebuffer is left: {facts.sections['framebuffers']}"
    vfio = sorted(name for name in facts.modules if name.startswith("vfio"))
    if taken and "vfio_iommu_type1" not in vfio:
        yield "vfio_iommu_type1 is not loaded: QEMU cannot use what was claimed"
    if vfio and not taken and "vfio" not in scenario.early and not scenario.late and \
            scenario.reason != "module-unavailable":
        yield f"nothing was claimed, but {' '.join(vfio)} were loaded"


def _settings(scenario, facts):
    for where, wanted in scenario.settings.items():
        real = facts.settings.get(where if where == "vfio-pci" else facts.at(where), {})
        for name, value in wanted.items():
            if real.get(name) != value:
                yield f"{name} of {where} is {real.get(name)}, not {value}"


def _report(scenario, facts, release):
    report = facts.report
    if report is None:
        yield "no report, or one that is not JSON"
        return
    stage = "event" if scenario.late else "settle" if scenario.counted else "start"
    for key, value in {"version": 1, "stage": stage, "kernel": release,
                       "outcome": scenario.outcome}.items():
        if report.get(key) != value:
            yield f"report: {key} is {report.get(key)}, not {value}"
    yield from _reason("report", report, scenario.reason)
    if scenario.detail not in report.get("detail", ""):
        yield f"report: detail is {report.get('detail')}"
    yield from _claims(scenario, facts, report)
    yield from _host_displays(scenario, facts, report)

    codes = sorted(warning.get("code") for warning in report.get("warnings", []))
    wanted = sorted(scenario.warnings + ["record-unavailable"] * scenario.uncounted())
    if codes != wanted:
        yield f"report: warnings are {codes}, not {wanted}"
    if not 0 < report.get("elapsed_us", 0) < 11_000_000:
        yield f"report: elapsed_us is {report.get('elapsed_us')}"
    if not any(line.startswith("-rw-r--r--") and line.endswith("report.json")
               for line in facts.report_file):
        yield f"report.json is not 0644: {facts.report_file}"
    yield from _log(scenario, facts.own_lines())


def _log(scenario, lines):
    if not 1 <= len(lines) <= 8 + len(scenario.late):
        yield f"{len(lines)} lines of vfio-claim in the kernel log"
    lines = iter(lines)
    for words in scenario.log:
        if not any(words in line for line in lines):
            yield f"no \"{words}\" in the kernel log, or not in its place"
            break


def _reason(where, part, reason):
    if part.get("reason") != reason:
        yield f"{where}: reason is {part.get('reason')}, not {reason}"
    if reason and not part.get("detail"):
        yield f"{where}: no detail"


def _claims(scenario, facts, report):
    claims = report.get("claims", [])
    names, wanted = [c.get("name") for c in claims], [w.name for w in scenario.expect]
    if names != wanted:
        yield f"report: claims are {names}, not {wanted}"
        return
    for want, claim in zip(scenario.expect, claims):
        where = f"claim {want.name}"
        if claim.get("outcome") != want.outcome:
            yield f"{where}: outcome is {claim.get('outcome')}, not {want.outcome}"
        yield from _reason(where, claim, want.reason)
        functions = claim.get("functions", [])
        matches = [function.get("match") for function in functions]
        wanted = want.match * len(matches) if len(want.match) == 1 else want.match
        if matches != wanted:
            yield f"{where}: matches are {matches}, not {wanted}"
        for function in functions:
            yield from _function(where, facts, function)
            if claim["outcome"] == "claimed" and function.get("previous_driver") and \
                    not scenario.early and not scenario.forced():
                yield f"{where}: {function['address']} was on {function['previous_driver']} " \
                      "before: vfio-claim came too late"


def _function(where, facts, function):
    """What the report says of a function agrees with sysfs."""
    address = function.get("address")
    if not address:
        return
    if address not in facts.functions:
        yield f"{where}: {address} does not exist"
        return
    real = facts.functions[address]
    # A claim that was kept was reported before the host's driver came.
    if function.get("driver") not in (real["driver"], None) or (
            real["driver"] == "vfio-pci" and function.get("driver") != "vfio-pci"):
        yield f"{where}: {address} reported on {function.get('driver')}, " \
              f"but is on {real['driver']}"
    told = function.get("group")
    if function.get("match") in ("exact", "moved") and \
            real["group"] != (None if told is None else str(told)):
        yield f"{where}: {address} reported in group {told}, " \
              f"but is in {real['group']}"
    if function.get("id") != real["id"]:
        yield f"{where}: {address} reported as {function.get('id')}"
    if function.get("path") != f"0000:00:{real['path']}":
        yield f"{where}: {address} reported at {function.get('path')}"


def _host_displays(scenario, facts, report):
    if not report.get("host_displays") and not scenario.looks():
        return
    told = sorted(display.get("address") for display in report.get("host_displays", []))
    real = sorted(address for address, function in facts.functions.items()
                  if function["class"].zfill(6).startswith("03")
                  and function["driver"] != "vfio-pci")
    if told != real:
        yield f"report: host_displays are {told}, not {real}"
