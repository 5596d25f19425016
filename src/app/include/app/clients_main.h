// `chorus clients`: simulated viewers and posters for a running system. Returns the exit code: 0 if every
// comment arrived, once and in order; 1 if not; 2 for wrong usage.
#pragma once

int clients_main(int argc, char **argv);
