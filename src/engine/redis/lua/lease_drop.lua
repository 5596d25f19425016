#!lua flags=allow-oom
-- Ends a reader's lease now, if it is of this generation; it stays listed.
-- KEYS  readers    ARGV  1 reader  2 generation
local generation, rest = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+ (%d+)( .*)$')
if generation ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local ended = '0' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], ARGV[1], ended .. ' ' .. generation .. rest)
return 1
