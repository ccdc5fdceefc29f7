"""Answers questions about inventories with ansible-core as a library: one JSON object a line in, one out.

The same as `ansible-inventory --list`, which takes half a second to start.
"""
import ast
import json
import os
import sys

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import yaml
from ansible import context
from ansible.cli.inventory import InventoryCLI
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.plugins.vars import host_group_vars
from ansible.vars.manager import VariableManager


def inventory(question):
    directory = question["playbookDirectory"]
    context.CLIARGS = ImmutableDict(basedir=directory, export=False, yaml=False, toml=False)
    host_group_vars.FOUND.clear()
    cli = InventoryCLI(["ansible-inventory"])
    cli.loader = DataLoader()
    if directory:
        cli.loader.set_basedir(directory)
    cli.inventory = InventoryManager(loader=cli.loader, sources=question["sources"])
    cli.vm = VariableManager(loader=cli.loader, inventory=cli.inventory, version_info={})
    return cli.json_inventory(cli._get_group("all"))


def literal(text):
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    try:
        return {"data": json.loads(json.dumps(value, allow_nan=False)), "isTuple": isinstance(value, tuple)}
    except (TypeError, ValueError):
        return None


def word(text):
    try:
        return {"data": json.loads(json.dumps(yaml.safe_load(text), allow_nan=False, default=str))}
    except Exception:
        return None


def names(pattern):
    reader = inventory_loader.get("ini")
    try:
        hosts, port = reader._expand_hostpattern(pattern)
        return {"hosts": hosts, "port": port}
    except Exception:
        return None


batches = {"literals": literal, "words": word, "names": names}


def answer(question):
    for kind, read in batches.items():
        if kind in question:
            return json.dumps([read(text) for text in question[kind]])
    try:
        return json.dumps(inventory(question), cls=AnsibleJSONEncoder, preprocess_unsafe=True)
    except (Exception, SystemExit) as error:
        return json.dumps({"refused": f"{type(error).__name__}: {error}"})


for line in sys.stdin:
    answers.write(answer(json.loads(line)) + "\n")
    answers.flush()
