#!/bin/bash
# One message with very many recipients, as large as LARGE says (a million takes minutes, so fewer by
# default): delivered, deferred and listed with memory that does not follow their number, and
# each recipient once.
. "$(dirname "$0")/submit.bash"
count=${LARGE:-60000}
make_instance discard
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {late.test=retry:4.1.1 not now} }
minimal_backoff_time = 1000s
maximal_backoff_time = 1000s
END
start
stop
memory() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
qmgr() { for pid in $(children); do [ "$(cat "/proc/$pid/comm")" = qmgr ] && echo "$pid"; done; }
# the sanitizers' own memory is nobody's fault
small() { case $build in *asan*) return 0 ;; esac; [ "$1" -lt "$2" ]; }
queue_mail() { # queue_mail SENDER DOMAIN
	id=$("$build/tests/system/helpers/bigmail" "$spool" "$count" "$1" "$2") || fail "bigmail"
	[ "$(id -u)" != 0 ] || chown --reference="$spool/incoming" "$spool/incoming/$id"
}
limit=$((24 * 1024))

# delivered
queue_mail s@example.net good.test
start
await 200 logged "$id: removed" || fail "not delivered: $(grep -c "$id: to=" "$log") of $count"
[ "$(grep -c "$id: to=<.*status=sent" "$log")" = "$count" ] || fail "$(grep -c "$id: to=<.*status=sent" "$log") deliveries"
used=$(memory "$(qmgr)")
small "$used" "$limit" || fail "qmgr took $used KB"
echo "delivered: qmgr $used KB"
stop

# deferred: the reasons are written down in parts, and each is there
queue_mail s@example.net late.test
start
file=$spool/deferred/${id:0:1}/$id
await 200 test -f "$file" || fail "not deferred: $(grep -c "$id: to=" "$log") of $count"
used=$(memory "$(qmgr)")
small "$used" "$limit" || fail "qmgr took $used KB to defer"
echo "deferred: qmgr $used KB"
[ "$(grep -c "$id: to=<.*status=deferred" "$log")" = "$count" ] || fail "not all tried once"
"$bin/postqueue" -j >"$scratch/list" || fail "postqueue -j"
[ "$(grep -o '"address"' "$scratch/list" | wc -l)" = "$count" ] || fail "listed: $(grep -o '"address"' "$scratch/list" | wc -l)"
[ "$(grep -o '"delay_reason"' "$scratch/list" | wc -l)" = "$count" ] || fail "reasons: $(grep -o '"delay_reason"' "$scratch/list" | wc -l)"
# a second attempt: what it says takes the place of what the first one said
size=$(stat -c %s "$spool/defer/${id:0:1}/$id")
"$bin/postqueue" -f
again() { [ "$(grep -c "$id: to=<.*status=deferred" "$log")" = $((2 * count)) ] && test -f "$file"; }
await 200 again || fail "not tried again"
[ "$(stat -c %s "$spool/defer/${id:0:1}/$id")" = "$size" ] || fail "the log grows: $size, $(stat -c %s "$spool/defer/${id:0:1}/$id")"
"$bin/postsuper" -d "$id" 2>/dev/null
stop
grep -E 'panic|fatal|killed by' "$log" && fail "panics"
exit 0
