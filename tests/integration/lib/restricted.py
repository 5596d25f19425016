#!/usr/bin/python3
"""restricted.py UNIT COMMAND...: runs a command under what a systemd unit restricts by seccomp, without systemd.

SystemCallFilter (whose groups systemd-analyze expands), RestrictAddressFamilies, RestrictNamespaces and MemoryDenyWriteExecute. A call that the unit refuses ends the process (SIGSYS) instead of failing, so that none goes unnoticed.
"""
import errno
import os
import subprocess
import sys

import seccomp

CLONE_NEW = 0x7E020080  # all namespaces of clone(2)
PROT_WRITE, PROT_EXEC = 2, 4


def settings(unit):
    found = {}
    for line in open(unit):
        name, equals, value = line.strip().partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def groups():
    """The groups of system calls that systemd knows, such as @system-service; members may be groups themselves."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        if line.startswith("@"):
            members = found.setdefault(line.strip(), [])
        elif line.startswith(" ") and "#" not in line:
            members.append(line.strip())
    return found


def allowed_calls(filters):
    known = groups()

    def calls_of(name):
        return set().union(*map(calls_of, known[name])) if name in known else {name}

    allowed = calls_of("@default")
    for value in filters:
        named = set().union(*map(calls_of, value.lstrip("~").split()))
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed | calls_of("@default")


def restrict(unit):
    found = settings(unit)
    rules = seccomp.SyscallFilter(defaction=seccomp.KILL_PROCESS)
    conditions = {}
    if found.get("RestrictAddressFamilies"):
        families = [getattr(__import__("socket"), name) for name in found["RestrictAddressFamilies"][-1].split()]
        conditions["socket"] = [[seccomp.Arg(0, seccomp.EQ, int(family))] for family in families]
    if found.get("RestrictNamespaces") == ["yes"]:
        conditions["clone"] = [[seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_NEW, 0)]]
        conditions["unshare"] = [[seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_NEW, 0)]]
        conditions["setns"] = []
        conditions["clone3"] = []
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # as systemd does: its flags cannot be seen
    if found.get("MemoryDenyWriteExecute") == ["yes"]:
        conditions["mmap"] = [[seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0)],
                              [seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC)]]
        conditions["mprotect"] = [[seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0)]]
        conditions["pkey_mprotect"] = [[seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0)]]
    for call in allowed_calls(found["SystemCallFilter"]):
        for arguments in conditions.get(call, [[]]):
            try:
                rules.add_rule(seccomp.ALLOW, call, *arguments)
            except RuntimeError:
                pass  # a call of other machines
    if os.geteuid() == 0:
        rules.add_rule(seccomp.ERRNO(errno.EPERM), "fchown")  # SQLite calls it as root only, and does not mind
    rules.load()


restrict(sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])
