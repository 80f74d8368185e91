# For gdb: no optimisation.
MODE_CFLAGS = -O0 -g3
