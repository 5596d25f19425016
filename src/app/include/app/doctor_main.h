// `chorus doctor`: looks at what the services would be started with, and what they would meet. Returns the
// exit code by the worst finding: 0; 1 for a warning; 3 for a fault; 2 for wrong usage.
#pragma once

int doctor_main(int argc, char **argv);

extern const char doctor_usage[]; // what follows `chorus doctor`
