# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares a boot with what the table expects of it; the answer is differences in words."""

import json


def judge(turn, boot, facts):
    yield from _machine(boot.board, facts)
    yield from _drivers(turn, boot.board, facts)
    yield from _report(turn, facts)
    yield from _confirm(turn, facts)
    yield from _status(turn, facts)


def text_of(facts, section):
    return "\n".join(facts.sections.get(section, [])).strip()


def unit(facts, name):
    """The properties of a systemd unit."""
    for part in text_of(facts, "units").split("\n\n"):
        properties = dict(line.split("=", 1) for line in part.split("\n") if "=" in line)
        if properties.get("Id") == name:
            return properties
    return {}


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def _machine(board, facts):
    """The machine is the one that the scenario describes. Guards the harness itself."""
    if "over" not in facts.sections:
        yield "the facts are not complete"
    for path, function in board.functions.items():
        address = facts.at(path)
        if address is None:
            yield f"nothing at {path}"
        elif facts.functions[address]["id"] != function.model.id:
            yield f"{path} is {facts.functions[address]['id']}, not {function.model.id}"


def _drivers(turn, board, facts):
    taken = turn.vfio_paths()
    for path, function in board.functions.items():
        real = facts.functions.get(facts.at(path))
        if real is None:
            continue
        driver = turn.drivers.get(path, function.model.driver)
        override = None
        if path in taken:
            driver = override = "vfio-pci"
        if real["driver"] != driver:
            yield f"{path} is on {real['driver']}, not {driver}"
        if real["override"] != override:
            yield f"{path} has driver_override {real['override']}"


def _report(turn, facts):
    report = facts.report
    if report is None:
        yield "no report, or one that is not JSON"
        return
    record = report.get("record", {})
    for text, told, wanted in (
            ("outcome", report.get("outcome"), turn.outcome),
            ("reason", report.get("reason"), turn.reason),
            ("attempts", record.get("attempts"), turn.attempts),
            ("confirmed", record.get("confirmed"), turn.confirmed)):
        if told != wanted and (wanted is not None or text == "reason"):
            yield f"report: {text} is {told}, not {wanted} ({report.get('detail')})"


def _confirm(turn, facts):
    confirm = _json(text_of(facts, "confirm")) or {}
    if confirm.get("outcome") != turn.confirm:
        yield f"confirm.json: outcome is {confirm.get('outcome')}, not {turn.confirm} " \
              f"({confirm.get('detail')})"
    target = unit(facts, "boot-complete.target").get("ActiveState")
    if (target == "active") != turn.complete:
        yield f"boot-complete.target is {target}"
    service = unit(facts, "vfio-claim-confirm.service")
    if service.get("LoadState") != "loaded":
        yield f"vfio-claim-confirm.service is {service.get('LoadState')}"
        return
    ran = service.get("ActiveState") == "active" or service.get("Result") == "exit-code"
    status = int(service.get("ExecMainStatus", -1)) if ran else None
    if status != turn.exit:
        yield f"vfio-claim-confirm.service ended with {status}, not {turn.exit} ({service})"


def _status(turn, facts):
    status, told = text_of(facts, "status"), _json(text_of(facts, "status-json"))
    if told is None:
        yield f"status --json is no JSON: {text_of(facts, 'status-json')[:200]}"
    for words in turn.status:
        if words not in status:
            yield f"status does not say {words!r}: {status!r}"
    motd = text_of(facts, "motd")
    if turn.motd not in motd or bool(turn.motd) != bool(motd):
        yield f"motd is {motd!r}, not {turn.motd!r}"
