-- Ends a reader's lease now; it stays listed.
-- KEYS  readers    ARGV  1 reader
local rest = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+( .*)$')
if not rest then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) .. rest)
return 1
