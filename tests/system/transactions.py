#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The same day in the life of any mail system that speaks Postfix: one of each kind of transaction.

usage: transactions.py ETC SMTP-PORT SINK-PORT LOG COMMAND-FOLDER

A next hop listens on SINK-PORT and answers by the recipient's name. Each transaction waits for its
line in LOG, so that the log has one order. Prints nothing unless something is missing.
"""
import os
import re
import socket
import subprocess
import sys
import threading
import time

ETC, PORT, SINK_PORT, LOG, COMMANDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
ENV = dict(os.environ, MAIL_CONFIG=ETC)
failed_once = set()


def sink_answer(recipient):
    name = recipient.split("@")[0]
    if name.startswith("defer") and recipient not in failed_once:
        failed_once.add(recipient)
        return "450 4.2.0 try again later"
    if name.startswith("reject"):
        return "550 5.1.1 no such user here"
    if name.startswith("odd"):
        return "553-5.7.1 first line of two\r\n553 5.7.1 second line"
    return "250 2.1.5 fine"


def sink_session(conn):
    f = conn.makefile("rb")

    def say(text):
        conn.sendall(text.encode() + b"\r\n")

    count = 0
    say("220 sink.example ESMTP")
    for line in f:
        verb = line.strip().upper().split(b" ")[0].split(b":")[0]
        if verb == b"EHLO":
            say("250-sink.example\r\n250-PIPELINING\r\n250-SIZE\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME")
        elif verb == b"RCPT":
            answer = sink_answer(line.decode("latin-1").split("<")[1].split(">")[0])
            count += answer[0] == "2"
            say(answer)
        elif verb == b"DATA":
            if not count:
                say("554 5.5.1 no valid recipients")
                continue
            say("354 go on")
            for content in f:
                if content == b".\r\n":
                    break
            say("250 2.0.0 queued as SINK")
            count = 0
        elif verb == b"QUIT":
            say("221 2.0.0 bye")
            break
        else:
            say("250 2.0.0 ok")
    conn.close()


def sink():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", SINK_PORT))
    listener.listen(20)

    def serve():
        while True:
            conn, _ = listener.accept()
            threading.Thread(target=sink_session, args=(conn,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


class Session:
    def __init__(self, source="127.0.0.1", greet=True):
        self.s = socket.create_connection(("127.0.0.1", PORT), 120, (source, 0))
        self.f = self.s.makefile("rb")
        self.answer()
        if greet:
            self.say("EHLO client.example")

    def answer(self):
        lines = []
        while True:
            line = self.f.readline().decode("latin-1")
            lines.append(line)
            if len(line) < 4 or line[3] != "-":
                return "".join(lines)

    def say(self, text):
        self.s.sendall(text.encode("latin-1") + b"\r\n")
        return self.answer()

    def mail(self, sender, *recipients, body="hello", ident=None, subject="a test"):
        self.say(f"MAIL FROM:<{sender}>")
        if not [r for r in recipients if self.say(f"RCPT TO:<{r}>")[0] == "2"]:
            return "500"
        self.say("DATA")
        head = f"From: {sender}\r\nMessage-ID: <{ident}@client.example>\r\n" if ident else ""
        return self.say(f"{head}Subject: {subject}\r\n\r\n{body}\r\n.")

    def quit(self):
        self.say("QUIT")
        self.close()

    def close(self):
        self.f.close()
        self.s.close()


def log_text():
    try:
        with open(LOG, encoding="latin-1") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def await_log(pattern, count=1):
    end = time.monotonic() + 100
    while len(re.findall(pattern, log_text())) < count:
        if time.monotonic() > end:
            raise SystemExit(f"not logged {count} times: {pattern}\n" + log_text())
        time.sleep(0.02)


def quiet():
    """Until what there is of messages has been removed or waits."""
    end = time.monotonic() + 100
    while time.monotonic() < end:
        text = log_text()
        ids = set(re.findall(r"qmgr\[\d+\]: (\w+): from=", text))
        settled = set(re.findall(r"qmgr\[\d+\]: (\w+): removed", text)) | waiting
        if not ids - settled:
            return
        time.sleep(0.02)
    raise SystemExit(f"not removed: {ids - settled}\n" + log_text())


waiting = set()


def smtp(*args, **kw):
    s = Session()
    answer = s.mail(*args, **kw)
    s.quit()
    if answer[0] == "2":
        quiet()
    return answer


def pickup(*args, text="Subject: by sendmail\n\nhello\n"):
    subprocess.run([os.path.join(COMMANDS, "sendmail"), *args], input=text.encode(), env=ENV, check=True)


def main():
    sink()
    # relayed, local, several recipients, the null sender
    smtp("one@client.example", "relayed@sink.example", ident="m1")
    smtp("one@client.example", "bin@localhost", ident="m2")
    smtp("one@client.example", "a@sink.example", "b@sink.example", "c@sink.example", "bin@localhost",
         ident="m3")
    smtp("", "null@sink.example", ident="m4")
    smtp("one@client.example", "aliased@localhost", ident="m5")
    smtp("one@client.example", "bin+ext@localhost", "Bin@LOCALHOST", ident="m6")
    # no Message-ID, empty content, 8-bit, larger
    smtp("two@client.example", "noid@sink.example")
    smtp("two@client.example", "big@sink.example", ident="m7", body=("x" * 70 + "\r\n") * 3000)
    smtp("two@client.example", "eight@sink.example", ident="m8", body="gr\xfc\xdfe")
    # returned: by the next hop, by the error transport, by a command of an alias
    smtp("daemon@localhost", "reject1@sink.example", ident="m10")
    smtp("daemon@localhost", "odd@sink.example", "fine@sink.example", ident="m11")
    smtp("daemon@localhost", "x@error.example")  # refused by smtpd at once
    smtp("daemon@localhost", "failing@localhost", ident="m13")
    smtp("", "reject2@sink.example", ident="m14")
    # thrown away
    smtp("one@client.example", "x@discard.example", ident="m15")
    # deferred, then sent
    s = Session()
    s.mail("one@client.example", "defer1@sink.example", "ok@sink.example", ident="m20")
    s.quit()
    await_log(r"to=<defer1@sink.example>.*status=deferred")
    queue_id = re.search(r": (\w+): to=<defer1@", log_text()).group(1)
    waiting.add(queue_id)
    time.sleep(0.3)
    subprocess.run([os.path.join(COMMANDS, "postqueue"), "-i", queue_id], env=ENV, check=True)
    await_log(queue_id + r": removed")
    waiting.clear()
    # nobody answers there; the message is deleted in the end
    s = Session()
    s.mail("one@client.example", "x@dead.example", ident="m21")
    s.quit()
    await_log(r"to=<x@dead.example>.*status=deferred")
    queue_id = re.search(r": (\w+): to=<x@dead.example>", log_text()).group(1)
    waiting.add(queue_id)
    time.sleep(0.3)
    subprocess.run([os.path.join(COMMANDS, "postsuper"), "-h", queue_id], env=ENV, check=True,
                   stderr=subprocess.DEVNULL)
    subprocess.run([os.path.join(COMMANDS, "postsuper"), "-d", queue_id], env=ENV, check=True,
                   stderr=subprocess.DEVNULL)
    # refused: unknown user, relaying, bad commands, sizes
    s = Session()
    s.say("MAIL FROM:<one@client.example>")
    s.say("RCPT TO:<nosuch@localhost>")
    s.say("RCPT TO:<bin@localhost>")
    s.say("RSET")
    s.say("MAIL FROM:<one@client.example> SIZE=99999999999")
    s.say("RSET")
    s.say("MAIL FROM:<bad address@>")
    s.say("MAIL FROM:<one@client.example>")
    s.say("RCPT TO:<bin@localhost@elsewhere>")
    s.quit()
    s = Session("127.0.0.2")
    s.say("MAIL FROM:<spammer@client.example>")
    s.say("RCPT TO:<victim@other.example>")
    s.say("RCPT TO:<victim@other.example>")
    s.quit()
    s = Session("127.0.0.3", greet=False)
    s.say("HELO client.example")
    s.say("MAIL FROM:<>")
    s.say("RCPT TO:<nosuch@localhost>")
    s.say("DATA")
    s.quit()
    # the ends that sessions come to
    s = Session("127.0.0.4", greet=False)
    s.close()
    await_log(r"lost connection after CONNECT")
    s = Session("127.0.0.4")
    s.close()
    await_log(r"lost connection after EHLO")
    s = Session("127.0.0.4")
    s.say("MAIL FROM:<one@client.example>")
    s.close()
    await_log(r"lost connection after MAIL")
    s = Session()
    s.say("MAIL FROM:<one@client.example>")
    s.say("RCPT TO:<bin@localhost>")
    s.close()
    await_log(r"lost connection after RCPT")
    s = Session()
    s.say("MAIL FROM:<one@client.example>")
    s.say("RCPT TO:<bin@localhost>")
    s.say("DATA")
    s.s.sendall(b"Subject: broken off\r\n\r\nhel")
    s.close()
    await_log(r"lost connection after DATA")
    s = Session("127.0.0.5")
    for _ in range(4):
        s.say("NONSENSE")
    try:
        s.say("NONSENSE")
    except OSError:
        pass
    s.close()
    await_log(r"too many errors after NONSENSE|too many errors after UNKNOWN")
    s = Session("127.0.0.6")
    s.say("MAIL FROM:<one@client.example>")
    s.answer()  # 421
    s.close()
    await_log(r"timeout after MAIL")
    s = Session("127.0.0.6", greet=False)
    s.s.sendall(b"GET / HTTP/1.1\r\n\r\n")
    s.answer()
    s.close()
    await_log(r"non-SMTP command|lost connection after (UNKNOWN|GET)|improper")
    # by sendmail
    pickup("-f", "daemon@localhost", "picked@sink.example")
    await_log(r"to=<picked@sink.example>.*status=sent")
    quiet()
    pickup("-i", "-t", "-f", "daemon@localhost",
           text="To: list1@sink.example\nCc: list2@sink.example\nBcc: list3@sink.example\n\nhello\n")
    await_log(r"to=<list3@sink.example>.*status=sent")
    quiet()
    pickup("-f", "daemon@localhost", "x@error.example")
    await_log(r"to=<x@error.example>.*status=bounced")
    quiet()
    pickup("-f", "daemon@localhost", "nobody-here@localhost")
    await_log(r"to=<daemon@localhost>.*status=sent.*maildir", 5)
    quiet()
    time.sleep(0.2)


main()
