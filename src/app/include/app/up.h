// `chorus up`, which runs all roles in one process, and the commands that run one role each, on Redis. Return
// the exit code: 0 after SIGINT or SIGTERM; 1 if the process cannot start; 2 for wrong usage.
#pragma once

int up_main(int argc, char **argv);
int manager_main(int argc, char **argv);
int comment_main(int argc, char **argv);
int reader_main(int argc, char **argv);
int statistics_main(int argc, char **argv);
int archive_main(int argc, char **argv);
