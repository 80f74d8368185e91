#!/bin/bash
# Front ends in front of smtpd: XCLIENT and the PROXY protocol, spoken by swaks; proxies and direct
# clients on one port; headers that are truncated, forged or absent end the connection with a line in
# the log. A service at its process limit serves by its $stress settings.
. "$(dirname "$0")/service.bash"
command -v swaks >/dev/null || { echo "swaks is not installed"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

init_instance "$scratch/i"
PORT2=$(free_port) PORT3=$(free_port) PORT4=$(free_port)
cat >>"$etc/main.cf" <<END
default_transport = discard
local_transport = discard
local_recipient_maps =
mydestination = localhost, y.test
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
END
cat >>"$etc/master.cf" <<END
127.0.0.1:$PORT2 inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  -o smtpd_upstream_proxy_timeout=5s
127.0.0.1:$PORT3 inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  -o smtpd_upstream_proxy_networks=127.0.0.2
127.0.0.1:$PORT4 inet n - n - 2 smtpd
  -o { smtpd_timeout = \${stress?{4}:{60}}s } -o smtpd_junk_command_limit=200
END
start

ask() { # ask PORT ARG...: swaks, up to RCPT
	local port=$1
	shift
	timeout 120 swaks --server 127.0.0.1 --port "$port" --from a@x.test --to o@y.test --helo me \
		--timeout 60 --quit-after RCPT "$@" >"$scratch/swaks.out" 2>&1 </dev/null
}
proxy4() { # proxy4 SOURCE: swaks' arguments for a header of version 1
	echo "--proxy-version 1 --proxy-family TCP4 --proxy-source $1 --proxy-source-port 4711" \
		"--proxy-dest 198.51.100.1 --proxy-dest-port 25"
}
talk() { # talk PORT SOURCE BYTES...: what the server says; BYTES are sent one by one after an answer
	timeout 120 python3 - "$@" <<'END'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 120, (sys.argv[2], 0))
s.settimeout(60)
def hear():
    try:
        print(s.recv(4096).decode("latin1"), end="", flush=True)
    except (socket.timeout, ConnectionResetError):
        pass
if sys.argv[3] == "greeting":
    hear()
for text in sys.argv[4:]:
    s.sendall(text.encode("latin1").decode("unicode_escape").encode("latin1"))
    hear()
END
}

ask "$PORT1" --xclient-name spike.test --xclient-addr 192.0.2.7 --xclient-helo spike --xclient-proto ESMTP ||
	fail "xclient: $(cat "$scratch/swaks.out")"
await_log 'disconnect from spike.test\[192.0.2.7\]'
ask "$PORT1" --xclient 'NAME=v6.test ADDR=IPV6:2001:db8::9 PORT=77 LOGIN=joe' ||
	fail "xclient IPv6: $(cat "$scratch/swaks.out")"
await_log 'client=v6.test\[2001:db8::9\], sasl_method=XCLIENT, sasl_username=joe'
talk "$PORT1" 127.0.0.2 greeting 'EHLO x\r\n' 'XCLIENT NAME=evil.test ADDR=127.0.0.1\r\n' >"$scratch/out"
grep -q '^550 5.7.0 Error: insufficient authorization' "$scratch/out" || fail "stranger: $(cat "$scratch/out")"
grep -q XCLIENT "$scratch/out" && fail "a stranger is offered XCLIENT"

# shellcheck disable=SC2046
ask "$PORT2" $(proxy4 192.0.2.21) || fail "proxy v1: $(cat "$scratch/swaks.out")"
await_log 'connect from unknown\[192.0.2.21\]'
ask "$PORT2" --proxy-version 2 --proxy-family AF_INET --proxy-protocol STREAM --proxy-command PROXY \
	--proxy-source 192.0.2.22 --proxy-source-port 4711 --proxy-dest 198.51.100.1 --proxy-dest-port 25 ||
	fail "proxy v2: $(cat "$scratch/swaks.out")"
await_log 'disconnect from unknown\[192.0.2.22\]'
# what the proxy's client may do counts, not the proxy
# shellcheck disable=SC2046
ask "$PORT2" --to o@elsewhere.test $(proxy4 192.0.2.30) &&
	fail "a proxy's client relays as the proxy: $(cat "$scratch/swaks.out")"

bad() { # bad WHAT LOGGED BYTES: no session, a line in the log
	talk "$PORT2" 127.0.0.1 silence "$3" >"$scratch/out"
	grep -q '^421 4.3.0 .* Server local error' "$scratch/out" || fail "$1: $(cat "$scratch/out")"
	await_log "warning: haproxy read: $2"
}
bad "no header" 'no protocol header: EHLO' 'EHLO x\r\n'
bad "bad address" 'bad or missing client address: PROXY TCP4 foo' 'PROXY TCP4 foo 1.2.3.4 1 2\r\n'
bad "truncated" 'timeout error: PROXY TCP4 192' 'PROXY TCP4 192.0.2.1 '
bad "v2 forged length" 'version 2 protocol header is too long' '\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff'
bad "v2 short" 'short address field' '\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x04\xc0\x00\x02\x01'

talk "$PORT3" 127.0.0.1 greeting 'PROXY TCP4 192.0.2.66 198.51.100.1 1 25\r\n' >"$scratch/out"
grep -q '^500 5.5.2' "$scratch/out" || fail "a direct client's header: $(cat "$scratch/out")"
# shellcheck disable=SC2046
ask "$PORT3" --local-interface 127.0.0.2 $(proxy4 192.0.2.23) || fail "trusted proxy: $(cat "$scratch/swaks.out")"
await_log 'disconnect from unknown\[192.0.2.23\]'
logged 'connect from unknown\[192.0.2.66\]' && fail "a forged header was believed"

# both processes busy: who is silent has four seconds, the one from before the limit was reached, too
connect 7 "$PORT4" || fail "first client"
connect 8 "$PORT4" || fail "second client"
for _ in $(seq 100); do
	say 8 NOOP
	[[ $answer == 250* ]] || fail "a busy client under stress: $answer"
	read -r -t 0.4 -u 7 answer && break
done
[[ $answer == "421 4.4.2"* ]] || fail "silent since before the stress: $answer"
hangup 7
connect 7 "$PORT4" || fail "third client"
read -r -t 60 -u 7 answer
[[ $answer == "421 4.4.2"* ]] || fail "under stress: $answer"
hangup 8
hangup 7
stop
