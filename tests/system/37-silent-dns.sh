#!/bin/bash
# Name servers that never answer, answer SERVFAIL or REFUSED, or cut off what nobody sends whole: what
# restrictions say then, and that nobody waits for the same name twice in a session. Never a wrong permit.
. "$(dirname "$0")/submit.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
server=
end() {
	[ -n "$server" ] && kill "$server" 2>/dev/null
	cleanup
}
trap end EXIT
make_instance discard
# by the first label: silent, servfail, refused, cut (and no TCP)
cat >"$scratch/dns.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
open(sys.argv[1], "w").write(str(s.getsockname()[1]))
while True:
    q, peer = s.recvfrom(4096)
    end, labels = 12, []
    while q[end]:
        labels.append(q[end + 1:end + 1 + q[end]].decode("latin-1").lower())
        end += q[end] + 1
    open(sys.argv[1] + ".asked", "a").write(".".join(labels) + " type %d\n" % q[end + 2])
    question = q[12:end + 5]
    how = [l for l in labels if l in ("silent", "servfail", "refused", "cut")]
    if not how or how[0] == "silent":
        continue
    flags = {"servfail": b"\x81\x82", "refused": b"\x81\x85", "cut": b"\x83\x80"}[how[0]]
    s.sendto(q[:2] + flags + b"\0\1\0\0\0\0\0\0" + question, peer)
END
python3 "$scratch/dns.py" "$scratch/dns.port" &
server=$!
await 10 test -s "$scratch/dns.port" || fail "no name server"
cat >>"$etc/main.cf" <<END
mydestination = example.test
mynetworks = 127.0.0.0/8
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
dns_resolver_address = 127.0.0.1:$(cat "$scratch/dns.port")
import_environment = MAIL_CONFIG PATH RES_OPTIONS
smtpd_error_sleep_time = 0
END
port=$(free_port) n=0
service() { # service NAME RESTRICTION...
	n=$((n + 1))
	echo "127.3.1.$n:$port inet n - n - - smtpd" >>"$etc/master.cf"
	echo "    -o { smtpd_recipient_restrictions = $2 }" >>"$etc/master.cf"
	eval "at_$1=127.3.1.$n"
}
service sender "reject_unknown_sender_domain, permit"
service recipient "reject_unknown_recipient_domain, permit"
service helo "reject_unknown_helo_hostname, permit"
service list "reject_rbl_client silent.list.test, reject_rhsbl_sender servfail.list.test, permit"
service white "permit_dnswl_client silent.list.test, reject"
service mx "check_sender_mx_access static:REJECT, check_sender_ns_access static:REJECT, permit"
export RES_OPTIONS="timeout:1 attempts:1"
start
# say NAME HOW: the answers to three recipients, then how many milliseconds each took
say() {
	python3 - "$(eval "echo \$at_$1")" "$port" "$2" <<'END'
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 60)
f = s.makefile("rb")
f.readline()
how, said, took = sys.argv[3], [], []
for line in "HELO %s.test" % how, "MAIL FROM:<s@%s.test>" % how, *["RCPT TO:<r%d@%s.test>" % (i, how) for i in range(3)]:
    began = time.monotonic()
    s.sendall(line.encode() + b"\r\n")
    said.append(f.readline().decode().strip())
    took.append(int((time.monotonic() - began) * 1000))
print("\n".join(said[2:]))
print(" ".join(str(t) for t in took[2:]))
END
}
expect() { # expect NAME PATTERN HOW...
	local name=$1 pattern=$2 how got asked
	shift 2
	for how; do
		: >"$scratch/dns.port.asked"
		got=$(say "$name" "$how" 2>&1)
		[ "$(head -n 3 <<<"$got" | grep -c "$pattern")" = 3 ] || fail "$name $how: $got, not $pattern"
		asked=$(wc -l <"$scratch/dns.port.asked")
		# each question that is not answered is asked once in a session
		[ "$how" = servfail ] || [ "$how" = refused ] || [ "$how" = cut ] || [ -z "$(sort "$scratch/dns.port.asked" | uniq -c | awk '$1 > 1')" ] ||
			fail "$name $how: asked again: $(sort "$scratch/dns.port.asked" | uniq -c)"
		[ "$asked" -gt 0 ] || fail "$name $how: nobody was asked"
	done
}
expect sender '^450 4.1.8 <s@.*>: Sender address rejected: Domain not found$' silent servfail refused cut
expect recipient '^450 4.1.2 <r[0-9]@.*>: Recipient address rejected: Domain not found$' silent servfail refused cut
expect helo '^450 4.7.1 <.*>: Helo command rejected: Host not found$' silent servfail refused cut
expect list '^250 ' example
expect white '^450 4.7.1 ' example
expect mx '^250 ' silent servfail
stop
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
