#!/usr/bin/python3
# Helper of 36-restrictions.sh: the cases, the name server and the policy server they need, and who
# runs them. A case is settings of an smtpd and what a client says; what counts are the replies and
# the log lines about access.
#   restrictions.py master NETWORK PORT     master.cf entries: a service for each case
#   restrictions.py serve DNS_PORT POLICY_PORT [ADDRESS]   until it is killed
#   restrictions.py run NETWORK PORT        replies to standard output, case by case
#   restrictions.py log FILE                log lines about access, case by case
import re, socket, socketserver, struct, sys, threading, time
import restriction_cases

POLICY = 0
OPEN = "EHLO client.example|MAIL FROM:<s@sender.test>|RCPT TO:<r@example.org>"
MORE = OPEN + "|RCPT TO:<r2@example.org>"
DATA = OPEN + "|DATA|Subject: x\r\n\r\ntext\r\n."
ETRN = "EHLO client.example|ETRN example.org"


def table(**entries):
    return "inline:{ " + ", ".join("{ %s = %s }" % item for item in entries.items()) + " }"


def pairs(*entries):
    return "inline:{ " + ", ".join("{ %s = %s }" % item for item in entries) + " }"


def rcpt(value):
    return {"smtpd_recipient_restrictions": value}


def action(value, dialogue=OPEN, **more):
    return dict(rcpt("check_recipient_access " + pairs(("r@example.org", value))), **more), dialogue


def policy(what, dialogue=OPEN, more=""):
    service = "{ inet:127.0.0.1:POLICY, { policy_context = %s }, retry_delay=1s%s }" % (what, more)
    return rcpt("check_policy_service " + service), dialogue


CASES = {
    # the lists themselves
    "reject": (rcpt("reject"), OPEN),
    "defer": (rcpt("defer"), OPEN),
    "permit": (rcpt("permit"), OPEN),
    "client": ({"smtpd_client_restrictions": "reject"}, OPEN),
    "client-now": ({"smtpd_client_restrictions": "reject", "smtpd_delay_reject": "no"}, OPEN),
    "helo": ({"smtpd_helo_restrictions": "reject"}, OPEN),
    "helo-now": ({"smtpd_helo_restrictions": "reject", "smtpd_delay_reject": "no"}, OPEN),
    "sender": ({"smtpd_sender_restrictions": "reject"}, OPEN),
    "sender-now": ({"smtpd_sender_restrictions": "reject", "smtpd_delay_reject": "no"}, OPEN),
    "data": ({"smtpd_data_restrictions": "reject"}, DATA),
    "data-many": ({"smtpd_data_restrictions": "reject"}, MORE + "|DATA"),
    "end": ({"smtpd_end_of_data_restrictions": "reject"}, DATA),
    "etrn": ({"smtpd_etrn_restrictions": "reject"}, ETRN),
    "vrfy": (rcpt("reject"), "EHLO client.example|VRFY r@example.org"),
    "unknown": (rcpt("no_such_restriction"), OPEN),
    "relay": ({}, OPEN.replace("r@example.org", "r@other.test")),
    "relay-defer": ({"smtpd_relay_restrictions": "defer_unauth_destination"},
                    OPEN.replace("r@example.org", "r@other.test")),
    "codes": (dict(rcpt("reject"), reject_code="521"), OPEN),
    "soft": (dict(rcpt("reject"), soft_bounce="yes"), OPEN),
    # combinations
    "warn": (rcpt("warn_if_reject reject"), OPEN),
    "warn-list": (rcpt("warn_if_reject check_recipient_access " + table(**{"r@example.org": "REJECT no"}) + ", permit"), OPEN),
    "warn-class": (dict(rcpt("warn_if_reject strict, permit"), smtpd_restriction_classes="strict", strict="reject"), OPEN),
    "class": (dict(rcpt("strict"), smtpd_restriction_classes="strict", strict="reject"), OPEN),
    "class-nested": (dict(rcpt("check_recipient_access " + pairs(("example.org", "outer"))),
                          smtpd_restriction_classes="outer inner", outer="inner, reject", inner="permit"), OPEN),
    "defer-if-permit": (rcpt("defer_if_permit"), OPEN),
    "defer-if-permit-reject": (rcpt("defer_if_permit, reject"), OPEN),
    "defer-if-permit-client": ({"smtpd_client_restrictions": "defer_if_permit, permit"}, OPEN),
    "defer-if-permit-early": ({"smtpd_client_restrictions": "defer_if_permit", "smtpd_delay_reject": "no"}, OPEN),
    "defer-if-permit-helo-early": ({"smtpd_helo_restrictions": "defer_if_permit", "smtpd_delay_reject": "no"}, OPEN),
    "defer-if-permit-unknown": ({"smtpd_sender_restrictions": "defer_if_permit", "local_recipient_maps": "inline:{x=y}"}, OPEN),
    "defer-if-reject": (rcpt("defer_if_reject, reject"), OPEN),
    "defer-if-reject-permit": (rcpt("defer_if_reject, permit"), OPEN),
    "defer-if-reject-lists": ({"smtpd_client_restrictions": "defer_if_reject",
                               "smtpd_recipient_restrictions": "reject"}, OPEN),
    "defer-both": (rcpt("defer_if_reject, defer_if_permit"), OPEN),
    "warn-defer-if-permit": (rcpt("warn_if_reject defer_if_permit"), OPEN),
    "data-defer": ({"smtpd_data_restrictions": "defer_if_permit"}, DATA),
    "sleep": (rcpt("sleep 1, reject"), OPEN),
    # access(5)
    "act-reject": action("REJECT"),
    "act-reject-text": action("REJECT go away"),
    "act-reject-dsn": action("REJECT 5.1.7 go away"),
    "act-reject-code": action("REJECT", access_map_reject_code="550"),
    "act-defer": action("DEFER"),
    "act-defer-text": action("DEFER later, please", access_map_defer_code="451"),
    "act-number": action("550 5.1.1 no such user"),
    "act-number-plain": action("450 come back"),
    "act-number-only": action("554"),
    "act-number-odd": action("620 strange"),
    "act-hangup": action("421 4.7.0 bye"),
    "act-hangup-521": action("521 bye"),
    "act-defer-if-permit": action("DEFER_IF_PERMIT not now"),
    "act-defer-if-reject": (rcpt("check_recipient_access " + table(**{"r@example.org": "DEFER_IF_REJECT"}) + ", reject"), OPEN),
    "act-ok": (rcpt("check_recipient_access " + table(**{"r@example.org": "OK"}) + ", reject"), OPEN),
    "act-digits": (rcpt("check_recipient_access " + table(**{"r@example.org": "1234567"}) + ", reject"), OPEN),
    "act-dunno": (rcpt("check_recipient_access " + pairs(("r@example.org", "DUNNO"), ("example.org", "REJECT"))), OPEN),
    "act-warn": action("WARN look at this"),
    "act-info": action("INFO just so"),
    "act-hold": action("HOLD", DATA),
    "act-hold-text": action("HOLD for the boss", DATA),
    "act-discard": action("DISCARD", DATA),
    "act-discard-text": action("DISCARD who cares", MORE),
    "act-filter": action("FILTER discard:nowhere", DATA),
    "act-filter-empty": action("FILTER"),
    "act-filter-bad": action("FILTER nowhere"),
    "act-redirect": action("REDIRECT other@example.org", DATA),
    "act-redirect-bad": action("REDIRECT other"),
    "act-bcc": action("BCC other@example.org", DATA),
    "act-prepend": action("PREPEND X-Seen: yes", DATA),
    "act-prepend-bad": action("PREPEND nothing", DATA),
    "act-list": action("reject_unlisted_recipient, reject"),
    "act-nonsense": action("nonsense"),
    "act-table": action("inline:{x=y}"),
    "sender-dsn": ({"smtpd_sender_restrictions": "check_sender_access " + table(**{"s@sender.test": "REJECT 5.1.1 unknown"})}, OPEN),
    "client-dsn": ({"smtpd_client_restrictions": "check_client_access static:{REJECT 5.1.1 unknown}"}, OPEN),
    **{"dsn-%s-%s" % (who, dsn): ({"smtpd_%s_restrictions" % who: "check_%s_access static:{REJECT 5.%s x}" % (who, dsn)}, OPEN)
       for who in ("client", "sender", "recipient") for dsn in "1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9 1.10 2.1 7.1".split()},
    # what is looked up
    "by-domain": (rcpt("check_recipient_access " + table(**{"example.org": "REJECT domain"})), OPEN),
    "by-user": (rcpt("check_recipient_access " + pairs(("r@", "REJECT user"))), OPEN),
    "by-extension": (dict(rcpt("check_recipient_access " + table(**{"r@example.org": "REJECT no ext"})), recipient_delimiter="+"),
                     OPEN.replace("r@", "r+x@")),
    "by-parent": ({"smtpd_sender_restrictions": "check_sender_access " + table(**{"test": "REJECT parent"})}, OPEN),
    "by-parent-dot": ({"smtpd_sender_restrictions": "check_sender_access " + pairs((".test", "REJECT parent")),
                       "parent_domain_matches_subdomains": ""}, OPEN),
    "by-address": ({"smtpd_client_restrictions": "check_client_access " + table(**{"127.0": "REJECT net"})}, OPEN),
    "by-cidr": ({"smtpd_client_restrictions": "check_client_access cidr:{{127.0.0.0/8 REJECT cidr}}"}, OPEN),
    "by-helo": ({"smtpd_helo_restrictions": "check_helo_access " + table(**{"example": "REJECT helo"})}, OPEN),
    "by-regexp": ({"smtpd_sender_restrictions": "check_sender_access regexp:{{/^(.*)@sender/ REJECT not $1}}"}, OPEN),
    "by-null": ({"smtpd_sender_restrictions": "check_sender_access " + pairs(("<>", "REJECT null"))},
                OPEN.replace("s@sender.test", "")),
    "by-bare": ({"smtpd_sender_restrictions": table(**{"sender.test": "REJECT bare"})}, OPEN),
    "by-bare-data": ({"smtpd_data_restrictions": table(**{"x": "REJECT"})}, OPEN + "|DATA"),
    "by-reverse": ({"smtpd_client_restrictions": "check_reverse_client_hostname_access static:{REJECT reverse}"}, OPEN),
    "by-reverse-ok": ({"smtpd_client_restrictions": "check_reverse_client_hostname_access static:OK"}, OPEN),
    "by-etrn": ({"smtpd_etrn_restrictions": "check_etrn_access " + table(**{"example.org": "REJECT etrn"})}, ETRN),
    "by-fail": (rcpt("check_recipient_access fail:broken"), OPEN),
    "by-fail-warn": (rcpt("check_recipient_access fail:broken, permit"), OPEN),
    "by-other-stage": ({"smtpd_recipient_restrictions": "check_helo_access " + table(**{"client.example": "REJECT late"})}, OPEN),
    "sasl-access": (rcpt("check_sasl_access static:REJECT"), OPEN),
    "ccert-access": (rcpt("check_ccert_access static:REJECT"), OPEN),
    "by-mx": (rcpt("check_sender_mx_access " + table(**{"mx.sender.test": "REJECT mx"})), OPEN),
    "by-mx-address": (rcpt("check_sender_mx_access " + table(**{"192.0.2.25": "REJECT mx address"})), OPEN),
    "by-mx-ok": (rcpt("check_sender_mx_access static:OK"), OPEN),
    "by-mx-none": (rcpt("check_helo_mx_access static:REJECT"), OPEN.replace("client.example", "a.sender.test")),
    "by-ns": (rcpt("check_sender_ns_access " + table(**{"ns.sender.test": "REJECT ns"})), OPEN),
    "by-ns-parent": (rcpt("check_helo_ns_access " + table(**{"ns.sender.test": "REJECT ns"})), OPEN.replace("client.example", "a.sender.test")),
    "by-a": (rcpt("check_helo_a_access " + table(**{"192.0.2.7": "REJECT a"})), OPEN.replace("client.example", "a.sender.test")),
    # other restrictions
    "plaintext": (rcpt("reject_plaintext_session"), OPEN),
    "bounce-many": (rcpt("reject_multi_recipient_bounce"), MORE.replace("s@sender.test", "")),
    "non-fqdn-helo": ({"smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"}, OPEN.replace("client.example", "client")),
    "invalid-helo": ({"smtpd_helo_restrictions": "reject_invalid_helo_hostname"}, OPEN.replace("client.example", "cli..ent")),
    "non-fqdn-sender": ({"smtpd_sender_restrictions": "reject_non_fqdn_sender"}, OPEN.replace("s@sender.test", "s@sender")),
    "non-fqdn-rcpt": (rcpt("reject_non_fqdn_recipient"), OPEN.replace("r@example.org", "r@example")),
    "unknown-sender": (rcpt("reject_unknown_sender_domain"), OPEN.replace("sender.test", "absent.test")),
    "unknown-sender-later": (rcpt("reject_unknown_sender_domain"), OPEN.replace("sender.test", "fail.test")),
    "unknown-sender-later-reject": (rcpt("reject_unknown_sender_domain, reject"), OPEN.replace("sender.test", "fail.test")),
    "unknown-sender-now": (dict(rcpt("reject_unknown_sender_domain"), unknown_address_tempfail_action="defer"), OPEN.replace("sender.test", "fail.test")),
    "unknown-sender-null": (rcpt("reject_unknown_sender_domain"), OPEN.replace("sender.test", "nullmx.test")),
    "unknown-rcpt": ({"smtpd_relay_restrictions": "reject_unknown_recipient_domain, reject_unauth_destination"}, OPEN.replace("example.org", "nullmx.test")),
    "unknown-helo": ({"smtpd_helo_restrictions": "reject_unknown_helo_hostname"}, OPEN.replace("client.example", "absent.test")),
    "unknown-helo-later": ({"smtpd_helo_restrictions": "reject_unknown_helo_hostname"}, OPEN.replace("client.example", "fail.test")),
    "unknown-client": ({"smtpd_client_restrictions": "reject_unknown_client_hostname"}, OPEN),
    "unknown-reverse": ({"smtpd_client_restrictions": "reject_unknown_reverse_client_hostname"}, OPEN),
    "unlisted-rcpt": ({"local_recipient_maps": "inline:{x=y}"}, OPEN),
    "unlisted-rcpt-plain": ({"local_recipient_maps": "inline:{x=y}", "show_user_unknown_table_name": "no"}, OPEN),
    "unlisted-sender": ({"local_recipient_maps": "inline:{r=y}", "smtpd_reject_unlisted_sender": "yes"}, OPEN.replace("sender.test", "example.org")),
    "login-mismatch": ({"smtpd_sender_restrictions": "reject_sender_login_mismatch",
                        "smtpd_sender_login_maps": "inline:{s@sender.test=me}"}, OPEN),
    "mx-backup": ({"smtpd_relay_restrictions": "permit_mx_backup, reject"}, OPEN.replace("example.org", "sender.test")),
    "log-permit": (dict(rcpt("permit"), smtpd_log_access_permit_actions="static:all"), OPEN),
    # verify(8)
    "verify": (rcpt("reject_unverified_sender"), OPEN),
    "verify-bad": (rcpt("reject_unverified_sender"), OPEN.replace("sender.test", "bad.test")),
    "verify-later": (rcpt("reject_unverified_sender"), OPEN.replace("sender.test", "later.test")),
    "verify-rcpt": (rcpt("reject_unverified_recipient"), OPEN),
    "verify-reason": (dict(rcpt("reject_unverified_sender"), unverified_sender_reject_reason="no such sender",
                           unverified_sender_reject_code="550"), OPEN.replace("s@sender.test", "x@bad.test")),
    "verify-anyway": (dict(rcpt("reject_unverified_sender"), unverified_sender_reject_code="250"),
                      OPEN.replace("s@sender.test", "y@bad.test")),
    "verify-now": (dict(rcpt("reject_unverified_sender, reject"), unverified_sender_tempfail_action="defer"),
                   OPEN.replace("s@sender.test", "z@later.test")),
    "verify-null": (rcpt("reject_unverified_sender"), OPEN.replace("s@sender.test", "")),
    # lists in the DNS
    "rbl": (rcpt("reject_rbl_client bl.test"), OPEN),
    "rbl-filter": (rcpt("reject_rbl_client bl.test=127.0.0.[2;4..6]"), OPEN),
    "rbl-filter-no": (rcpt("reject_rbl_client bl.test=127.0.0.[3;5..6]"), OPEN),
    "rbl-absent": (rcpt("reject_rbl_client other-bl.test"), OPEN),
    "rbl-fails": (rcpt("reject_rbl_client fail.test"), OPEN),
    "rbl-warn": (rcpt("warn_if_reject reject_rbl_client bl.test"), OPEN),
    "rbl-reply": (dict(rcpt("reject_rbl_client bl.test"),
                       default_rbl_reply="$rbl_code 5.7.1 $client_address $helo_name by $rbl_domain${rbl_reason?: $rbl_reason}"), OPEN),
    "rbl-maps": (dict(rcpt("reject_rbl_client bl.test"),
                      rbl_reply_maps="inline:{{bl.test = 571 4.7.2 Listed, $recipient ${sender?from $sender}}}"), OPEN),
    "rbl-code": (dict(rcpt("reject_rbl_client bl.test"), maps_rbl_reject_code="450"), OPEN),
    "rhsbl-sender": (rcpt("reject_rhsbl_sender bl.test"), OPEN),
    "rhsbl-helo": (rcpt("reject_rhsbl_helo bl.test"), OPEN.replace("client.example", "sender.test")),
    "rhsbl-rcpt": (rcpt("reject_rhsbl_recipient bl.test"), OPEN.replace("example.org", "example.org")),
    "dnswl": (rcpt("permit_dnswl_client bl.test, reject"), OPEN),
    "dnswl-fails": (rcpt("permit_dnswl_client fail.test, reject"), OPEN),
    "dnswl-relay": ({"smtpd_relay_restrictions": "permit_dnswl_client bl.test, reject"}, OPEN.replace("example.org", "other.test")),
    # policy services
    "policy-dunno": policy("DUNNO"),
    "policy-reject": policy("REJECT by policy"),
    "policy-text": policy("450 4.7.0 wait"),
    "policy-defer": policy("DEFER_IF_PERMIT Greylisted"),
    "policy-list": policy("reject_unauth_destination reject"),
    "policy-twice": policy("WARN twice", MORE),
    "policy-nonsense": policy("nonsense", more=", try_limit=1"),
    "policy-dies": policy("die", more=", try_limit=1"),
    "policy-absent": (rcpt("check_policy_service { inet:127.0.0.1:1, retry_delay=1s, try_limit=1 }"), OPEN),
    "policy-default": (rcpt("check_policy_service { inet:127.0.0.1:1, try_limit=1, { default_action = 450 4.3.5 later } }"), OPEN),
    "policy-hangs": policy("hang", more=", try_limit=1, timeout=1s"),
    "policy-data": ({"smtpd_data_restrictions": "check_policy_service { inet:127.0.0.1:POLICY, { policy_context = REJECT data } }"}, DATA),
}

CASES.update(restriction_cases.cases())

# ---- the servers --------------------------------------------------------------------------------
ZONE = {
    "sender.test": {"MX": ["mx.sender.test"], "A": ["192.0.2.1"], "NS": ["ns.sender.test"]},
    "mx.sender.test": {"A": ["192.0.2.25"]},
    "ns.sender.test": {"A": ["192.0.2.53"]},
    "a.sender.test": {"A": ["192.0.2.7"]},
    "nullmx.test": {"MX": [""]},
    "1.0.0.127.bl.test": {"A": ["127.0.0.4"], "TXT": ["listed for a test"]},
    "sender.test.bl.test": {"A": ["127.0.0.2"]},
    "example.org.bl.test": {"A": ["127.0.0.2"]},
    "1.0.0.127.sick.test": {"A": ["127.255.255.254"], "TXT": ["open resolver"]},
    "1.0.0.127.parked.test": {"A": ["203.0.113.9"]},
}
ZONE.update(restriction_cases.ZONE)
TYPES = {1: "A", 2: "NS", 15: "MX", 16: "TXT", 28: "AAAA"}


def wire_name(name):
    return b"".join(bytes([len(l)]) + l.encode() for l in name.split(".") if l) + b"\0"


def wire_data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    return (b"\0\x0a" if kind == "MX" else b"") + wire_name(value)


class Dns(socketserver.BaseRequestHandler):
    def handle(self):
        packet, sock = self.request
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode().lower())
            at += 1 + packet[at]
        kind = TYPES.get(struct.unpack("!H", packet[at + 1:at + 3])[0])
        question, name = packet[12:at + 5], ".".join(labels)
        if name.endswith("silent.test"):
            return
        records = ZONE.get(name, {})
        inside = any(n.endswith("." + name) for n in ZONE)
        rcode = 2 if name.endswith("fail.test") else 0 if records or inside else 3
        answers = [b"\xc0\x0c" + struct.pack("!HHIH", {v: k for k, v in TYPES.items()}[kind], 1, 60, len(d)) + d
                   for d in (wire_data(kind, v) for v in records.get(kind, []))]
        sock.sendto(packet[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, len(answers), 0, 0) + question +
                    b"".join(answers), self.client_address)


class Policy(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            asked = {}
            while True:
                line = self.rfile.readline().decode("utf-8", "replace")
                if not line:
                    return
                if line == "\n":
                    break
                key, value = line.rstrip("\n").split("=", 1)
                asked[key] = value
            what = asked.get("policy_context", "DUNNO") or "DUNNO"
            if what == "hang":
                time.sleep(20)
                return
            if what == "die":
                return
            if what == "nonsense":
                self.wfile.write(b"\0\1 no answer\n\n")
                return
            if what == "slow":
                time.sleep(0.5)
                what = "DUNNO"
            if what == "endless":
                try:
                    while True:
                        self.wfile.write(b"a" * 65536)
                except OSError:
                    return
            if what == "values":
                what = "REJECT " + " ".join("%s=%s" % item for item in asked.items())
            if what == "attributes":
                what = "REJECT " + " ".join(sorted(asked))
            self.wfile.write(("action=%s\n\n" % what).encode())


class Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


def serve(dns_port, policy_port, address="127.0.0.1"):
    dns = Udp((address, int(dns_port)), Dns)
    policy_server = Tcp(("127.0.0.1", int(policy_port)), Policy)
    threading.Thread(target=dns.serve_forever, daemon=True).start()
    print("ready", flush=True)
    policy_server.serve_forever()


# ---- the client -----------------------------------------------------------------------------------
def address_of(network, i):
    return "127.%s.%d.%d" % (network, i // 200, i % 200 + 1)


def read_reply(f):
    lines = []
    while True:
        line = f.readline().decode("utf-8", "replace").rstrip("\r\n")
        lines.append(line)
        if line[3:4] != "-":
            return line


def run_case(host, port, dialogue):
    out = []
    with socket.create_connection((host, port), 120, source_address=("127.0.0.1", 0)) as s:
        f = s.makefile("rb")
        out.append(read_reply(f)[:3] if True else "")
        for line in dialogue.split("|"):
            s.sendall(line.encode() + b"\r\n")
            reply = re.sub(r"queued as \w+", "queued as ID", read_reply(f))
            if line.startswith("EHLO") and reply[:3] == "250":
                reply = "250"
            out.append(reply)
            if not reply:
                break
        try:
            s.sendall(b"QUIT\r\n")
            out.append(read_reply(f)[:3])
        except OSError:
            out.append("")
    return out


def run(network, port):
    results = {}

    def one(i, name, dialogue):
        try:
            results[name] = run_case(address_of(network, i), int(port), dialogue)
        except OSError as e:
            results[name] = [str(e)]

    work = [(i, n, c[1]) for i, (n, c) in enumerate(CASES.items())]
    for at in range(0, len(work), 48):
        threads = [threading.Thread(target=one, args=w) for w in work[at:at + 48]]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    for name in CASES:
        for line in results[name]:
            print("%s < %s" % (name, line))


def master(network, port, policy_port):
    for i, (name, (settings, _)) in enumerate(CASES.items()):
        print("%s:%s inet n - n - - smtpd" % (address_of(network, i), port))
        print("    -o syslog_name=case-%s" % name)
        for key, value in settings.items():
            print("    -o { %s = %s }" % (key, value.replace("POLICY", policy_port)))


def count():
    print(len(CASES))


def log(path):
    found = {name: [] for name in CASES}
    for line in open(path, errors="replace"):
        m = re.search(r" case-([\w-]+)/smtpd\[\d+\]: (.*)", line)
        if m and re.match(r"(NOQUEUE|\w{6,}): [\w-]+: ", m[2]) and not m[2].split(": ")[1].startswith("client="):
            text = re.sub(r"^(?!NOQUEUE|warning)\w+: ", "ID: ", m[2])
            if not text.startswith("warning: "):
                found[m[1]].append(text)
    for name in CASES:
        for text in found[name]:
            print("%s # %s" % (name, text))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
