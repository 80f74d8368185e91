#!/bin/bash
# Every command in every state, with arguments of all kinds; what is no command.
. "$(dirname "$0")/dialogues.bash"
play_table commands
