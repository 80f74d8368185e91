#!/bin/bash
# Clients that go away, are late, err without end, talk without listening, or talk something else.
. "$(dirname "$0")/dialogues.bash"
play_table hostile
