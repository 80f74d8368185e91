#!/bin/bash
# A million clients, in a table that has room for them and in one that has not: bounded memory, the
# same time for each, and who keeps coming is not forgotten.
. "$(dirname "$0")/service.bash"
helper=$build/tests/system/helpers/count_clients
[ -x "$helper" ] || fail "$helper is not built"

init_instance "$scratch/i"
cat >>"$etc/main.cf" <<END
anvil_rate_time_unit = 3600s
smtpd_client_event_limit_exceptions =
smtpd_client_connection_rate_limit = 3
END

# flood LIMIT MAX_MB
flood() {
	local anvil first last regular fd bytes=0 blocks
	sed -i "/^anvil_client_limit/d" "$etc/main.cf"
	echo "anvil_client_limit = $1" >>"$etc/main.cf"
	start
	for n in 1 2 3; do # real sessions, which also start anvil
		connect 7 "$PORT1" && [[ $greeting == 220* ]] || fail "$1: connection $n: $greeting"
		hangup 7
	done
	"$helper" "$scratch/i/spool" 1000000 >"$scratch/flood" || fail "$1: $(cat "$scratch/flood")"
	. "$scratch/flood"
	for pid in $(children); do
		[ "$(readlink "/proc/$pid/exe")" = "$build/libexec/anvil" ] && anvil=$pid
	done
	for fd in "/proc/$anvil/fd"/*; do
		case $(readlink "$fd") in
		*memfd:*scoreboard*) continue ;;
		*memfd:*) ;;
		*) continue ;;
		esac
		blocks=$(stat -L -c %b "$fd") || fail "stat of anvil's memory"
		bytes=$((bytes + blocks * 512))
	done
	echo "$1: $(cat "$scratch/flood") memory=$((bytes / 1048576)) MB"
	[ "$bytes" -gt 1000000 ] && [ "$bytes" -le $(($2 * 1048576)) ] || fail "$1: $bytes bytes of memory"
	[ "$regular" = 1000 ] || fail "$1: the client that kept coming was counted $regular times"
	[ "$last" -lt $((first * 6 + 2000)) ] || fail "$1: $first ns at first, $last ns at last"
	for n in 1 2 3 4 5 6 7; do # limits are real
		connect 7 "$PORT1" || fail "$1: connection $n after the flood"
		hangup 7
		[[ $greeting == 421* ]] && break
	done
	[[ $greeting == "421 4.7.0 "*"too many connections from 127.0.0.1"* ]] || fail "$1: no limit: $greeting"
	stop
}
flood 1000000 140
flood 100000 20
