#!lua flags=allow-oom
-- Writes a reader's lease, unless another process holds it with a better claim.
-- KEYS  1 readers  2 chorus:{readers}:load
-- ARGV   1 reader  2 time to live, ms  3 generation  4 viewers  5 public URL or -  6 instance
--       7 claim: held, first or unchanged  8 the stamp that was seen unchanged  9 load, or empty
-- Returns {outcome, generation, stamp, instance} of the holder. The stamp is when the lease ends by this server's
-- clock; it differs after each renewal even if the clock does not advance. Whether a lease has ended is not judged
-- here, as clocks may be stepped. A 0 in front of the end means that the lease was given up.
local row = redis.call('HGET', KEYS[1], ARGV[1]) or ''
local ends, generation, instance = string.match(row, '^(%d+) (%d+) %d+ %S+ (.*)$')
local free = not ends or string.sub(ends, 1, 1) == '0'
local kept = not free and ARGV[7] ~= 'first' and generation == ARGV[3] and instance == ARGV[6]
if not free and not kept then
    local newer = tonumber(generation) > tonumber(ARGV[3])
    local takes = ARGV[7] == 'first' or (ARGV[7] == 'held' and newer) or (ARGV[7] == 'unchanged' and ends == ARGV[8])
    if not takes then return {'taken', generation, ends, instance} end
end
local mine = ARGV[3]
if ends and not kept and ARGV[7] ~= 'held' and tonumber(generation) >= tonumber(mine) then
    mine = string.format('%.0f', generation + 1)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now + ARGV[2])
if stamp == ends then stamp = string.format('%.0f', now + ARGV[2] + 1) end
redis.call('HSET', KEYS[1], ARGV[1], table.concat({stamp, mine, ARGV[4], ARGV[5], ARGV[6]}, ' '))
if ARGV[9] ~= '' then redis.call('HSET', KEYS[2], ARGV[1], mine .. ' ' .. ARGV[9]) end
return {kept and 'kept' or 'gained', mine, stamp, ARGV[6]}
