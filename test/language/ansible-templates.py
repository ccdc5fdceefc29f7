"""Renders templates and conditions with ansible-core as a library: one JSON question on stdin, the answers on stdout."""
import json
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.conditional import Conditional
from ansible.template import Templar

question = json.load(sys.stdin)
loader = DataLoader()
templar = Templar(loader, variables=question["variables"])


def holds(text):
    conditional = Conditional(loader=loader)
    conditional.when = [text]
    return conditional.evaluate_conditional(templar, question["variables"])


print(
    json.dumps(
        {
            "templates": [templar.template(text) for text in question["templates"]],
            "conditions": [holds(text) for text in question["conditions"]],
        }
    )
)
