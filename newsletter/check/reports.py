"""Findings for a pipeline: SARIF 2.1.0 (OASIS) and JUnit's XML."""

from __future__ import annotations

import json
import re
from xml.etree.ElementTree import Element, SubElement, tostring

from newsletter.check.rules import RULES
from newsletter.model import Finding, Severity


def _must_be_registered(findings: list[Finding]) -> None:
    unknown = {finding.rule for finding in findings} - set(RULES)
    if unknown:
        raise ValueError(f"findings of rules that aren't registered: {', '.join(sorted(unknown))}")


def sarif(findings: list[Finding]) -> str:
    """The findings as a SARIF log with one run; waived ones are suppressed with their justification. ValueError for a
    finding of a rule that isn't registered.
    """
    _must_be_registered(findings)
    rules = [{"id": rule.id, "shortDescription": {"text": rule.summary}} for rule in RULES.values()]
    run = {
        "tool": {"driver": {"name": "newsletter check", "rules": rules}},
        "results": [_result(finding) for finding in findings],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _result(finding: Finding) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "level": str(finding.severity),
        "message": {"text": finding.message},
    }
    place = re.match(r"(issues/\S+?\.md)(?::(\d+))?", finding.where)
    if place:
        region = {"region": {"startLine": int(place[2])}} if place[2] else {}
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": place[1]}, **region}}]
    if finding.waived:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.waived}]
    return result


def junit(findings: list[Finding], issue: str) -> str:
    """The rules as test cases of one suite: failed where an error stands. ValueError for a finding of a rule that isn't
    registered: no test case would have it.
    """
    _must_be_registered(findings)
    told = {finding.rule for finding in findings}
    rules = [rule for rule in RULES.values() if not rule.asked or rule.id in told]
    suite = Element("testsuite", name=f"newsletter check {issue}", tests=str(len(rules)))
    failures = 0
    for rule in rules:
        case = SubElement(suite, "testcase", classname=rule.id.partition("/")[0], name=rule.id)
        found = [finding for finding in findings if finding.rule == rule.id]
        errors = [finding for finding in found if finding.severity is Severity.ERROR and not finding.waived]
        failures += bool(errors)
        for finding in errors:
            SubElement(case, "failure", message=f"{finding.where}: {finding.message}")
        others = [finding for finding in found if finding not in errors]
        if others:
            SubElement(case, "system-out").text = "\n".join(f"{f.where}: {f.message}" for f in others)
    suite.set("failures", str(failures))
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
