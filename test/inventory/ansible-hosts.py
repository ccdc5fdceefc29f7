"""Answers many questions about host patterns with the code of Debian's ansible-core, loaded once.

Reads a JSON list of questions from standard input: "inventory", "pattern" and where there is one "limit". With the
argument "program" each is `ansible --list-hosts`, run in a process of its own: an answer has "code", "stdout" and
"stderr". Without, it is what that program asks after it has read the inventory: an answer has "hosts" or "error", and
"unmatched".
"""
import functools
import json
import os
import sys
import tempfile

from ansible.cli.adhoc import AdHocCLI
from ansible.errors import AnsibleError
from ansible.inventory import manager
from ansible.parsing.dataloader import DataLoader


def run(inventory, pattern, limit=None):
    limited = [] if limit is None else ["--limit", limit]
    # After "--" a pattern that begins with a dash is no option.
    arguments = ["ansible", "--list-hosts", "-i", inventory, *limited, "--", pattern]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            end(AdHocCLI.cli_executor, arguments)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return {"code": code, "stdout": read(out), "stderr": read(err)}


def end(program, arguments):
    """Ends the process with the program, without Python's long farewell to all that it inherited."""
    code = 0
    try:
        program(arguments)
    except SystemExit as exit:
        code = exit.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def match(inventory, pattern, limit=None):
    known = load(inventory)
    # What an earlier question left behind must not answer this one: its limit, and a localhost that it made up.
    known._inventory.localhost = known.own_localhost
    known.clear_caches()
    known.clear_pattern_cache()
    unmatched.clear()
    try:
        known.subset(limit)
        hosts = known.get_hosts(pattern)
        return {"hosts": [str(host) for host in hosts], "unmatched": list(unmatched)}
    except (AnsibleError, IndexError) as error:
        return {"error": str(error), "unmatched": list(unmatched)}


@functools.cache
def load(path):
    known = manager.InventoryManager(loader=DataLoader(), sources=[path])
    known.own_localhost = known._inventory.localhost
    return known


def read(file):
    file.seek(0)
    return file.read().decode()


unmatched = []
questions = json.load(sys.stdin)
if sys.argv[1:] == ["program"]:
    # Loads Ansible's plugins once, instead of in each process.
    load(questions[0]["inventory"])
    answers = [run(**question) for question in questions]
else:
    # Where the program would warn of a term that names nothing.
    manager.display.warning = unmatched.append
    answers = [match(**question) for question in questions]
print(json.dumps(answers))
