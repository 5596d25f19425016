// What a name or a comment may hold beyond being UTF-8 of a certain length: rules against texts that break
// the page around them, generous to every script. Properties of characters are utf8proc's, which knows those
// of one version of Unicode; characters of a later one count as letters. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// In the order in which they are checked; the first that is broken is the answer.
enum text_rule {
    TEXT_FINE,
    TEXT_NAME_LINES, // a name is one line
    TEXT_LINES,      // a comment has a bounded number of lines
    TEXT_BIDI,       // what changes the direction of writing ends within the text
    TEXT_MARKS,      // a letter has a bounded number of marks
    TEXT_BLANK,      // a comment shows something
    TEXT_RULES
};

struct text_rules {
    unsigned on;           // bit 1 << rule: of TEXT_NAME_LINES, TEXT_BIDI and TEXT_BLANK
    unsigned lines, marks; // at most so many; 0: any number
};

// Reads the names of rules to keep, comma-separated ("names,bidi,blank"; "none"), into `on`. Returns false
// if one is unknown.
bool text_rules_parse(const char *names, unsigned *on);

// Returns the rule that a text in UTF-8 breaks, or TEXT_FINE.
enum text_rule text_rules_check_name(const struct text_rules *, const char *text, size_t len);
enum text_rule text_rules_check_comment(const struct text_rules *, const char *text, size_t len);

// Returns the code of a broken rule, and writes its sentence.
const char *text_rule_code(enum text_rule);
void text_rule_sentence(enum text_rule, const struct text_rules *, char *sentence, size_t size);
