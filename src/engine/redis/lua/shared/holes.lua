-- Comments that were taken out of a log (amend.lua) leave holes in it.
-- KEYS  1 log  2 position  3 numbers taken out
local at = redis.call('GET', KEYS[2]) or ''
local any_holes -- nil: not known yet

-- Returns the numbers directly below an id, downwards as far as they were taken out, but not below `least`, a sequence
-- number.
local function holes_below(id, least)
    local found = {}
    local epoch, seq = string.match(id, '^(%d+)-(%d+)$')
    seq = tonumber(seq) - 1
    if seq < least then return found end
    if any_holes == nil then any_holes = redis.call('EXISTS', KEYS[3]) == 1 end
    while any_holes and seq >= least do
        local hole = epoch .. '-' .. string.format('%.0f', seq)
        if not redis.call('ZSCORE', KEYS[3], hole) then break end
        found[#found + 1] = hole
        seq = seq - 1
    end
    return found
end

-- Returns where the log stood when an epoch began, of the newest ones, or nil.
local function prev_of(epoch)
    local newest, prevs = string.match(at, '^(%d+)-%d+ %S+ (.+)$')
    for prev in string.gmatch(prevs or '', '[^, ]+') do
        if newest == epoch then return prev ~= '0-0' and prev or nil end
        newest = string.match(prev, '^%d+')
    end
end

-- Returns the numbers behind one entry and in front of the next (its id, and its JSON, if it is one) that were taken out,
-- the newest first: also the last ones of an epoch and the first ones of the following one.
local function holes_between(last, id, json)
    local found, last_epoch, last_seq = {}, string.match(last, '^(%d+)-(%d+)$')
    while true do
        local epoch, seq = string.match(id, '^(%d+)-(%d+)$')
        local same = epoch == last_epoch
        local below = holes_below(id, same and last_seq + 1 or 1)
        for _, hole in ipairs(below) do found[#found + 1] = hole end
        if same or #below ~= seq - 1 then return found end
        -- A tombstone has nothing behind its prev: what it announces is lost.
        local prev
        if json and #below == 0 then prev = string.match(json, '^{"id":"[^"]+","prev":"([^"]+)",') else prev = prev_of(epoch) end
        local prev_epoch, prev_seq = string.match(prev or '', '^(%d+)-(%d+)$')
        if not prev_epoch or tonumber(prev_epoch) < tonumber(last_epoch) then return found end
        id, json = prev_epoch .. '-' .. string.format('%.0f', prev_seq + 1), nil
    end
end

-- Returns what a range has instead of a comment that was taken out: an ENTRY_BLANK. The first number of one of the newest
-- epochs still has its prev.
local function blank_of(hole)
    local prev = string.match(hole, '^(%d+)-1$')
    prev = prev and prev_of(prev)
    return { '{"id":"' .. hole .. (prev and '","prev":"' .. prev or '') .. '"}', '7', '{}' }
end
