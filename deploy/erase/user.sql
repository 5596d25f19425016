-- Erases one user's comments from the database of `chorus up`, while Chorus is stopped:
--   sqlite3 chorus-data/chorus.db ".param set :user 'ann'" ".read deploy/erase/user.sql"
-- A comment stays in its place, with the user `erased` and the text `[erased]`: so numbers and positions stay, and no viewer
-- gets a gap. It is written in the form of schema 1 (with its id in the body, and without a checksum), which every later
-- version reads.
.bail on
PRAGMA secure_delete = ON; -- what is freed is overwritten
BEGIN IMMEDIATE;
SELECT format('%d comments erased', count(*)) FROM (
    SELECT n FROM entry WHERE kind = 1 AND json_extract(body, '$.userid') = :user
    UNION SELECT n FROM archive WHERE kind = 1 AND json_extract(body, '$.userid') = :user);
UPDATE entry SET token = NULL, checksum = NULL, body = json_patch('{}', json_object( -- which leaves out what is NULL
    'id', format('%d-%d', epoch, seq), 'prev', CASE WHEN prev_epoch THEN format('%d-%d', prev_epoch, prev_seq) END,
    'userid', 'erased', 'videoid', json_extract(body, '$.videoid'), 'comment', '[erased]',
    'timestamp', json_extract(body, '$.timestamp')))
    WHERE kind = 1 AND json_extract(body, '$.userid') = :user;
UPDATE archive SET checksum = NULL, body = json_patch('{}', json_object(
    'id', format('%d-%d', epoch, seq), 'prev', CASE WHEN prev_epoch THEN format('%d-%d', prev_epoch, prev_seq) END,
    'userid', 'erased', 'videoid', json_extract(body, '$.videoid'), 'comment', '[erased]',
    'timestamp', json_extract(body, '$.timestamp')))
    WHERE kind = 1 AND json_extract(body, '$.userid') = :user;
COMMIT;
VACUUM;
PRAGMA wal_checkpoint(TRUNCATE);
