// `chorus probe URL`: requests one URL, for health checks in containers that have neither shell nor curl.
#pragma once

// Returns the exit code: 0 for a 2xx response within PROBE_TIMEOUT_MS; 1 otherwise, with a line on stderr; 2
// for wrong usage.
int probe_main(int argc, char **argv);
