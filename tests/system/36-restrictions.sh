#!/bin/bash
# Restriction lists: more than a hundred cases, each settings of an smtpd and what a client says.
# Replies and log lines are those that are wanted; where Debian's Postfix is installed, it gives the
# same. Cases in "differs" are where we do better on purpose.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cases=tests/system/restrictions.py wanted=tests/system/36-restrictions.wanted
server=

end() {
	[ -n "$server" ] && kill "$server" 2>/dev/null
	cleanup
}
trap 'end; stop_postfix' EXIT

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
END
}

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
sleep 0.2
python3 $cases log "$log" >>"$scratch/got"
if [ -n "${RESTRICTIONS_KEEP:-}" ]; then cp "$scratch/got" "$RESTRICTIONS_KEEP"; cp "$log" "$RESTRICTIONS_KEEP.log"; fi
[ -n "${RESTRICTIONS_KEEP:-}" ] || diff "$wanted" "$scratch/got" || fail "not as wanted"
stop
