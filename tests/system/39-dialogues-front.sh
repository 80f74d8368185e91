#!/bin/bash
# XCLIENT and XFORWARD: from strangers and friends, right and wrong.
. "$(dirname "$0")/dialogues.bash"
play_table front
