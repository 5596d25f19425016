// `chorus backup`, `restore` and `check`: the data folder of the embedded engine as a file. They return the
// exit code: 0 if it is done, or the database is sound; 1 if not, with a sentence on stderr; 2 for wrong
// usage.
#pragma once

int backup_main(int argc, char **argv);
int restore_main(int argc, char **argv);
int check_main(int argc, char **argv);
