#include "one_address.h"

#include <stdio.h>

#include "comment/comment_api.h"
#include "placement/placement_routes.h"
#include "reader/reader.h"
#include "roles.h"
#include "statistics/statistics_routes.h"

static const struct http_route *const placement_tables[] = {placement_routes, NULL};

// A mount is closed until its part is there.
void one_address_init(struct one_address *a, struct reader **readers, bool demo) {
    *a = (struct one_address){.front.readers = readers};
    a->mounts[MOUNT_DOCUMENTS] = (struct http_mount){.tables = statistics_public_tables};
    a->mounts[MOUNT_PLACEMENT] = (struct http_mount){.tables = placement_tables};
    a->mounts[MOUNT_COMMENT] = (struct http_mount){.tables = comment_tables, .assets = comment_assets};
    a->mounts[MOUNT_CONNECT] = (struct http_mount){.tables = reader_front_tables};
    a->mounts[MOUNT_INNER] =
        (struct http_mount){.tables = demo ? statistics_inner_demo_tables : statistics_inner_tables,
                            .assets = statistics_assets,
                            .files_by_name = true,
                            .guard = statistics_inner_guard};
    for (size_t i = 0; i < MOUNT_READERS; i++) a->mounts[i].closed = true;
}

static void one_address_open(struct one_address *a, size_t mount, void *arg) {
    a->mounts[mount].arg = arg;
    a->mounts[mount].closed = false;
}

static void one_address_add_reader(struct one_address *a, void *reader, size_t number, const char *name) {
    size_t connect = MOUNT_READERS + 2 * number, rest = connect + 1;
    snprintf(a->prefixes[number], sizeof a->prefixes[number], "/%s", name);
    a->mounts[connect] =
        (struct http_mount){.tables = reader_front_tables, .arg = &a->front, .prefix = a->prefixes[number]};
    a->mounts[rest] =
        (struct http_mount){.tables = reader_tables, .arg = reader, .prefix = a->prefixes[number]};
    if (number >= a->front.count) a->front.count = number + 1;
    one_address_open(a, MOUNT_CONNECT, &a->front);
}

void one_address_add(struct one_address *a, const struct role *role, void *arg, size_t number,
                     const char *name) {
    switch (role->command) {
    case COMMAND_STATISTICS:
        one_address_open(a, MOUNT_DOCUMENTS, arg);
        one_address_open(a, MOUNT_INNER, arg);
        break;
    case COMMAND_MANAGER: one_address_open(a, MOUNT_PLACEMENT, arg); break;
    case COMMAND_COMMENT: one_address_open(a, MOUNT_COMMENT, arg); break;
    case COMMAND_READER: one_address_add_reader(a, arg, number, name); break;
    default: break;
    }
}

void one_address_remove_reader(struct one_address *a, size_t number) {
    a->mounts[MOUNT_READERS + 2 * number + 1].closed = true;
}
