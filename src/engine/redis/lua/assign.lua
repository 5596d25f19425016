-- Needs: allow_oom, shard, admit
-- Makes a mapping, if there is none; marks it as used.
-- KEYS  mapping    ARGV  1 video  2 how long a mapping is kept unused, ms  3 reader  4 how many videos there may be, 0: any
-- Returns {reader, 1 if this call made it}, or {} if there are too many videos.
local reader = redis.call('GETEX', KEYS[1], 'PX', ARGV[2])
if reader then
    mark_used(ARGV[1])
    return {reader, 0}
end
if not admit(ARGV[1], tonumber(ARGV[4])) then return {} end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
redis.call('ZREM', 'chorus:unmapped' .. SHARD, ARGV[1])
return {ARGV[3], 1}
