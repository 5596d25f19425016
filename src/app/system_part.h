// Private to app: one of the listening parts of a process, for its roles and for the start-up box.
#pragma once

#include "app/settings.h"
#include "service/fields.h"

enum { SYSTEM_URL_SIZE = SETTINGS_URL_MAX + 1 };

// A listening part, for the start-up box.
struct system_part {
    char name[ID_MAX + 1];        // "manager", "reader-1"
    char instance_id[ID_MAX + 1]; // "manager-1", "reader-1"
    char url[SYSTEM_URL_SIZE];
    char public_url[SYSTEM_URL_SIZE]; // of a reader, for browsers; empty: the same
};
