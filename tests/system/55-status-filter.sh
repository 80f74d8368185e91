#!/bin/bash
# Delivery status filters: of all agents, and of one; they decide between deferring and returning.
. "$(dirname "$0")/submit.bash"
make_instance 'error:5.7.1 not from here'
cat >"$scratch/all" <<'END'
/^5\.7\.1 (not from here)/ 4.7.1 $1, perhaps later
/^4\.4\.1 (connect to .*)/ 5.4.1 $1: for good
END
chmod 600 "$scratch/all" # of root, where this is root: opened before rights are given up
echo '/^(2\S+ delivered to command).*/ $1, somewhere' >"$scratch/local"
cat >>"$etc/main.cf" <<END
default_delivery_status_filter = pcre:$scratch/all
local_delivery_status_filter = pcre:$scratch/local
lmtp_delivery_status_filter =
transport_maps = inline:{ smtp.test=smtp:[127.0.0.1]:1 lmtp.test=lmtp:unix:nowhere box.test=local: }
local_recipient_maps =
mailbox_command = cat >/dev/null
END
start
for domain in other.test smtp.test lmtp.test; do
	"$bin/sendmail" -f '' "user@$domain" <<<'Subject: x' || fail "sendmail"
done
await_log 'to=<user@other.test>, .*dsn=4.7.1, status=deferred (not from here, perhaps later)'
await_log 'to=<user@smtp.test>, .*dsn=5.4.1, status=bounced (connect to 127.0.0.1\[127.0.0.1\]:1: Connection refused: for good)'
await_log 'to=<user@lmtp.test>, .*dsn=4.4.1, status=deferred (connect to '
"$bin/sendmail" -f '' "$(id -un)@box.test" <<<'Subject: x' || fail "sendmail"
await_log "to=<$(id -un)@box.test>, .*dsn=2.0.0, status=sent (delivered to command, somewhere)"
# and followed
[ "$(id -u)" = 0 ] || exit 0
echo '/^5\.7\.1 (not from here)/ 5.7.1 $1, says the new one' >"$scratch/new"
chmod 600 "$scratch/new"
mv "$scratch/new" "$scratch/all"
changed() {
	"$bin/sendmail" -f '' user@other.test <<<'Subject: x' && await 1 logged 'not from here, says the new one'
}
await 10 changed || fail "the new filter is not used"
exit 0
