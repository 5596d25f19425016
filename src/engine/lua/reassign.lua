-- Replaces a mapping, if it is the expected one.
-- KEYS  mapping    ARGV  1 expected  2 reader  3 how long a mapping is kept unused, ms
-- Returns {reader, 1 if this call changed it}, or {} if there is no mapping.
local reader = redis.call('GETEX', KEYS[1], 'PX', ARGV[3])
if not reader then return {} end
if reader ~= ARGV[1] or reader == ARGV[2] then return {reader, 0} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {ARGV[2], 1}
