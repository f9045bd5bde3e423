"""What no other tool looks at: that alerts, runbook, tests, dashboard and units fit together.

Writes the dashboard's expressions as rules, for promtool to parse. Exits with 1 and says what is wrong.
"""
import json
import pathlib
import re
import sys

deploy = pathlib.Path(__file__).parent
wrong = []


def alerts():
    """Name and text of each."""
    text = (deploy / "prometheus/alerts.yml").read_text()
    for part in text.split("- alert: ")[1:]:
        name, _, rest = part.partition("\n")
        yield name.strip(), rest


def anchors():
    """Of the runbook's headings, as they are linked: lower case, hyphens for blanks."""
    for line in (deploy.parent / "docs/runbook.md").read_text().splitlines():
        if match := re.match(r"#+ (.+)", line):
            yield re.sub(r"[^a-z0-9 -]", "", match[1].lower()).replace(" ", "-")


def panels(of):
    for panel in of["panels"]:
        yield panel
        yield from panels(panel) if panel.get("panels") else ()


names, sections = [name for name, _ in alerts()], list(anchors())
tests = (deploy / "prometheus/alerts.test.yml").read_text()
for name, rest in alerts():
    url = re.search(r"runbook_url: docs/runbook\.md#(\S+)", rest)
    if not url or url[1] not in sections:
        wrong.append(f"{name} has no section in docs/runbook.md that its runbook_url names")
    if not re.search(r"severity: (page|ticket)\b", rest) or "summary:" not in rest:
        wrong.append(f"{name} needs a summary, and a severity that is page or ticket")
    for case, found in (("fires", r"exp_alerts:\n"), ("does not", r"exp_alerts: \[\]")):
        part = tests.partition(f"name: {name} {case}\n")[2].partition("  - name: ")[0]
        if not re.search(found, part):
            wrong.append(f"alerts.test.yml has no test \"{name} {case}\"")
for section in sections[sections.index("alerts") + 1:]:
    if section not in [name.lower() for name in names]:
        wrong.append(f"docs/runbook.md has a section for {section}, which is no alert")
for link in re.findall(r"\]\(#([^)]+)\)", (deploy.parent / "docs/runbook.md").read_text()):
    if link not in sections:
        wrong.append(f"docs/runbook.md links to #{link}, which is not there")

board = json.loads((deploy / "grafana/joule.json").read_text())
known = {variable["name"] for variable in board["templating"]["list"]}
shown = list(panels(board))
if len({panel["id"] for panel in shown}) != len(shown):
    wrong.append("panels of the dashboard share an id")
places = [(cell, panel["title"]) for panel in shown for at in [panel["gridPos"]]
          for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))]
if len({cell for cell, _ in places}) != len(places) or any(x > 23 for (x, _), _ in places):
    wrong.append("panels of the dashboard lie on each other, or beside it")
rules = []
for panel in shown:
    if panel["type"] != "row" and not panel.get("targets"):
        wrong.append(f"{panel['title']} shows nothing")
    for target in panel.get("targets", []):
        for variable in re.findall(r"\$\{?(\w+)", target["expr"] + target["datasource"]["uid"]):
            if variable not in known:
                wrong.append(f"{panel['title']} names the variable {variable}, which is not there")
        rules.append(target["expr"].replace("$instance", ".*"))
with open(sys.argv[1], "w") as out:
    out.write("groups:\n- name: dashboard\n  rules:\n")
    for number, rule in enumerate(rules):
        out.write(f"  - {{ record: panel_{number}, expr: {json.dumps(rule)} }}\n")

for line in wrong:
    print(f"deploy: {line}", file=sys.stderr)
sys.exit(1 if wrong else 0)
