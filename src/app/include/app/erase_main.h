// `chorus erase USER`: takes all comments of a user out of all videos, at the comment API and, where there is
// one beside Redis, at the archive. Returns the exit code: 0 if each has done it; 1 if one has not; 2 for
// wrong usage. It may be repeated.
#pragma once

int erase_main(int argc, char **argv);
