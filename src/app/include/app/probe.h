// `chorus probe URL`: asks one URL, for health checks in containers that have neither shell nor curl.
#pragma once

// Exit code 0 if the answer is 2xx within PROBE_TIMEOUT_MS, 1 if not (and a line on stderr says why), 2 for a
// usage error.
int probe_main(int argc, char **argv);
