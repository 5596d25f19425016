-- The check of a comment against its video's room (engine/room.h): made when gate() is called. Loaded in front of
-- append.lua. Beside `{video:<id>}:room`, the room as room_write() forms it:
--
--   {video:<id>}:bans   hash: user => `<until, ms, or 0> <1: shadow, else 0>`
--   {video:<id>}:slow   sorted set: authors by when their last comment was accepted, ms; while there is slow mode
--   {video:<id>}:texts  sorted set: hashes of texts likewise; while repeats are refused
--   {video:<id>}:paced  until when the rate is used up, ms
--   {video:<id>}:held   hash: comments that wait, by id
--   chorus:held         sorted set: `<id> <video>` of those of all videos, by when they are due, us
local function gate()
    local RECENT = 100000 -- of a video in each sorted set
    local HELD, HELD_MS = 1000, 300000 -- as in room.h
    local WAITED, FREE = '1', '2' -- as in enum gate_checks

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

    -- Has a comment wait. Returns what the append has to return, and whether it waits from now on.
    local function hold(base, id, author, is_delayed, wait)
        local why = is_delayed and 'delayed' or 'held'
        local waiting = redis.call('HLEN', base .. 'held')
        if waiting >= HELD then return {'refused', 'video_too_fast', '1000', 0} end
        -- due, allowed then, when it was posted, its token's digest, author, body
        local record = text_of(now + wait) .. (is_delayed and ' 1 ' or ' 0 ') .. (KEYS[7] and ARGV[12] or text_of(now)) .. ' ' ..
            (KEYS[7] and ARGV[11] or string.rep('\0', 16)) .. author .. ' ' .. ARGV[9]
        redis.call('HSET', base .. 'held', id, record)
        redis.call('PEXPIRE', base .. 'held', ARGV[5])
        local due_us = time[1] * 1000000 + time[2] + wait * 1000 -- so that comments of one ms keep their order
        redis.call('ZADD', 'chorus:held' .. SHARD, text_of(due_us), id .. ' ' .. string.sub(ARGV[3], 7))
        return {'refused', why, text_of(wait), waiting + 1}, true
    end

    -- The answer for one that waits already.
    local function waits(base, id)
        local due, allowed = string.match(redis.call('HGET', base .. 'held', id) or '', '^(%d+) (%d)')
        if not due then return nil end
        local left = text_of(math.max(0, due - now))
        return {'refused', allowed == '1' and 'delayed' or 'held', left, redis.call('HLEN', base .. 'held')}
    end

    -- Returns what the append has to return if it is refused, or nil; and a function that notes that it was accepted.
    return function(room, base, comment)
        local asked, author, hash, length, id, checks, badges = string.match(comment, '^(%+?)(%S+) (%S+) (%S+) (%S+) (%d) (.*)$')
        local _, slow, repeats, rate, longest, frozen, delay, holds, _, only, over =
            string.match(room, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ?(%d?)')
        if asked == '+' then holds = '1' end
        if over == '1' then return {'refused', 'video_ended', '0', 0} end
        if checks == FREE then return nil end
        slow, repeats, rate, longest, delay = tonumber(slow), tonumber(repeats), tonumber(rate), tonumber(longest), tonumber(delay)
        local until_ms, shadow = string.match(redis.call('HGET', base .. 'bans', author) or '', '^(%d+) (%d)$')
        if until_ms and until_ms ~= '0' and tonumber(until_ms) <= now then until_ms = nil end
        if checks == WAITED then
            if until_ms then return {'refused', shadow == '1' and 'shadowed' or 'banned', until_ms, 0} end
            return nil
        end
        local waiting = KEYS[7] and waits(base, id)
        if waiting then return waiting end
        if until_ms and shadow == '0' then return {'refused', 'banned', until_ms, 0} end
        if frozen == '1' then return {'refused', 'frozen', '0', 0} end
        if not in_room(badges, only) then return {'refused', 'not_in_room', '0', 0} end
        if longest > 0 and tonumber(length) > longest then return {'refused', 'too_long', text_of(longest), 0} end
        local left = left_of(slow, base .. 'slow', author)
        if left > 0 then return {'refused', 'slow_mode', text_of(left), 0} end
        left = left_of(repeats, base .. 'texts', hash)
        if left > 0 then return {'refused', 'repeated', text_of(left), 0} end
        local wait, paced = 0, nil
        if rate > 0 then wait, paced = pace(rate, base .. 'paced') end
        if wait > 0 then return {'refused', 'video_too_fast', text_of(wait), 0} end
        if until_ms then
            if slow > 0 then note(base .. 'slow', author, slow) end
            return {'refused', 'shadowed', '0', 0}
        end
        local function note_all()
            if slow > 0 then note(base .. 'slow', author, slow) end
            if repeats > 0 then note(base .. 'texts', hash, repeats) end
            if paced then redis.call('SET', base .. 'paced', string.format('%.3f', paced), 'PX', 2000) end
        end
        if holds == '1' or delay > 0 then
            local answer, new = hold(base, id, author, holds ~= '1', holds == '1' and HELD_MS or delay)
            if new then note_all() end
            return answer
        end
        return nil, note_all
    end
end
