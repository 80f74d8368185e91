#!/bin/bash
# Restriction lists: more than a hundred cases, each settings of an smtpd and what a client says.
# Replies and log lines are those that are wanted; where Debian's Postfix is installed, it gives the
# same. "36-restrictions.sh --write" writes what is wanted anew: compare it then.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cases=tests/system/restrictions.py wanted=tests/system/36-restrictions.wanted
server=

end() {
	[ -n "$server" ] && kill "$server" 2>/dev/null
	stop_postfix
	cleanup
}
trap end EXIT

settings() { # for both
	cat <<END
mydestination = example.org
mynetworks = 192.0.2.0/24
local_transport = discard
local_recipient_maps =
default_transport = discard
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
inet_protocols = ipv4
parent_domain_matches_subdomains = smtpd_access_maps
fast_flush_domains =
address_verify_poll_delay = 1s
address_verify_poll_count = 60
transport_maps = inline:{ { bad.test = error:5.1.1 no such user }, { later.test = retry:4.2.2 mailbox full } }
END
}

all_told() { [ "$(grep -c '/smtpd.*: disconnect from' "$1")" = "$(python3 $cases count)" ]; }

make_instance discard
port=$(free_port) policy_port=$(free_port) dns_port=$(free_port)
python3 $cases serve "$dns_port" "$policy_port" >"$scratch/served" 2>&1 &
server=$!
await 10 grep -q ready "$scratch/served" || fail "servers: $(cat "$scratch/served")"
settings >>"$etc/main.cf"
echo "dns_resolver_address = 127.0.0.1:$dns_port" >>"$etc/main.cf"
python3 $cases master 1 "$port" "$policy_port" >>"$etc/master.cf"
start
python3 $cases run 1 "$port" >"$scratch/got" 2>&1 || fail "$(cat "$scratch/got")"
await 60 all_told "$log" || fail "not all sessions are logged"
python3 $cases log "$log" >>"$scratch/got"
stop
if [ "${1:-}" = --write ]; then cp "$scratch/got" "$wanted"; fi
diff "$wanted" "$scratch/got" || fail "Postern does not answer as is wanted"

# Postfix asks the name server of resolv.conf: it gets one of its own, which nobody else sees.
have_postfix && unshare -m true 2>/dev/null && [ -z "${1:-}" ] || exit 0
kill "$server"
wait "$server" 2>/dev/null
python3 $cases serve 53 "$policy_port" 127.0.0.99 >"$scratch/served" 2>&1 &
server=$!
await 10 grep -q ready "$scratch/served" || { echo "no name server on port 53: $(tail -n 1 "$scratch/served")"; exit 77; }
printf 'nameserver 127.0.0.99\noptions timeout:20 attempts:1\n' >"$scratch/resolv.conf"
make_postfix discard
settings >>"$pf_etc/main.cf"
python3 $cases master 2 "$port" "$policy_port" >>"$pf_etc/master.cf"
start_postfix unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$scratch/resolv.conf"
python3 $cases run 2 "$port" >"$scratch/postfix" 2>&1 || fail "$(cat "$scratch/postfix")"
await 60 all_told "$pf_log" || fail "not all sessions are in Postfix's log"
python3 $cases log "$pf_log" >>"$scratch/postfix"
diff "$wanted" "$scratch/postfix" || fail "Postfix answers otherwise"
