-- Needs: allow_oom, audit
-- Drops a comment that waits.
-- KEYS  1 held  2 chorus:held  3 audit trail    ARGV  1 video  2 id  3 a note, or empty  4 for how long that is kept, ms
-- Returns {1 if it did wait, how many of the video still do}.
redis.call('ZREM', KEYS[2], ARGV[2] .. ' ' .. ARGV[1])
local waited = redis.call('HDEL', KEYS[1], ARGV[2])
if waited == 1 then audit(KEYS[3], ARGV[3], ARGV[4]) end
return {waited, redis.call('HLEN', KEYS[1])}
