#!/usr/bin/python3
"""The messages of peers.bash, and what became of them.

peers.py make FOLDER           writes the messages as sendmail reads them
peers.py check FOLDER ARRIVED DOMAINS
                               ARRIVED holds dialogues as dump_server.py writes them, or, below
                               USER/Maildir/new, one message for each recipient
Each recipient must have each body that was meant for him once, byte for byte.
"""
import collections
import os
import re
import sys

NOTICE = re.compile(rb"^final-recipient: *rfc822; *dsn-", re.I | re.M)
MANY = 120
DOMAINS = sys.argv[4].split() if len(sys.argv) > 4 else []


def bodies():
    dots = ["", ".", "..", ".dot", "From here", "blank at the end \t", "a" * 990, "MAIL FROM:<x@y>", ""]
    text = "\n".join(dots)
    eight = text + "\n" + "gr\u00fc\u00dfe, \u65e5\u672c\u8a9e " * 10
    large = "\n".join(f"{'.' * (i % 3)}{i} a line of some length, and more of it" for i in range(50000))
    return {"plain": text, "eight": eight, "large": large}


def message(kind, text):
    head = f"Subject: {kind}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    head += f"Content-Transfer-Encoding: {'8bit' if kind == 'eight' else '7bit'}\n\n"
    return (head + text + "\nend\n").encode()


def body_of(raw):
    return raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2].rstrip(b"\n")


def dialogues(folder):
    """(recipients, content) of each transaction."""
    for name in os.listdir(folder):
        rcpts, content = [], None
        with open(os.path.join(folder, name), "rb") as f:
            for line in f:
                if content is not None:
                    if line == b".\r\n":
                        yield rcpts, b"".join(content)
                        rcpts, content = [], None
                    else:
                        content.append(line[1:] if line.startswith(b".") else line)
                elif line[:8].upper() == b"RCPT TO:":
                    rcpts.append(line[8:].split(b">")[0].strip(b" <").decode().lower())
                elif line[:4].upper() == b"DATA":
                    content = []


def maildirs(folder):
    for user in os.listdir(folder):
        new = os.path.join(folder, user, "Maildir", "new")
        for name in os.listdir(new) if os.path.isdir(new) else []:
            with open(os.path.join(new, name), "rb") as f:
                yield [user], f.read()


def wanted():
    out = {}
    for domain in DOMAINS:
        for kind in bodies():
            out[f"{kind}@{domain}.test"] = kind
        for i in range(MANY):
            out[f"r{i}-{domain}@{domain}.test"] = "plain"
        out[f"dsn-{domain}@{domain}.test"] = "plain"
    return out


def check(folder, arrived):
    local = os.path.isdir(os.path.join(arrived, "plain", "Maildir"))
    want, seen, notices, wrong = wanted(), collections.Counter(), 0, []
    content = {k: body_of(open(os.path.join(folder, k), "rb").read()) for k in bodies()}
    if local:  # both domains have the same users
        users = collections.Counter(a.split("@")[0] for a in want)
        kinds = {a.split("@")[0]: k for a, k in want.items()}
    else:
        users, kinds = collections.Counter(want.keys()), want
    for rcpts, raw in (maildirs if local else dialogues)(arrived):
        if NOTICE.search(raw):
            notices += 1
            continue
        for rcpt in rcpts:
            seen[rcpt] += 1
            if body_of(raw) != content.get(kinds.get(rcpt)):
                wrong.append(rcpt)
    if wrong:
        return f"not what was sent: {wrong[:5]}"
    if seen != users:
        return f"missing {list((users - seen).items())[:5]}, too many {list((seen - users).items())[:5]}"
    if notices < len(DOMAINS):
        return f"{notices} notices of delivery"
    return None


if sys.argv[1] == "make":
    for which, words in bodies().items():
        with open(os.path.join(sys.argv[2], which), "wb") as to:
            to.write(message(which, words))
else:
    sys.exit(check(sys.argv[2], sys.argv[3]))
