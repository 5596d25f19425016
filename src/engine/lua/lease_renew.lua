-- Writes a reader's lease. The server's clock counts, so that those of the machines need not agree.
-- KEYS  readers    ARGV  1 reader  2 time to live, ms  3 generation  4 viewers  5 public URL or -  6 instance
-- Returns 1 if it was live before, 0 if it had lapsed or is new or another process of a later start has it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends, generation = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%d+) (%d+) ')
local live = ends and tonumber(ends) > now
if live and tonumber(generation) > tonumber(ARGV[3]) then return 0 end
local text = table.concat({string.format('%.0f', now + ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]}, ' ')
redis.call('HSET', KEYS[1], ARGV[1], text)
return live and generation == ARGV[3] and 1 or 0
