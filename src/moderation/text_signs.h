// What can be said of a text without knowing its words: that it has a link, that it shouts. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "folded.h"

// Whether it has what is read as a link: a scheme and ://, www. and a letter, or a name with a dot before one
// of some common top-level domains, or before a path. A text that spells a link out has none.
bool folded_has_link(const struct folded *);

// Whether more than `percent` of its letters that have both cases are capitals, if it has at least `least` of
// them.
bool text_shouts(const char *text, size_t len, unsigned percent, unsigned least);
