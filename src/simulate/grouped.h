// Private to simulate: numbers with commas between thousands.
#pragma once

#include <stdint.h>

struct grouped {
    char text[32];
};

// Returns the number's text. For use as an argument: grouped(n).text.
struct grouped grouped(uint64_t);
