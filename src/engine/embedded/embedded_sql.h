// Every SQL text of the embedded engine: the schema, and the statements that are prepared once at opening.
#pragma once

// "Chor". In the file's header it distinguishes ours from other SQLite files.
enum { SQL_APPLICATION_ID = 0x43686f72, SQL_SCHEMA_VERSION = 2 };

// The counter that is 1 while the write-ahead log has what was taken out: embedded_scrub.c.
#define SQL_UNSCRUBBED "log.unscrubbed"

// The counter that is 1 where the archive is of another store: embedded_follow.c.
#define SQL_FOLLOWS "archive.follows"

// The counter that every new epoch must exceed: set by a restore, and by embedded_epoch.c.
#define SQL_EPOCH_FLOOR "epoch-floor"

// The counter of the videos that have settings. No reader's counter is called that.
#define SQL_SETTINGS_COUNTER "settings"

enum statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_TOTALS_READ,
    SQL_TOTALS_WRITE,
    SQL_PROBE,
    SQL_VIDEO_FIND,
    SQL_VIDEO_ADD,
    SQL_VIDEO_WRITE,
    SQL_VIDEO_USED,
    SQL_VIDEO_LOGGED,
    SQL_VIDEO_UNUSED,
    SQL_VIDEO_UNCOMMENTED,
    SQL_VIDEO_OLDEST,
    SQL_VIDEO_DROP,
    SQL_VIDEO_NAMES,
    SQL_ENTRY_LAST,
    SQL_ENTRY_ADD,
    SQL_ENTRY_STEP,
    SQL_ENTRY_READ,
    SQL_ENTRY_BLANK,
    SQL_ENTRY_NEWEST,
    SQL_ENTRY_TOKEN,
    SQL_ENTRY_OLDEST,
    SQL_ENTRY_DELETE,
    SQL_ARCHIVE_LAST,
    SQL_ARCHIVE_NAME,
    SQL_ARCHIVE_ADD,
    SQL_ARCHIVE_ORIGIN,
    SQL_ARCHIVE_NAMES,
    SQL_ARCHIVE_COPY,
    SQL_ARCHIVE_STARTS,
    SQL_ARCHIVE_VIDEO,
    SQL_ARCHIVE_AFTER,
    SQL_ARCHIVE_FIND,
    SQL_ARCHIVE_EPOCH,
    SQL_ARCHIVE_EPOCH_END,
    SQL_ARCHIVE_SEEK,
    SQL_ARCHIVE_NEWEST,
    SQL_ARCHIVE_BLANK,
    SQL_ARCHIVE_OLDEST,
    SQL_ARCHIVE_DELETE,
    SQL_ARCHIVE_LAST_VIDEO,
    SQL_ARCHIVE_DROP_EMPTY,
    SQL_PURGE_ADD,
    SQL_PURGE_ADD_ALL,
    SQL_PURGE_OF,
    SQL_PURGE_FIRST,
    SQL_PURGE_ROWS,
    SQL_PURGE_STEP,
    SQL_PURGE_DROP,
    SQL_TOKEN_FIND,
    SQL_TOKEN_ADD,
    SQL_TOKEN_NEWEST,
    SQL_TOKEN_OLDEST,
    SQL_TOKEN_DELETE,
    SQL_MAPPING_FIND,
    SQL_MAPPING_ADD,
    SQL_MAPPING_CHANGE,
    SQL_MAPPING_DROP,
    SQL_MAPPING_NEWEST,
    SQL_SET_FIND,
    SQL_SET_WRITE,
    SQL_SET_DROP,
    SQL_SETTINGS_FIND,
    SQL_SETTINGS_WRITE,
    SQL_SETTINGS_DROP,
    SQL_SETTINGS_COUNT,
    SQL_SETTINGS_COUNTED,
    SQL_ROOM_FIND,
    SQL_ROOM_OF,
    SQL_ROOM_WRITE,
    SQL_ROOM_DROP,
    SQL_BAN_FIND,
    SQL_BAN_ALL,
    SQL_BAN_COUNT,
    SQL_BAN_WRITE,
    SQL_BAN_LIFT,
    SQL_BAN_EXPIRE,
    SQL_BAN_DROP,
    SQL_HELD_FIND,
    SQL_HELD_OF,
    SQL_HELD_DUE,
    SQL_HELD_COUNT,
    SQL_HELD_ADD,
    SQL_HELD_REMOVE,
    SQL_HELD_DROP,
    SQL_AUDIT_ADD,
    SQL_AUDIT_TRIM,
    SQL_AUDIT_OF,
    SQL_AUDIT_DROP,
    SQL_RECENT_FIND,
    SQL_RECENT_WRITE,
    SQL_RECENT_EXPIRE,
    SQL_RECENT_DROP,
    SQL_LEASE_ALL,
    SQL_LEASE_WRITE,
    SQL_LEASE_DROP,
    SQL_COUNTER_NEXT,
    SQL_SECRETS_DROP,
    SQL_SECRET_KEEP,
    SQL_UNSCRUBBED_READ,
    SQL_UNSCRUBBED_WRITE,
    SQL_FOLLOWS_READ,
    SQL_FOLLOWS_WRITE,
    SQL_EPOCH_FLOOR_READ,
    SQL_EPOCH_FLOOR_WRITE,
    SQL_STATEMENTS
};

extern const char *const sql_statements[SQL_STATEMENTS];

// All rows of the log, for a check of the whole file.
extern const char sql_all_entries[];

// Makes an empty file a store of version 1. Several statements, one transaction.
extern const char sql_schema[];

// Makes a store of version 1 one of version 2, which version 1 refuses. Changes no row.
extern const char sql_to_version_2[];

// Adds the tables and indexes that came later within a version, where they are missing.
extern const char sql_additions[];

// Adds the columns that count the bytes of a video's entries; whether they exist.
extern const char sql_has_bytes[], sql_add_bytes[];
