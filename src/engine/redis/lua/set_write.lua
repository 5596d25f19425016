#!lua flags=allow-oom
-- Replaces a video's set of readers, unless it has another generation.
-- KEYS  set    ARGV  1 the generation that it must have  2 the set, with the next one  3 how long it is kept unused, ms
-- Returns {the set as it is then, empty if there is none, 1 if this call wrote it}.
local set = redis.call('GET', KEYS[1])
if (set and string.match(set, '^%d+') or '0') ~= ARGV[1] then return {set or '', 0} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {ARGV[2], 1}
