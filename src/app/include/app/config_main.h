// `chorus config check|print|example`. Returns the exit code: 0; 1 if the output cannot be written; 2 for
// wrong usage or a wrong configuration.
#pragma once

int config_main(int argc, char **argv);

extern const char config_usage[]; // what follows `chorus config`
