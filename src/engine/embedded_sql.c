#include "engine/embedded_sql.h"

// A video's entries lie next to each other: n is the video's row id shifted left by 40 bits plus the entry's
// place among all that the video ever had, counted from 1. So a range is one run of the table, trimming cuts
// off one run, and the only index besides is the one by age, which grows at its end. `logged` is the place of
// the newest entry.
//
// A dropped video's row stays, without a name, to be used again: row ids stay below 2^23 however many videos
// come and go.
//
// A token keeps its own copy of the first answer, because the log may trim the entry long before a repeat
// comes.
const char sql_schema[] =
    "BEGIN;"
    "CREATE TABLE video(id INTEGER PRIMARY KEY, name TEXT UNIQUE, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " run INTEGER NOT NULL, logged INTEGER NOT NULL, used_ms INTEGER) STRICT;"
    "CREATE INDEX video_used ON video(used_ms);"
    "CREATE TABLE entry(n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, prev_epoch INTEGER NOT NULL, prev_seq INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"
    "CREATE INDEX entry_age ON entry(at_ms);"
    "CREATE TABLE token(n INTEGER PRIMARY KEY, video INTEGER NOT NULL, token TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, prev_epoch INTEGER NOT NULL,"
    " prev_seq INTEGER NOT NULL, json TEXT NOT NULL, UNIQUE(video, token)) STRICT;"
    "CREATE TABLE mapping(video INTEGER PRIMARY KEY, reader TEXT NOT NULL, made INTEGER NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE lease(reader TEXT PRIMARY KEY, public TEXT, instance TEXT NOT NULL, generation INTEGER NOT NULL,"
    " viewers INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE totals(one INTEGER PRIMARY KEY CHECK(one = 1), comments INTEGER NOT NULL, videos INTEGER NOT NULL,"
    " mappings INTEGER NOT NULL, spare_rows INTEGER NOT NULL) STRICT;"
    "INSERT INTO totals VALUES(1, 0, 0, 0, 0);"
    "CREATE TABLE probe(one INTEGER PRIMARY KEY CHECK(one = 1), filler BLOB) STRICT;"
    "INSERT INTO probe VALUES(1, NULL);"
    "PRAGMA application_id = 0x43686f72;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

_Static_assert(SQL_APPLICATION_ID == 0x43686f72 && SQL_SCHEMA_VERSION == 1, "as in the text above");

// The columns of an entry, in the order in which the log reads them.
#define ENTRY "kind, epoch, seq, prev_epoch, prev_seq, json"

// `+at_ms` keeps the planner from taking the index by age where the primary key is the way.
const char *const sql_statements[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",

    [SQL_TOTALS_READ] = "SELECT comments, videos, mappings, spare_rows FROM totals WHERE one = 1",
    [SQL_TOTALS_WRITE] =
        "UPDATE totals SET comments = ?1, videos = ?2, mappings = ?3, spare_rows = ?4 WHERE one = 1",
    [SQL_PROBE] = "UPDATE probe SET filler = zeroblob(32768) WHERE one = 1",

    [SQL_VIDEO_FIND] = "SELECT id, epoch, seq, run, logged, used_ms FROM video WHERE name = ?1",
    [SQL_VIDEO_ADD] =
        "INSERT INTO video(name, epoch, seq, run, logged, used_ms) VALUES(?1, 0, 0, 0, 0, ?2) RETURNING id",
    [SQL_VIDEO_REUSE] = "UPDATE video SET name = ?1, epoch = 0, seq = 0, run = 0, logged = 0, used_ms = ?2"
                        " WHERE id = (SELECT id FROM video WHERE name IS NULL LIMIT 1) RETURNING id",
    [SQL_VIDEO_WRITE] = "UPDATE video SET epoch = ?2, seq = ?3, run = ?4, logged = ?5 WHERE id = ?1",
    [SQL_VIDEO_USED] = "UPDATE video SET used_ms = ?2 WHERE id = ?1",
    [SQL_VIDEO_UNUSED] = "SELECT id, name FROM video WHERE used_ms < ?1 ORDER BY used_ms LIMIT 1",
    [SQL_VIDEO_DROP] = "UPDATE video SET name = NULL, used_ms = NULL WHERE id = ?1",

    [SQL_ENTRY_ADD] = "INSERT INTO entry(n, at_ms, " ENTRY ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SQL_ENTRY_AT] = "SELECT n, epoch, seq FROM entry WHERE n BETWEEN ?1 AND ?2 ORDER BY n LIMIT 1",
    [SQL_ENTRY_RANGE] =
        "SELECT " ENTRY " FROM entry WHERE n BETWEEN ?1 AND ?2 AND +at_ms >= ?3 ORDER BY n LIMIT ?4",
    [SQL_ENTRY_DELETE] = "DELETE FROM entry WHERE n BETWEEN ?1 AND ?2",
    [SQL_ENTRY_EXPIRE] =
        "DELETE FROM entry WHERE n IN (SELECT n FROM entry WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
    [SQL_ENTRY_NEWEST] =
        "SELECT " ENTRY " FROM entry WHERE at_ms >= ?1 AND kind = 1 ORDER BY at_ms DESC, n DESC LIMIT ?2",

    [SQL_TOKEN_FIND] = "SELECT " ENTRY " FROM token WHERE video = ?1 AND token = ?2 AND at_ms >= ?3",
    [SQL_TOKEN_ADD] = "INSERT OR REPLACE INTO token(video, token, at_ms, " ENTRY
                      ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    // Tokens are numbered in the order of time: only the oldest have to be looked at.
    [SQL_TOKEN_EXPIRE] =
        "DELETE FROM token WHERE n IN (SELECT n FROM (SELECT n, at_ms FROM token ORDER BY n LIMIT ?2)"
        " WHERE at_ms < ?1 OR n <= (SELECT max(n) FROM token) - ?3)",
    [SQL_TOKEN_CLEAR] = "DELETE FROM token WHERE video = ?1",

    [SQL_MAPPING_FIND] = "SELECT reader FROM mapping WHERE video = ?1",
    [SQL_MAPPING_ADD] = "INSERT INTO mapping(video, reader, made)"
                        " VALUES(?1, ?2, (SELECT ifnull(max(made), 0) + 1 FROM mapping))",
    [SQL_MAPPING_CHANGE] = "UPDATE mapping SET reader = ?2 WHERE video = ?1",
    [SQL_MAPPING_DROP] = "DELETE FROM mapping WHERE video = ?1",
    [SQL_MAPPING_NEWEST] =
        "SELECT video.name, mapping.reader FROM mapping CROSS JOIN video ON video.id = mapping.video"
        " ORDER BY mapping.made DESC LIMIT ?1",

    [SQL_LEASE_ALL] =
        "SELECT reader, public, instance, generation, viewers, expires_ms FROM lease ORDER BY reader",
    [SQL_LEASE_WRITE] =
        "INSERT OR REPLACE INTO lease(reader, public, instance, generation, viewers, expires_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_LEASE_DROP] = "DELETE FROM lease WHERE reader = ?1",

    [SQL_COUNTER_NEXT] = "INSERT INTO counter(name, value) VALUES(?1, 1)"
                         " ON CONFLICT(name) DO UPDATE SET value = value + 1 RETURNING value - 1",
};
