# Sourced after service.bash by tests that run the same scenario on Debian's Postfix: a private
# instance in scratch folders. It needs root, the package's programs and its user; where they are not,
# have_postfix is false and a test leaves its comparison out.
#
#   make_postfix   makes it in $pf_etc, $pf_spool, $pf_log, with an smtpd on PF_PORT and the services
#                  of the package; all mail goes by the transport of its argument. Not started yet.
#   start_postfix [COMMAND...]  e.g. start_postfix clocked
#   stop_postfix   (and at the end of the test, by itself)
pf_etc=$scratch/p/etc pf_spool=$scratch/p/spool pf_log=$scratch/p/mail.log pf_libexec=/usr/lib/postfix/sbin
pf_pid=

have_postfix() {
	[ "$(id -u)" = 0 ] && [ -x $pf_libexec/master ] && [ -x $pf_libexec/qmgr ] &&
		id postfix >/dev/null 2>&1 && getent group postdrop >/dev/null
}

end_postfix() {
	local status=$?
	stop_postfix
	eval "$pf_before"
	return $status
}
# what the test does at its end already comes after it
pf_before=$(trap -p EXIT | sed "s/^trap -- '\(.*\)' EXIT\$/\1/")
trap end_postfix EXIT

make_postfix() { # make_postfix TRANSPORT
	local dir
	PF_PORT=$(free_port)
	mkdir -p "$pf_etc" "$pf_spool" "$scratch/p/data"
	chown postfix "$scratch/p/data"
	for dir in active bounce corrupt defer deferred flush hold incoming private saved trace; do
		install -d -m 700 -o postfix "$pf_spool/$dir"
	done
	install -d -m 1730 -o postfix -g postdrop "$pf_spool/maildrop"
	install -d -m 2710 -o postfix -g postdrop "$pf_spool/public"
	install -d -m 755 "$pf_spool/pid"
	cat >"$pf_etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $pf_spool
data_directory = $scratch/p/data
daemon_directory = $pf_libexec
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = $pf_log
maillog_file_prefixes = $scratch
myhostname = mail.example.org
mydestination = localhost
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
smtp_host_lookup = native
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = $1
local_transport = $1
END
	cat >"$pf_etc/master.cf" <<END
127.0.0.1:$PF_PORT inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
END
}
start_postfix() {
	"$@" env MAIL_CONFIG="$pf_etc" $pf_libexec/master -c "$pf_etc" -d >"$scratch/p/out" 2>&1 &
	pf_pid=$!
	await 10 test -S "$pf_spool/public/pickup" || fail "postfix does not start: $(cat "$scratch/p/out")"
}
stop_postfix() {
	local master
	[ -n "$pf_pid" ] || return 0
	# a wrapper may be a function, and $pf_pid a shell that waits for it
	master=$(cat "$pf_spool/pid/master.pid" 2>/dev/null)
	# shellcheck disable=SC2086
	kill $master 2>/dev/null || kill "$pf_pid" 2>/dev/null
	wait "$pf_pid" 2>/dev/null
	pf_pid=
}
