#!/usr/bin/python3
# Helper of 36-restriction-logins.sh: restrictions about who the client has proved to be, by login and
# by certificate, and what a policy service is told of it. As restrictions.py, whose functions these
# are; a case has a list and clients, and each client is one who: "-" plain text, "tls", "good" and
# "other" with a certificate, "joe" and "ann" with a login over TLS, "goodjoe" with both.
import base64, os, re, socket, ssl
import restrictions as base

CERTS = os.environ.get("CERTS", "")
WHO = ["-", "tls", "good", "other", "joe", "ann", "goodjoe"]
SENDERS = ["joe@own.test", "Two+ext@own.test", "free@own.test", ""]


def fingerprint(name):
    with open(os.path.join(CERTS, name + ".fp")) as f:
        return f.read().strip()


def cases():
    known, lists = "{ %s = %%s }" % fingerprint("good"), {}
    lists["sasl"] = "permit_sasl_authenticated, reject"
    lists["ccert-all"] = "permit_tls_all_clientcerts, reject"
    lists["ccert-listed"] = "permit_tls_clientcerts, reject"
    lists["ccert-ok"] = "check_ccert_access inline:{ %s }, reject" % (known % "OK")
    lists["ccert-no"] = "check_ccert_access inline:{ %s }, permit" % (known % "REJECT by certificate")
    lists["ccert-fail"] = "check_ccert_access fail:x, permit"
    lists["ccert-any"] = "check_ccert_access static:{REJECT any}, permit"
    lists["sasl-ok"] = "check_sasl_access inline:{ { joe = OK }, { ann = DUNNO } }, reject"
    lists["sasl-no"] = "check_sasl_access inline:{ { joe = REJECT by login } }, permit"
    lists["sasl-fail"] = "check_sasl_access fail:x, permit"
    lists["plaintext"] = "reject_plaintext_session, permit"
    found = {}
    for name, text in lists.items():
        found[name] = ({"smtpd_recipient_restrictions": text}, WHO, ["s@sender.test"])
    for kind in ("", "authenticated_", "unauthenticated_", "known_"):
        name = "reject_%ssender_login_mismatch" % kind
        found["mismatch-" + (kind or "any_")[:-1]] = (
            {"smtpd_sender_restrictions": name}, ["-", "tls", "joe", "ann"], SENDERS)
    found["mismatch-fail"] = ({"smtpd_sender_restrictions": "reject_sender_login_mismatch",
                               "smtpd_sender_login_maps": "fail:x"}, ["-", "joe"], SENDERS[:1])
    for stage in ("client", "helo", "sender", "recipient", "data", "end_of_data", "etrn"):
        found["told-" + stage.replace("_", "-")] = (
            {"smtpd_%s_restrictions" % stage: "check_policy_service { inet:127.0.0.1:POLICY, "
             "{ policy_context = values } }"}, ["-", "tls", "good", "joe"], ["s+x@sender.test", ""])
    found["told-early"] = ({"smtpd_client_restrictions": "check_policy_service { inet:127.0.0.1:POLICY, "
                            "{ policy_context = values } }", "smtpd_delay_reject": "no"}, ["-"], [""])
    return found


class Talk:
    def __init__(self, host, port):
        self.s = socket.create_connection((host, port), 120, source_address=("127.0.0.1", 0))
        self.f = self.s.makefile("rb")

    def say(self, line):
        if line is not None:
            self.s.sendall(line.encode() + b"\r\n")
        return base.read_reply(self.f)

    def secure(self, cert):
        context = ssl._create_unverified_context()
        if cert:
            context.load_cert_chain(os.path.join(CERTS, cert + ".chain"))
        self.say("STARTTLS")
        self.s = context.wrap_socket(self.s, server_hostname="mail.example.org")
        self.f = self.s.makefile("rb")


def run_client(host, port, who, sender, etrn):
    talk, out = Talk(host, port), []
    out.append(talk.say(None)[:3])
    out.append(talk.say("EHLO client.example")[:3])
    if who != "-":
        cert = "good" if who.startswith("good") else who if who == "other" else ""
        talk.secure(cert)
        talk.say("EHLO client.example")
    for login in ("joe", "ann"):
        if who.endswith(login):
            plain = base64.b64encode(b"\0" + login.encode() + b"\0secret").decode()
            out.append(talk.say("AUTH PLAIN " + plain)[:3])
    lines = ["ETRN example.org"] if etrn else [
        "MAIL FROM:<%s>" % sender, "RCPT TO:<r@example.org>", "RCPT TO:<r2@example.org>", "DATA"]
    for line in lines:
        out.append(talk.say(line))
        if out[-1][:1] in "45" and line.startswith("RCPT"):
            break
    if out[-1][:3] == "354":
        out.append(talk.say("Subject: x\r\n\r\ntext\r\n."))
    return [clean(line) for line in out]


def clean(line):
    line = re.sub(r"queued as \w+", "queued as ID", line)
    line = re.sub(r"\b(client_port|server_port|server_address|queue_id|instance|encryption_cipher)=(\S+)",
                  lambda m: m[1] + "=?", line)
    line = re.sub(r" (mail_version|compatibility_level)=\S*", "", line)
    return re.sub(r"fingerprint=([0-9A-F:]{59,})", "fingerprint=FP", line)


def run_case(host, port, case):
    out = []
    for who in case[1]:
        for sender in case[2]:
            try:
                said = run_client(host, port, who, sender, "smtpd_etrn_restrictions" in case[0])
            except OSError as e:
                said = [str(e)]
            out += ["%s <%s> %s" % (who, sender, " | ".join(said))]
    return out


base.CASES.clear()
base.CASES.update({name: (case[0], case) for name, case in cases().items()})
base.run_case = run_case
if __name__ == "__main__":
    import sys
    getattr(base, sys.argv[1])(*sys.argv[2:])
