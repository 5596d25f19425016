-- Needs: holes
-- Returns the newest kept entries before a position, oldest first.
-- KEYS  log, position, numbers taken out    ARGV  1 before; 0-0: the newest of all  2 limit  3 how long entries are kept, ms
-- Returns  as range.lua; its second item: 1 if there are older ones
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3]
local limit = tonumber(ARGV[2])
local to, found, more, read = ARGV[1] == '0-0' and '+' or '(' .. ARGV[1], {}, 0, nil

local function add(item)
    if #found == limit then
        more = 1
        return false
    end
    found[#found + 1] = item
    return true
end

-- Takes an entry, and what was taken out behind it. Returns false where there are no more: it has expired, and so has what is older.
local newer, newer_json = ARGV[1] ~= '0-0' and ARGV[1] or nil, nil
local function take(id, fields)
    if fields[1] ~= 't' or fields[3] ~= 'j' then return true end -- another program's
    if (tonumber(fields[2]) or 0) < oldest then return false end
    for _, hole in ipairs(newer and holes_between(id, newer, newer_json) or {}) do
        if not add(blank_of(hole)) then return false end
    end
    newer, newer_json = id, fields[4]
    return add(fields[5] == 'k' and fields[7] == 'b' and { fields[4], fields[6], fields[8] } or fields[4])
end

local goes_on = true
repeat
    read = redis.call('XREVRANGE', KEYS[1], to, '-', 'COUNT', limit + 1)
    for _, entry in ipairs(read) do
        goes_on = goes_on and take(entry[1], entry[2])
        to = '(' .. entry[1]
    end
until not goes_on or #read <= limit
for i = 1, math.floor(#found / 2) do
    found[i], found[#found + 1 - i] = found[#found + 1 - i], found[i]
end
return {string.match(at, '^%S+') or '', more, found}
