#include "embedded_sql.h"

// The log is one table that grows at its end, whatever video an entry belongs to: a transaction of many
// appends writes few pages, where a table ordered by video would write one page for each. n counts all
// entries ever logged; `before` is the video's entry before this one, so a range is read backwards from the
// newest; `place` counts the video's own. `comments` is the total so far. A video's row has the n of its
// newest entry.
//
// A token has a row of its own in a table that also grows at its end: `n` counts them, `place` is that of its
// entry. An earlier version kept it in the entry's row; that column is still read.
//
// An entry's body is a JSON object, and `checksum` is row_checksum() of the entry. Version 1 kept the object
// as it was published in its place, with the position in front: such rows have no checksum, and stay as they
// are until they expire. Rewriting them all would hold up the first start, for as long as it takes to write
// gigabytes. A new file is made as one of version 1
// and brought up to date like an old one.
const char sql_schema[] =
    "BEGIN;"
    "CREATE TABLE video(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, run INTEGER NOT NULL, logged INTEGER NOT NULL, newest INTEGER NOT NULL,"
    " used_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX video_used ON video(used_ms);"
    "CREATE TABLE entry(n INTEGER PRIMARY KEY, video INTEGER NOT NULL, place INTEGER NOT NULL,"
    " before INTEGER NOT NULL, at_ms INTEGER NOT NULL, comments INTEGER NOT NULL, token TEXT, kind INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL, seq INTEGER NOT NULL, prev_epoch INTEGER NOT NULL, prev_seq INTEGER NOT NULL,"
    " json TEXT NOT NULL) STRICT;"
    "CREATE INDEX entry_token ON entry(video, token) WHERE token IS NOT NULL;"
    "CREATE TABLE mapping(video INTEGER PRIMARY KEY, reader TEXT NOT NULL, made INTEGER NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE lease(reader TEXT PRIMARY KEY, public TEXT, instance TEXT NOT NULL, generation INTEGER NOT NULL,"
    " viewers INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE totals(one INTEGER PRIMARY KEY CHECK(one = 1), entries INTEGER NOT NULL,"
    " comments INTEGER NOT NULL, videos INTEGER NOT NULL, mappings INTEGER NOT NULL) STRICT;"
    "INSERT INTO totals VALUES(1, 0, 0, 0, 0);"
    "CREATE TABLE probe(one INTEGER PRIMARY KEY CHECK(one = 1), filler BLOB) STRICT;"
    "INSERT INTO probe VALUES(1, NULL);"
    "PRAGMA application_id = 0x43686f72;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

const char sql_to_version_2[] = "BEGIN;"
                                "ALTER TABLE entry RENAME COLUMN json TO body;"
                                "ALTER TABLE entry ADD COLUMN checksum INTEGER;"
                                "PRAGMA user_version = 2;"
                                "COMMIT;";

const char sql_has_bytes[] = "SELECT count(*) FROM pragma_table_info('entry') WHERE name = 'bytes'";
const char sql_add_bytes[] = "BEGIN;"
                             "ALTER TABLE entry ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE video ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
                             "COMMIT;";

// Made at each opening if missing.
const char sql_additions[] =
    "CREATE INDEX IF NOT EXISTS video_uncommented ON video(used_ms) WHERE logged = 0;"
    "CREATE TABLE IF NOT EXISTS token(n INTEGER PRIMARY KEY, video INTEGER NOT NULL, name BLOB NOT NULL,"
    " digest BLOB NOT NULL, place INTEGER NOT NULL, at_ms INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, caller_ms INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX IF NOT EXISTS token_name ON token(video, name);"
    "CREATE TABLE IF NOT EXISTS reader_set(video INTEGER PRIMARY KEY, generation INTEGER NOT NULL,"
    " text TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS settings(video TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS room(video INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS ban(video INTEGER NOT NULL, user TEXT NOT NULL, until_ms INTEGER NOT NULL,"
    " shadow INTEGER NOT NULL, PRIMARY KEY(video, user)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS held(n INTEGER PRIMARY KEY, video INTEGER NOT NULL, id TEXT NOT NULL,"
    " author TEXT NOT NULL, body TEXT NOT NULL, due_ms INTEGER NOT NULL, allows INTEGER NOT NULL,"
    " digest BLOB NOT NULL, at_ms INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX IF NOT EXISTS held_id ON held(video, id);"
    "CREATE INDEX IF NOT EXISTS held_due ON held(due_ms);"
    "CREATE TABLE IF NOT EXISTS audit(n INTEGER PRIMARY KEY, video INTEGER NOT NULL, note TEXT NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS audit_video ON audit(video);"
    "CREATE TABLE IF NOT EXISTS recent(video INTEGER NOT NULL, name BLOB NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY(video, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS recent_at ON recent(video, at_ms);"
    "CREATE TABLE IF NOT EXISTS secret(name TEXT PRIMARY KEY, bytes BLOB NOT NULL,"
    " expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    // embedded_archive.h
    "CREATE TABLE IF NOT EXISTS archived(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " origin_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS archive(n INTEGER PRIMARY KEY, video INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, prev_epoch INTEGER NOT NULL,"
    " prev_seq INTEGER NOT NULL, body TEXT NOT NULL, checksum INTEGER) STRICT;"
    "CREATE UNIQUE INDEX IF NOT EXISTS archive_at ON archive(video, epoch, seq);"
    "CREATE TABLE IF NOT EXISTS archive_purge(n INTEGER PRIMARY KEY, video INTEGER NOT NULL, user TEXT NOT NULL,"
    " epoch INTEGER NOT NULL, seq INTEGER NOT NULL, done_epoch INTEGER NOT NULL, done_seq INTEGER NOT NULL) STRICT;";

// The columns of an entry, in the order in which the log reads them.
#define ENTRY "kind, epoch, seq, prev_epoch, prev_seq, body, checksum"

const char sql_all_entries[] = "SELECT " ENTRY " FROM entry UNION ALL SELECT " ENTRY " FROM archive";

// The rows of the log that a step of the archive takes.
#define NEW_ROWS "entry.n > ?1 AND entry.n <= ?2"

const char *const sql_statements[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",

    [SQL_TOTALS_READ] = "SELECT entries, comments, videos, mappings FROM totals WHERE one = 1",
    [SQL_TOTALS_WRITE] =
        "UPDATE totals SET entries = ?1, comments = ?2, videos = ?3, mappings = ?4 WHERE one = 1",
    [SQL_PROBE] = "UPDATE probe SET filler = zeroblob(32768) WHERE one = 1",

    [SQL_VIDEO_FIND] =
        "SELECT id, epoch, seq, run, logged, newest, used_ms, bytes FROM video WHERE name = ?1",
    [SQL_VIDEO_ADD] =
        "INSERT INTO video(name, epoch, seq, run, logged, newest, used_ms) VALUES(?1, 0, 0, 0, 0, 0, ?2)",
    [SQL_VIDEO_WRITE] =
        "UPDATE video SET epoch = ?2, seq = ?3, run = ?4, logged = ?5, newest = ?6, bytes = ?7 WHERE id = ?1",
    [SQL_VIDEO_USED] = "UPDATE video SET used_ms = ?2 WHERE id = ?1",
    [SQL_VIDEO_LOGGED] = "SELECT logged, bytes FROM video WHERE id = ?1",
    [SQL_VIDEO_UNUSED] = "SELECT name FROM video WHERE used_ms < ?1 ORDER BY used_ms LIMIT 1",
    [SQL_VIDEO_UNCOMMENTED] = "SELECT name, used_ms FROM video WHERE logged = 0 ORDER BY used_ms LIMIT ?1",
    [SQL_VIDEO_OLDEST] = "SELECT name, used_ms FROM video ORDER BY used_ms LIMIT ?1",
    [SQL_VIDEO_DROP] = "DELETE FROM video WHERE id = ?1",

    [SQL_VIDEO_NAMES] =
        "SELECT name FROM video WHERE name > ?1 UNION SELECT name FROM archived WHERE name > ?1"
        " ORDER BY name LIMIT ?2",

    [SQL_ENTRY_LAST] = "SELECT n, comments, epoch FROM entry ORDER BY n DESC LIMIT 1",
    [SQL_ENTRY_ADD] = "INSERT INTO entry(n, video, place, before, at_ms, comments, " ENTRY
                      ", bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [SQL_ENTRY_STEP] = "SELECT before, at_ms, epoch, seq, place, bytes FROM entry WHERE n = ?1",
    [SQL_ENTRY_READ] = "SELECT " ENTRY ", at_ms, video FROM entry WHERE n = ?1",
    [SQL_ENTRY_BLANK] = "UPDATE entry SET kind = ?2, body = '{}', checksum = ?3 WHERE n = ?1",
    [SQL_ENTRY_NEWEST] = "SELECT " ENTRY ", at_ms FROM entry ORDER BY n DESC LIMIT ?1",
    [SQL_ENTRY_TOKEN] =
        "SELECT " ENTRY " FROM entry WHERE video = ?1 AND token = ?2 AND at_ms >= ?3 ORDER BY n DESC LIMIT 1",
    [SQL_ENTRY_OLDEST] =
        "SELECT n, video, place, at_ms, token IS NOT NULL, bytes FROM entry WHERE n > ?1 ORDER BY n LIMIT ?2",
    [SQL_ENTRY_DELETE] = "DELETE FROM entry WHERE n BETWEEN ?1 AND ?2",

    [SQL_ARCHIVE_LAST] =
        "SELECT max(ifnull((SELECT max(n) FROM archive), 0), ifnull((SELECT min(n) - 1 FROM entry), 0))",
    [SQL_ARCHIVE_NAME] = "INSERT OR IGNORE INTO archived(name, origin_ms) VALUES(?1, ?2)",
    [SQL_ARCHIVE_ADD] =
        "INSERT OR IGNORE INTO archive(video, at_ms, " ENTRY ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_ARCHIVE_ORIGIN] = "UPDATE archived SET origin_ms = ?2 WHERE id = ?1",
    [SQL_ARCHIVE_NAMES] =
        "INSERT INTO archived(name, origin_ms) SELECT video.name, min(entry.at_ms) FROM entry"
        " CROSS JOIN video ON video.id = entry.video WHERE " NEW_ROWS
        " AND entry.at_ms >= ?3 GROUP BY video.id"
        " ON CONFLICT(name) DO UPDATE SET origin_ms = excluded.origin_ms WHERE origin_ms = 0",
    [SQL_ARCHIVE_COPY] =
        "INSERT OR IGNORE INTO archive(n, video, at_ms, " ENTRY ") SELECT entry.n, archived.id, entry.at_ms,"
        " entry.kind, entry.epoch, entry.seq, entry.prev_epoch, entry.prev_seq, entry.body, entry.checksum"
        " FROM entry CROSS JOIN video ON video.id = entry.video CROSS JOIN archived ON archived.name = video.name"
        " WHERE " NEW_ROWS " AND entry.at_ms >= ?3",
    [SQL_ARCHIVE_STARTS] =
        "UPDATE archived SET origin_ms = started.at_ms FROM (SELECT video, max(at_ms) AS at_ms FROM archive"
        " WHERE n > ?1 AND n <= ?2 AND kind = 5 GROUP BY video) AS started WHERE archived.id = started.video",
    [SQL_ARCHIVE_VIDEO] = "SELECT id, origin_ms FROM archived WHERE name = ?1",
    [SQL_ARCHIVE_AFTER] =
        "SELECT " ENTRY ", at_ms FROM archive WHERE video = ?1 AND (epoch, seq) > (?2, ?3) AND at_ms >= ?4"
        " ORDER BY epoch, seq LIMIT ?5",
    [SQL_ARCHIVE_FIND] =
        "SELECT " ENTRY ", n FROM archive WHERE video = ?1 AND epoch = ?2 AND seq = ?3 AND at_ms >= ?4",
    [SQL_ARCHIVE_EPOCH] = "SELECT epoch FROM archive WHERE video = ?1 AND epoch > ?2 ORDER BY epoch LIMIT 1",
    [SQL_ARCHIVE_EPOCH_END] =
        "SELECT seq, at_ms FROM archive WHERE video = ?1 AND epoch = ?2 ORDER BY seq DESC LIMIT 1",
    [SQL_ARCHIVE_SEEK] =
        "SELECT seq, at_ms FROM archive WHERE video = ?1 AND epoch = ?2 AND seq >= ?3 ORDER BY seq LIMIT 1",
    [SQL_ARCHIVE_NEWEST] =
        "SELECT epoch, seq FROM archive WHERE video = ?1 ORDER BY epoch DESC, seq DESC LIMIT 1",
    [SQL_ARCHIVE_BLANK] = "UPDATE archive SET kind = ?2, body = '{}', checksum = ?3 WHERE n = ?1",
    [SQL_ARCHIVE_OLDEST] = "SELECT n, at_ms FROM archive ORDER BY n LIMIT ?1",
    [SQL_ARCHIVE_DELETE] = "DELETE FROM archive WHERE n <= ?1",
    [SQL_ARCHIVE_LAST_VIDEO] = "SELECT ifnull(max(id), 0) FROM archived",
    [SQL_ARCHIVE_DROP_EMPTY] = "DELETE FROM archived WHERE id > ?1 AND id <= ?2"
                               " AND NOT EXISTS(SELECT 1 FROM archive WHERE archive.video = archived.id)",

    [SQL_PURGE_ADD] =
        "INSERT INTO archive_purge(video, user, epoch, seq, done_epoch, done_seq) VALUES(?1, ?2, ?3, ?4, 0, 0)",
    [SQL_PURGE_ADD_ALL] =
        "INSERT INTO archive_purge(video, user, epoch, seq, done_epoch, done_seq)"
        " SELECT archived.id, ?1, last.epoch, last.seq, 0, 0 FROM archived JOIN archive AS last ON last.n ="
        " (SELECT n FROM archive WHERE video = archived.id ORDER BY epoch DESC, seq DESC LIMIT 1)",
    [SQL_PURGE_OF] = "SELECT user, epoch, seq FROM archive_purge WHERE video = ?1",
    [SQL_PURGE_FIRST] =
        "SELECT n, video, user, epoch, seq, done_epoch, done_seq FROM archive_purge ORDER BY n LIMIT 1",
    [SQL_PURGE_ROWS] = "SELECT " ENTRY ", n FROM archive WHERE video = ?1 AND (epoch, seq) > (?2, ?3)"
                       " AND (epoch, seq) <= (?4, ?5) ORDER BY epoch, seq LIMIT ?6",
    [SQL_PURGE_STEP] = "UPDATE archive_purge SET done_epoch = ?2, done_seq = ?3 WHERE n = ?1",
    [SQL_PURGE_DROP] = "DELETE FROM archive_purge WHERE n = ?1",

    [SQL_TOKEN_FIND] =
        "SELECT digest = ?3, epoch, seq, caller_ms, at_ms FROM token WHERE video = ?1 AND name = ?2",
    [SQL_TOKEN_ADD] =
        "INSERT OR REPLACE INTO token(n, video, name, digest, place, at_ms, epoch, seq, caller_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_TOKEN_NEWEST] = "SELECT ifnull(max(n), 0) FROM token",
    [SQL_TOKEN_OLDEST] = "SELECT n, video, place, at_ms, 0, 0 FROM token WHERE n > ?1 ORDER BY n LIMIT ?2",
    [SQL_TOKEN_DELETE] = "DELETE FROM token WHERE n BETWEEN ?1 AND ?2",

    [SQL_MAPPING_FIND] = "SELECT reader FROM mapping WHERE video = ?1",
    [SQL_MAPPING_ADD] = "INSERT INTO mapping(video, reader, made)"
                        " VALUES(?1, ?2, (SELECT ifnull(max(made), 0) + 1 FROM mapping))",
    [SQL_MAPPING_CHANGE] = "UPDATE mapping SET reader = ?2 WHERE video = ?1",
    [SQL_MAPPING_DROP] = "DELETE FROM mapping WHERE video = ?1",
    [SQL_MAPPING_NEWEST] =
        "SELECT video.name, mapping.reader FROM mapping CROSS JOIN video ON video.id = mapping.video"
        " ORDER BY mapping.made DESC LIMIT ?1",

    [SQL_SET_FIND] = "SELECT generation, text FROM reader_set WHERE video = ?1",
    [SQL_SET_WRITE] = "INSERT OR REPLACE INTO reader_set(video, generation, text) VALUES(?1, ?2, ?3)",
    [SQL_SET_DROP] = "DELETE FROM reader_set WHERE video = ?1",

    [SQL_SETTINGS_FIND] = "SELECT text FROM settings WHERE video = ?1",
    [SQL_SETTINGS_WRITE] = "INSERT OR REPLACE INTO settings(video, text) VALUES(?1, ?2)",
    [SQL_SETTINGS_DROP] = "DELETE FROM settings WHERE video = ?1",
    [SQL_SETTINGS_COUNT] =
        "SELECT ifnull((SELECT value FROM counter WHERE name = '" SQL_SETTINGS_COUNTER "'), 0)",
    [SQL_SETTINGS_COUNTED] = "INSERT INTO counter(name, value) VALUES('" SQL_SETTINGS_COUNTER "', ?1)"
                             " ON CONFLICT(name) DO UPDATE SET value = value + ?1",

    [SQL_ROOM_FIND] = "SELECT text FROM room WHERE video = ?1",
    [SQL_ROOM_OF] = "SELECT room.text FROM video JOIN room ON room.video = video.id WHERE video.name = ?1",
    [SQL_ROOM_WRITE] = "INSERT OR REPLACE INTO room(video, text) VALUES(?1, ?2)",
    [SQL_ROOM_DROP] = "DELETE FROM room WHERE video = ?1",

    [SQL_BAN_FIND] = "SELECT until_ms, shadow FROM ban WHERE video = ?1 AND user = ?2",
    [SQL_BAN_ALL] =
        "SELECT user, until_ms, shadow FROM ban WHERE video = ?1 AND (until_ms = 0 OR until_ms > ?2)",
    [SQL_BAN_COUNT] = "SELECT count(*) FROM ban WHERE video = ?1 AND user <> ?2",
    [SQL_BAN_WRITE] = "INSERT OR REPLACE INTO ban(video, user, until_ms, shadow) VALUES(?1, ?2, ?3, ?4)",
    [SQL_BAN_LIFT] = "DELETE FROM ban WHERE video = ?1 AND user = ?2",
    [SQL_BAN_EXPIRE] = "DELETE FROM ban WHERE video = ?1 AND until_ms > 0 AND until_ms <= ?2",
    [SQL_BAN_DROP] = "DELETE FROM ban WHERE video = ?1",

    [SQL_HELD_FIND] = "SELECT allows, due_ms FROM held WHERE video = ?1 AND id = ?2",
    [SQL_HELD_OF] =
        "SELECT ?2, id, author, body, due_ms, allows, digest, at_ms FROM held WHERE video = ?1 ORDER BY due_ms, n",
    [SQL_HELD_DUE] =
        "SELECT video.name, held.id, author, body, due_ms, allows, digest, at_ms FROM held JOIN video ON video.id = held.video WHERE due_ms <= ?1 ORDER BY due_ms, n LIMIT ?2",
    [SQL_HELD_COUNT] = "SELECT count(*) FROM held WHERE video = ?1",
    [SQL_HELD_ADD] =
        "INSERT INTO held(video, id, author, body, due_ms, allows, digest, at_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SQL_HELD_REMOVE] = "DELETE FROM held WHERE video = ?1 AND id = ?2",
    [SQL_HELD_DROP] = "DELETE FROM held WHERE video = ?1",

    [SQL_AUDIT_ADD] = "INSERT INTO audit(video, note) VALUES(?1, ?2)",
    // ?3: whether of the automatic ones, ?4 how those begin.
    [SQL_AUDIT_TRIM] =
        "DELETE FROM audit WHERE video = ?1 AND (substr(note, 1, length(?4)) = ?4) = ?3 AND n <= (SELECT n FROM audit"
        " WHERE video = ?1 AND (substr(note, 1, length(?4)) = ?4) = ?3 ORDER BY n DESC LIMIT 1 OFFSET ?2)",
    [SQL_AUDIT_OF] =
        "SELECT note FROM audit WHERE video = ?1 ORDER BY substr(note, 1, length(?2)) = ?2, n DESC",
    [SQL_AUDIT_DROP] = "DELETE FROM audit WHERE video = ?1",

    [SQL_RECENT_FIND] = "SELECT at_ms FROM recent WHERE video = ?1 AND name = ?2",
    [SQL_RECENT_WRITE] = "INSERT OR REPLACE INTO recent(video, name, at_ms) VALUES(?1, ?2, ?3)",
    [SQL_RECENT_EXPIRE] = "DELETE FROM recent WHERE video = ?1 AND at_ms <= ?2",
    [SQL_RECENT_DROP] = "DELETE FROM recent WHERE video = ?1",

    [SQL_LEASE_ALL] =
        "SELECT reader, public, instance, generation, viewers, expires_ms FROM lease ORDER BY reader",
    [SQL_LEASE_WRITE] =
        "INSERT OR REPLACE INTO lease(reader, public, instance, generation, viewers, expires_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_LEASE_DROP] = "DELETE FROM lease WHERE reader = ?1",

    [SQL_COUNTER_NEXT] = "INSERT INTO counter(name, value) VALUES(?1, 1)"
                         " ON CONFLICT(name) DO UPDATE SET value = value + 1 RETURNING value - 1",

    [SQL_SECRETS_DROP] = "DELETE FROM secret WHERE expires_ms <= ?1",
    [SQL_SECRET_KEEP] = "INSERT INTO secret(name, bytes, expires_ms) VALUES(?1, ?2, ?3)"
                        " ON CONFLICT(name) DO UPDATE SET bytes = bytes RETURNING bytes",

    [SQL_UNSCRUBBED_READ] = "SELECT ifnull((SELECT value FROM counter WHERE name = '" SQL_UNSCRUBBED "'), 0)",
    [SQL_UNSCRUBBED_WRITE] = "INSERT OR REPLACE INTO counter(name, value) VALUES('" SQL_UNSCRUBBED "', ?1)",

    [SQL_FOLLOWS_READ] = "SELECT ifnull((SELECT value FROM counter WHERE name = '" SQL_FOLLOWS "'), 0)",
    [SQL_FOLLOWS_WRITE] = "INSERT OR REPLACE INTO counter(name, value) VALUES('" SQL_FOLLOWS "', 1)",
    [SQL_EPOCH_FLOOR_READ] =
        "SELECT ifnull((SELECT value FROM counter WHERE name = '" SQL_EPOCH_FLOOR "'), 0)",
    [SQL_EPOCH_FLOOR_WRITE] = "INSERT OR REPLACE INTO counter(name, value) VALUES('" SQL_EPOCH_FLOOR "', ?1)",
};

_Static_assert(SQL_APPLICATION_ID == 0x43686f72 && SQL_SCHEMA_VERSION == 2, "as in the schema");
