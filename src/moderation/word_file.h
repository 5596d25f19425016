// The words of a file (word_list.h): reads it again when it changes, which is looked for every second. While
// it is missing or wrong the words before remain. Control loop only; reads the file, which should be local.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct word_file;
struct word_list;

// Returns NULL, with a clause about the path, if it cannot be read. The path is copied.
struct word_file *word_file_new(struct loop *, const char *path, char *why, size_t why_size);
void word_file_free(struct word_file *); // NULL is fine

// Reads it again, changed or not. Returns whether its words are in force.
bool word_file_read(struct word_file *);

// Valid until it is read again.
const struct word_list *word_file_list(const struct word_file *);
