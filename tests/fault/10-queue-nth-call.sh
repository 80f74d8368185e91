#!/bin/bash
# The disk fails, or the writer dies, at the Nth call that changes the disk, for every N; then the
# queue is looked at, used again without faults, and looked at once more.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${POSTERN_BUILD:-$(pwd)/build/release}
case $build in *asan*) echo "a preloaded library and the address sanitizer do not mix"; exit 77 ;; esac
base=${TMPDIR:-/tmp}
[ -w /dev/shm ] && base=/dev/shm # syncs cost nothing there, and the faults are the library's
dir=$(mktemp -d "$base/postern-fault.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
work=$build/tests/fault/helpers/queue_work verify=$build/tests/fault/helpers/queue_verify
failed=0 runs=0
one() { # one MODE N ERRNO; false when N was never reached
	rm -rf "$dir/spool" "$dir/report"
	mkdir -p "$dir/spool" && (cd "$dir/spool" && mkdir active bounce corrupt defer deferred hold incoming journal)
	LD_PRELOAD=$build/tests/fault/preload/disk.so FAULT_MODE=$1 FAULT_AT=$2 FAULT_ERRNO=$3 \
		FAULT_COUNT=$dir/count "$work" "$dir/spool" 24 0 >"$dir/report" 2>"$dir/log"
	status=$?
	power=
	[ "$1" = power ] && power=power
	[ $status = 0 ] || [ $status = 99 ] || { echo "$1 at $2: exit $status"; cat "$dir/log"; failed=1; }
	"$verify" "$dir/spool" "$dir/report" $power >"$dir/out" 2>>"$dir/log" || { echo "$1 at $2:"; cat "$dir/out" "$dir/log"; failed=1; }
	"$work" "$dir/spool" 12 100 >>"$dir/report" 2>>"$dir/log" || { echo "$1 at $2: the queue is unusable"; cat "$dir/log"; failed=1; }
	grep -q '^R ' <(tail -n 30 "$dir/report" | grep -A99 'A .* 100$') && { echo "$1 at $2: refused afterwards"; failed=1; }
	"$verify" "$dir/spool" "$dir/report" $power >"$dir/out" 2>>"$dir/log" || { echo "$1 at $2, used again:"; cat "$dir/out" "$dir/log"; failed=1; }
	runs=$((runs + 1))
	[ $status = 99 ] || { [ "$2" -le "$(cat "$dir/count")" ]; }
}
for mode in die after half power fail; do
	n=1
	while one $mode $n 28 && [ $failed = 0 ]; do n=$((n + 1)); done
	[ $failed = 0 ] || exit 1
	echo "$mode: $((n - 1)) points"
	[ $n -gt 50 ] || { echo "$mode: only $n points, the library does not count"; exit 1; }
done
n=1
while one fail $n 5 && [ $failed = 0 ]; do n=$((n + 1)); done
echo "input/output error: $((n - 1)) points; $runs runs in all"
exit $failed
