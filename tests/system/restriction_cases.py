# More cases of restrictions.py: what a wide comparison with Postfix has found once. The order of
# deferrals, names and literals, codes that are none, routed recipients, servers of names.
P = "check_client_access static:{DEFER_IF_PERMIT p}"
X = "check_client_access static:{DEFER_IF_REJECT x}"
U = "reject_unauth_destination, "
R, L = "smtpd_recipient_restrictions", "smtpd_relay_restrictions"
C, S = "smtpd_client_restrictions", "smtpd_sender_restrictions"
OPEN = "EHLO client.example|MAIL FROM:<s@sender.test>|RCPT TO:<r@example.org>"
ANYWHERE = {L: "check_recipient_access static:OK, reject"}

ORDERS = [
    {R: P + ", defer"}, {R: X + ", defer"}, {R: X + ", reject, permit"}, {R: P + ", " + X + ", reject"},
    {R: X + ", " + P + ", reject"}, {L: U + P, R: "permit"}, {L: U + P, R: "reject"},
    {L: U + X + ", " + P, R: "reject"}, {L: U + P + ", " + X, R: "reject"}, {L: U + X, R: P + ", reject"},
    {L: U + P, R: X + ", reject"}, {C: P, R: "reject"}, {C: P, R: "defer"}, {C: P, R: X + ", reject"},
    {S: X + ", " + P + ", reject"}, {C: X + ", reject", "smtpd_delay_reject": "no"},
    {C: P, R: "reject", "smtpd_delay_reject": "no"}, {S: P, R: X + ", reject", "smtpd_delay_reject": "no"},
    {R: "warn_if_reject defer_if_reject, reject"}, {R: X + ", warn_if_reject reject, permit"},
    {R: "warn_if_reject check_recipient_access fail:x, permit"}, {R: "reject_rbl_client"},
    {R: "reject_rbl_client unheard-of"}, {R: "check_relay_domains, reject"},
    {R: "check_recipient_access inline:{ { r@example.org = check_sender_access static:REJECT } }"},
]
HELO = ["client.example.", "[127.0.0.300]", "[1.2.3.4", "127.0.0.1", "::1", "[IPv6:fe80::zz]", "1.2.3", "\u00e4.example", "a.b."]
HELO_TESTS = ["reject_non_fqdn_helo_hostname", "reject_invalid_helo_hostname", "reject_unknown_helo_hostname",
              "permit_naked_ip_address, reject"]
CODES = [("reject_code", "reject"), ("access_map_reject_code", "check_sender_access static:REJECT"),
         ("defer_code", "defer"), ("maps_rbl_reject_code", "reject_rbl_client bl.test")]
SERVERS = ["absent.test", "a.sender.test", "[192.0.2.7]", "x.nullmx.test"]
REPLIES = ["554", "5.7.1 x", "299 x", "554 4.7.1 x", "554 5.1.1 x", "421 4.7.1 bye", "554 5.7.1 ${sender_domain?{a}:{b}}"]


def cases():
    found = {"order-%d" % i: (settings, OPEN) for i, settings in enumerate(ORDERS)}
    for i, name in enumerate(HELO):
        for j, test in enumerate(HELO_TESTS):
            found["helo-%d-%d" % (i, j)] = ({"smtpd_helo_restrictions": test}, OPEN.replace("client.example", name))
    for i, (name, test) in enumerate(CODES):
        found["code-%d" % i] = ({R: test, name: "250"}, OPEN)
    for i, name in enumerate(SERVERS):
        for kind in ("a", "mx", "ns"):
            found["servers-%d-%s" % (i, kind)] = (
                {R: "check_helo_%s_access static:{REJECT hit}" % kind}, OPEN.replace("client.example", name))
    for i, text in enumerate(REPLIES):
        found["reply-%d" % i] = ({R: "reject_rbl_client bl.test", "rbl_reply_maps": "static:{%s}" % text}, OPEN)
    found["reply-failing"] = ({R: "reject_rbl_client bl.test", "rbl_reply_maps": "fail:replies"}, OPEN)
    found["tabs"] = ({R: "check_sender_access static:{REJECT with\ta tabulator}"}, OPEN)
    found["texts"] = ({R: "reject_rbl_client texts.test"}, OPEN)
    found["dot-fqdn"] = ({S: "reject_non_fqdn_sender"}, OPEN.replace("sender.test", "sender.test."))
    found["bare-postmaster"] = ({S: "reject_non_fqdn_sender"}, OPEN.replace("s@sender.test", "postmaster"))
    found["routed"] = (ANYWHERE, OPEN.replace("r@example.org", "r@example.org@other.test"))
    for domain in ("fail.test", "mxdead.test", "absent.test"):
        found["backup-" + domain.replace(".", "-")] = (
            {L: "permit_mx_backup, reject"}, OPEN.replace("example.org", domain))
    return found


ZONE = {"1.0.0.127.texts.test": {"A": ["127.0.0.2"], "TXT": ["one", "t\two"]},
        "mxdead.test": {"MX": ["nohost.test"]}}
