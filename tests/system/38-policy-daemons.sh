#!/bin/bash
# Policy services of other people: postgrey and policyd-rate-limit from their Debian packages.
. "$(dirname "$0")/submit.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
[ -x /usr/sbin/postgrey ] || [ -x /usr/bin/policyd-rate-limit ] ||
	{ echo "neither postgrey nor policyd-rate-limit is installed"; exit 77; }
daemons=
end() {
	for p in $daemons; do kill "$p" 2>/dev/null; done
	cleanup
}
trap end EXIT

answer() { # answer PORT: to RCPT, and to the message
	python3 - "$1" <<'END'
import smtplib, sys
c = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "client.example.org", timeout=120)
try:
    c.sendmail("s@sender.example.com", ["r@example.org"], "Subject: x\r\n\r\ntext\r\n")
    print("taken")
except smtplib.SMTPRecipientsRefused as e:
    print(*e.recipients["r@example.org"])
c.quit()
END
}
says() { answer "$1" >"$scratch/said" 2>&1; grep -q "$2" "$scratch/said"; }

make_instance hold
grey=$(free_port) rate=$(free_port) greyed=$(free_port) rated=$(free_port)
cat >>"$etc/main.cf" <<END
local_recipient_maps =
local_transport = discard
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
END
sed -i 's/^mydestination.*//; s/^local_transport = hold//' "$etc/main.cf"
echo "mydestination = example.org" >>"$etc/main.cf"
cat >>"$etc/master.cf" <<END
127.0.0.1:$greyed inet n - n - - smtpd
    -o { smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:$grey }
127.0.0.1:$rated inet n - n - - smtpd
    -o { smtpd_recipient_restrictions = check_policy_service { unix:$scratch/rate.sock, timeout=5s } }
END
start
if [ -x /usr/sbin/postgrey ]; then
	mkdir "$scratch/grey"
	/usr/sbin/postgrey --inet="127.0.0.1:$grey" --dbdir="$scratch/grey" --delay=2 \
		--user="$(id -un)" --group="$(id -gn)" >"$scratch/grey.out" 2>&1 &
	daemons="$daemons $!"
	await 10 eval "exec 9<>/dev/tcp/127.0.0.1/$grey" || fail "postgrey: $(cat "$scratch/grey.out")"
	says "$greyed" '^450 .*Greylisted' || fail "first try: $(cat "$scratch/said")"
	await 15 says "$greyed" '^taken' || fail "not taken later: $(cat "$scratch/said")"
fi
if [ -x /usr/bin/policyd-rate-limit ] && [ -r /etc/policyd-rate-limit.yaml ]; then
	sed -e "s|^SOCKET:.*|SOCKET: \"$scratch/rate.sock\"|; s|^user:.*|user: \"$(id -un)\"|" \
		-e "s|^group:.*|group: \"$(id -gn)\"|; s|^pidfile:.*|pidfile: \"$scratch/rate.pid\"|" \
		-e "s|/var/lib/policyd-rate-limit/db.sqlite3|$scratch/rate.db|; s|- \[10, 60\].*|- [2, 60]|" \
		-e "s|^limit_by_ip:.*|limit_by_ip: True|; s|^limited_networks:.*|limited_networks: [\"0.0.0.0/0\"]|" \
		/etc/policyd-rate-limit.yaml >"$scratch/rate.yaml"
	/usr/bin/python3 /usr/bin/policyd-rate-limit -f "$scratch/rate.yaml" >"$scratch/rate.out" 2>&1 &
	daemons="$daemons $!"
	await 10 test -S "$scratch/rate.sock" || fail "policyd-rate-limit: $(cat "$scratch/rate.out")"
	says "$rated" '^taken' || fail "first: $(cat "$scratch/said" "$scratch/rate.out")"
	says "$rated" '^taken' || fail "second: $(cat "$scratch/said" "$scratch/rate.out")"
	says "$rated" '^450 .*Rate limit' || says "$rated" '^450 .*Rate limit' ||
		fail "third: $(cat "$scratch/said" "$scratch/rate.out")"
fi
! logged 'panic:\|fatal:' || fail "panic or fatal"
stop
