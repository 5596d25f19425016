-- Needs: shard, admission_begin, admit, admission_end, audit
-- Writes a video's room, unless it has another revision.
-- KEYS  1 room  2 bans  3 audit trail    ARGV  1 video  2 the revision that it must have  3 the room with the next one  4 for how long
-- it is kept unused, ms  5 how many videos there may be, 0: any  6 a note, or empty
-- Returns the room as it is then, empty if there is none; or {"full"}.
local room = redis.call('GET', KEYS[1])
if (room and string.match(room, '^%d+') or '0') ~= ARGV[2] then return room or '' end
if not admission()(ARGV[1], tonumber(ARGV[5])) then return {'full'} end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
audit(KEYS[3], ARGV[6], ARGV[4])
return ARGV[3]
