-- Gives the kept entries after a position, oldest first.
-- KEYS  log, position    ARGV  1 after  2 at most so many  3 how long entries are kept, ms
-- Returns {position or "", 1 if there are more, {json...}}.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3]
local limit = tonumber(ARGV[2])
local from, entries, more, read = '(' .. ARGV[1], {}, 0
repeat
    read = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', limit + 1)
    for _, entry in ipairs(read) do
        if tonumber(entry[2][2]) >= oldest then
            if #entries < limit then entries[#entries + 1] = entry[2][4] else more = 1 end
        end
        from = '(' .. entry[1]
    end
until more == 1 or #read <= limit
local at = redis.call('GET', KEYS[2])
return {at and string.match(at, '^%S+') or '', more, entries}
