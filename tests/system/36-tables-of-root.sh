#!/bin/bash
# Tables that only root may read: opened before rights are dropped, in a chroot too. The next client
# after a change is answered from the new content, by processes that have opened it: those that could
# not have ended. What is still readable is opened in place.
. "$(dirname "$0")/submit.bash"
[ "$(id -u)" = 0 ] || { echo "this needs root"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

make_instance discard
chmod 700 "$scratch"
mkdir -m 700 "$scratch/secret"
chmod 711 "$scratch"
port=$(free_port) jailed=$(free_port)
put() { # put FILE TEXT: as root's alone, in one step
	echo "$2" >"$scratch/secret/new"
	chmod 600 "$scratch/secret/new"
	mv "$scratch/secret/new" "$scratch/secret/$1"
}
compiled() { # compiled TEXT
	put access "$1"
	"$bin/postmap" "lmdb:$scratch/secret/access" || fail "postmap"
	chmod 600 "$scratch/secret/access.lmdb"
}
put plain 's@one.test REJECT by text'
put patterns '/^s@two/ REJECT by pattern'
put nets '127.0.0.9 REJECT by net'
put transport 'routed.test error:5.1.1 root says no'
compiled 's@three.test REJECT by tree'
cat >>"$etc/main.cf" <<END
mydestination = example.org
mynetworks =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
transport_maps = texthash:$scratch/secret/transport
relay_domains = routed.test
smtpd_client_restrictions = check_client_access cidr:$scratch/secret/nets
smtpd_sender_restrictions = check_sender_access texthash:$scratch/secret/plain,
	check_sender_access regexp:$scratch/secret/patterns,
	check_sender_access lmdb:$scratch/secret/access,
	check_sender_access unionmap:{texthash:$scratch/secret/plain}
END
cat >>"$etc/master.cf" <<END
127.0.0.1:$port inet n - n - - smtpd
127.0.0.1:$jailed inet n - y - - smtpd
END
start

answer() { # answer SENDER [PORT] [RCPT]
	python3 - "${2:-$port}" "$1" "${3:-r@example.org}" <<'END'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 120)
f = s.makefile("rb")
for line in None, "HELO x.test", "MAIL FROM:<%s>" % sys.argv[2], "RCPT TO:<%s>" % sys.argv[3]:
    if line:
        s.sendall(line.encode() + b"\r\n")
    reply = f.readline().decode().strip()
print(reply)
END
}
says() { # says PATTERN SENDER [PORT] [RCPT]
	local got
	got=$(answer "${@:2}" 2>&1)
	grep -q "$1" <<<"$got" || { echo "$2: \"$got\" is not $1" >"$scratch/said"; return 1; }
}
must() { says "$@" || fail "$(cat "$scratch/said")"; }

for p in $port $jailed; do
	must 'rejected: by text' s@one.test "$p"
	must 'rejected: by pattern' s@two.test "$p"
	must 'rejected: by tree' s@three.test "$p"
	must '^250' s@four.test "$p"
	must 'root says no' s@four.test "$p" r@routed.test
done
! logged 'Permission denied\|table lookup problem' || fail "a table was not opened"

# no client, and none of the idle processes, gets the old content from here on
put plain 's@four.test REJECT by new text'
compiled 's@five.test REJECT by new tree'
for p in $port $jailed; do
	must 'rejected: by new text' s@four.test "$p"
	must 'rejected: by new tree' s@five.test "$p"
	must '^250' s@one.test "$p"
	must '^250' s@three.test "$p"
done
await_log 'has changed -- restarting'
put transport 'other.test error:5.1.1 no'
must '^250' s@six.test "$port" r@routed.test
for n in {1..10}; do
	put plain "s@n$n.test REJECT by number"
	must 'rejected: by number' "s@n$n.test"
done

# a session that goes on keeps what it has begun with, the next one does not
exec 8<>"/dev/tcp/127.0.0.1/$port"
read -r -t 60 -u 8 _
printf 'HELO x.test\r\n' >&8
read -r -t 60 -u 8 _
put plain 's@seven.test REJECT by third text'
must 'rejected: by third text' s@seven.test
printf 'MAIL FROM:<s@seven.test>\r\nRCPT TO:<r@example.org>\r\n' >&8
read -r -t 60 -u 8 _
read -r -t 60 -u 8 reply
grep -q '^250\|^554' <<<"$reply" || fail "in a session: $reply"
exec 8>&-

# a table that is gone permits nobody
rm "$scratch/secret/plain"
reload || fail "reload"
await 5 says '^451 4.3.5' s@seven.test || fail "$(cat "$scratch/said")"
put plain 's@eight.test REJECT'
await 5 says '^250' s@seven.test || fail "$(cat "$scratch/said")"
! logged 'panic:\|fatal:' || fail "panic or fatal"
stop
