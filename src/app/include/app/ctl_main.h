// `chorus ctl`: asks and orders at the control socket of a process (app/control.h). Exit code 0: done; 1: it
// could not be done, and why is on stderr; 2: wrong arguments.
#pragma once

extern const char ctl_usage[];

int ctl_main(int argc, char **argv);
