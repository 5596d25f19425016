// Private to app: a part of a process with an address, as its role and the start-up box see it.
#pragma once

#include "app/settings.h"
#include "service/fields.h"

enum { SYSTEM_URL_SIZE = SETTINGS_URL_MAX + 1 };

struct system_part {
    char name[ID_MAX + 1];            // "manager", "reader-1"
    char instance_id[ID_MAX + 1];     // "manager-1", "reader-1"
    char url[SYSTEM_URL_SIZE];        // with a path if it is a reader that has no port of its own
    char public_url[SYSTEM_URL_SIZE]; // of a reader, for browsers; empty: the same
};
