// `chorus bench`: measures how many viewers and deliveries a running server handles, and their latency.
// Returns the exit code: 0; 1 if there is no result, or it does not meet --require; 2 for wrong usage.
#pragma once

int bench_main(int argc, char **argv);
