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

-- Returns what a range has instead of a comment that was taken out: an ENTRY_BLANK. The first number of the newest epoch
-- still has its prev.
local function blank_of(hole)
    local epoch, prev = string.match(at, '^(%d+)-%d+ %S+ ([^, ]+)')
    local first = prev and hole == epoch .. '-1'
    return { '{"id":"' .. hole .. (first and '","prev":"' .. prev or '') .. '"}', '7', '{}' }
end
