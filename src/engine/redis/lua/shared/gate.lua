-- The check of a comment against its video's room (engine/room.h): made when gate() is called. Loaded in front of
-- append.lua. Beside `{video:<id>}:room`, the room as room_write() forms it:
--
--   {video:<id>}:bans   hash: user => `<until, ms, or 0> <1: shadow, else 0>`
--   {video:<id>}:slow   sorted set: authors by when their last comment was accepted, ms; while there is slow mode
--   {video:<id>}:texts  sorted set: hashes of texts likewise; while repeats are refused
--   {video:<id>}:paced  until when the rate is used up, ms
local function gate()
    local RECENT = 100000 -- of a video in each sorted set

    local function list_has(list, word) return string.find(',' .. list .. ',', ',' .. word .. ',', 1, true) ~= nil end

    local function in_room(badges, only)
        if only == '*' then return true end
        for badge in string.gmatch(badges, '[^,]+') do
            if list_has(only, badge) then return true end
        end
        return false
    end

    -- How much of a time since the member's score is left. A clock that was set back ends it.
    local function left_of(for_ms, key, member)
        local since = for_ms > 0 and tonumber(redis.call('ZSCORE', key, member))
        if not since or since > now then return 0 end
        return math.max(0, for_ms - (now - since))
    end

    local function note(key, member, for_ms)
        redis.call('ZADD', key, text_of(now), member)
        redis.call('ZREMRANGEBYSCORE', key, '-inf', text_of(now - for_ms))
        redis.call('ZREMRANGEBYRANK', key, 0, -RECENT - 1)
        redis.call('PEXPIRE', key, text_of(for_ms))
    end

    -- The generic cell rate algorithm: each comment uses up 1/rate s, and up to a second may be used up ahead. Returns how
    -- long to wait, and until when it is used up then.
    local function pace(rate, key)
        local from = tonumber(redis.call('GET', key)) or now
        if from < now or from > now + 1000 then from = now end
        local over = from + 1000 / rate - (now + 1000)
        return over > 0 and math.floor(over) + 1 or 0, from + 1000 / rate
    end

    -- Returns what the append has to return if it is refused, or nil; and a function that notes that it was accepted.
    return function(room, base, author, badges, hash, length)
        local _, slow, repeats, rate, longest, frozen, _, _, _, only =
            string.match(room, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
        slow, repeats, rate, longest = tonumber(slow), tonumber(repeats), tonumber(rate), tonumber(longest)
        local until_ms, shadow = string.match(redis.call('HGET', base .. 'bans', author) or '', '^(%d+) (%d)$')
        if until_ms and until_ms ~= '0' and tonumber(until_ms) <= now then until_ms = nil end
        if until_ms and shadow == '0' then return {'refused', 'banned', until_ms} end
        if frozen == '1' then return {'refused', 'frozen', '0'} end
        if not in_room(badges, only) then return {'refused', 'not_in_room', '0'} end
        if longest > 0 and length > longest then return {'refused', 'too_long', text_of(longest)} end
        local left = left_of(slow, base .. 'slow', author)
        if left > 0 then return {'refused', 'slow_mode', text_of(left)} end
        left = left_of(repeats, base .. 'texts', hash)
        if left > 0 then return {'refused', 'repeated', text_of(left)} end
        local wait, paced = 0, nil
        if rate > 0 then wait, paced = pace(rate, base .. 'paced') end
        if wait > 0 then return {'refused', 'video_too_fast', text_of(wait)} end
        if until_ms then
            if slow > 0 then note(base .. 'slow', author, slow) end
            return {'refused', 'shadowed', '0'}
        end
        return nil, function()
            if slow > 0 then note(base .. 'slow', author, slow) end
            if repeats > 0 then note(base .. 'texts', hash, repeats) end
            if paced then redis.call('SET', base .. 'paced', string.format('%.3f', paced), 'PX', 2000) end
        end
    end
end
