#!/bin/bash
# Each kind of attack that Debian's fail2ban filter knows, from an IPv4 and an IPv6 address: in each of
# its modes it finds the addresses of those that it is for, and nobody else's. (They come by XCLIENT,
# whose count hides logins that failed from mode ddos.)
. "$(dirname "$0")/submit.bash"
filter=/etc/fail2ban/filter.d/postfix.conf
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
command -v fail2ban-regex >/dev/null && [ -r $filter ] || { echo "fail2ban is not installed"; exit 77; }

make_instance discard
port=$(free_port)
printf 'joe\t$5$none\n' >"$scratch/users"
chmod 644 "$scratch/users"
cat >>"$etc/main.cf" <<END
mydestination = example.org
mynetworks = 192.0.2.0/24
local_recipient_maps = inline:{r=x}
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
smtpd_helo_restrictions = reject_non_fqdn_helo_hostname
smtpd_client_restrictions = check_client_access inline:{{198.51.100.4 = REJECT}, {2001:db8::4 = REJECT}}
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_forbid_unauth_pipelining = no
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_hard_error_limit = 3
smtpd_error_sleep_time = 0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = table
smtpd_sasl_path = texthash:$scratch/users
smtpd_tls_auth_only = no
smtpd_client_connection_count_limit = 0
inet_protocols = all
END
echo "127.0.0.1:$port inet n - n - - smtpd" >>"$etc/master.cf"
start
timeout 120 python3 - "$port" >"$scratch/said" <<'END' || fail "clients: $(cat "$scratch/said")"
import socket, sys
ATTACKS = [  # a final "!" hangs up without QUIT, "+" is sent together with the next
    ("EHLO a.test", "MAIL FROM:<s@sender.test>", "RCPT TO:<r@other.test>"),
    ("EHLO a.test", "MAIL FROM:<s@sender.test>", "RCPT TO:<nobody@example.org>"),
    ("EHLO nodots", "MAIL FROM:<s@sender.test>", "RCPT TO:<r@example.org>"),
    ("EHLO a.test", "MAIL FROM:<s@sender.test>", "RCPT TO:<r@example.org>"),
    ("EHLO a.test", "MAIL FROM:<s@sender.test>", "RCPT TO:<r@example.org>", "+DATA", "NOOP"),
    ("EHLO a.test", "A", "B", "C", "!"),
    ("+EHLO a.test", "MAIL FROM:<s@sender.test>", "!"),
    ("EHLO a.test", "AUTH PLAIN AGpvZQB3cm9uZw=="),
    ("EHLO a.test", "AUTH LOGIN", "am9l", "d3Jvbmc=", "!"),
    ("EHLO a.test", "!"),
    ("EHLO a.test", "MAIL FROM:<s@sender.test>", "RCPT TO:<r@example.org>", "!"),
    ("EHLO a.test", "FOO", "!"),
    ("EHLO a.test", "MAIL FROM:<s@sender.test>", "RCPT TO:<r@example.org>", "DATA", "Subject: good\r\n\r\n."),
]
for i, steps in enumerate(ATTACKS, 1):
    for address in ("198.51.100.%d" % i, "IPV6:2001:db8::%d" % i):
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 120)
        f, pending = s.makefile("rb"), b""
        def reply():
            line = f.readline()
            while line[3:4] == b"-":
                line = f.readline()
        reply()
        for step in ("XCLIENT ADDR=" + address,) + steps + ("QUIT",):
            if step == "!":
                break
            pending += step.lstrip("+").encode() + b"\r\n"
            if step[0] != "+":
                s.sendall(pending)
                pending = b""
                reply()
        f.close()
        s.close()
END
all_gone() { [ "$(count_logged 'smtpd.*: disconnect from')" = 26 ]; }
await 10 all_gone || fail "not all have gone"
stop
for mode in 'normal 1 2 3 4 5 6 7' 'more 1 2 3 4 5 6 7' 'extra 1 2 3 4 5 6 7 8 9' 'auth 8 9' 'ddos 7 9 10 11 12' 'errors 6' 'rbl' \
	'aggressive 1 2 3 4 5 6 7 8 9 10 11 12'; do
	read -r name numbers <<<"$mode"
	for n in $numbers; do printf '198.51.100.%s\n2001:db8::%s\n' "$n" "$n"; done | sort >"$scratch/wanted"
	timeout 120 fail2ban-regex -o ip "$log" "$filter[mode=$name]" 2>&1 | sort -u >"$scratch/found"
	diff "$scratch/wanted" "$scratch/found" || fail "mode $name: others are found than wanted"
done
