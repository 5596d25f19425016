// `chorus up`, everything in one process, and the commands that run one role each, on Redis. Returns the
// exit code: 0 after SIGINT or SIGTERM, 1 if it cannot start, 2 for wrong usage.
#pragma once

int up_main(int argc, char **argv);
int manager_main(int argc, char **argv);
int comment_main(int argc, char **argv);
int reader_main(int argc, char **argv);
int statistics_main(int argc, char **argv);
