-- Needs: holes
-- Returns the kept entries after a position, oldest first.
-- KEYS  log, position, numbers taken out    ARGV  1 after  2 limit  3 how long entries are kept, ms  4 anything: with times
-- Returns {position or "", 1 if there are more, {json, or for what is neither comment nor tombstone {json, kind, body}...}},
-- and with times {when each was logged, ms...}; what was taken out has the time of the entry that follows.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3]
local limit = tonumber(ARGV[2])
local from, entries, times, more, read = '(' .. ARGV[1], {}, {}, 0

-- What another program has added to the stream is none of ours, and is passed over.
local function is_ours(entry) return entry[2][1] == 't' and entry[2][3] == 'j' end
local function is_kept(entry) return not is_ours(entry) or (tonumber(entry[2][2]) or 0) >= oldest end

-- A long log can hold hundreds of thousands that have expired: skips ahead for as long as it lands on one
-- of them, so that Redis is not held up by reading them all.
local function leap(id)
    local step = limit + 1
    while step > limit do
        local epoch, seq = string.match(id, '^(%d+)-(%d+)$')
        local to = epoch .. '-' .. string.format('%.0f', seq + step)
        local entry = redis.call('XRANGE', KEYS[1], to, '+', 'COUNT', 1)[1]
        if entry and not is_kept(entry) then
            id, step = entry[1], step * 2
        else
            step = math.floor(step / 2)
        end
    end
    return id
end

-- Takes an entry, and what was taken out in front of it.
local last = ARGV[1]
local function take(id, item, at_ms)
    local holes = holes_between(last, id, type(item) == 'table' and item[1] or item)
    last = id
    for i = #holes, 0, -1 do
        if #entries == limit then
            more = 1
            return
        end
        times[#entries + 1] = at_ms
        entries[#entries + 1] = i == 0 and item or blank_of(holes[i])
    end
end

repeat
    read = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', limit + 1)
    for _, entry in ipairs(read) do
        if is_ours(entry) and is_kept(entry) then
            local fields = entry[2]
            local item = fields[5] == 'k' and fields[7] == 'b' and { fields[4], fields[6], fields[8] } or fields[4]
            if more == 0 then take(entry[1], item, fields[2]) end
        end
    end
    local last = read[#read]
    if last then from = '(' .. (is_kept(last) and last[1] or leap(last[1])) end
until more == 1 or #read <= limit
return {string.match(at, '^%S+') or '', more, entries, ARGV[4] and times or nil}
