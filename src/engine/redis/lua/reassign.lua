-- Needs: allow_oom, shard, admit
-- Replaces a mapping, if it is the expected one; marks it as used.
-- KEYS  mapping    ARGV  1 video  2 how long a mapping is kept unused, ms  3 expected  4 reader
-- Returns {reader, 1 if this call changed it}, or {} if there is no mapping.
local reader = redis.call('GETEX', KEYS[1], 'PX', ARGV[2])
if not reader then return {} end
mark_used(ARGV[1])
if reader ~= ARGV[3] or reader == ARGV[4] then return {reader, 0} end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[2])
return {ARGV[4], 1}
