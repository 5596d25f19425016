-- The set of known videos, and how room is made for a new one. Loaded in front of the scripts that make or use a
-- video's keys.
--
--   chorus:mapped       sorted set: all videos with a mapping or a position, by last use, us
--   chorus:uncommented  sorted set: those of them that have never had a comment, by last use, us
--   chorus:unmapped     sorted set: those of them that have no mapping, by last use, us
--   chorus:watched      sorted set: watched videos, by the last note of a reader, ms by chorus:clock
--   chorus:clock        hash: a clock that does not jump when this server's is stepped: it read `at` when this server's
--                       read `wall`
--
-- In a Cluster each slot has its own (shard.lua), and its share of the videos that there may be.
local WATCHED_MS, STEP_MS, CHUNK, LOOKED_AT, EVICTED_AT_ONCE = 60000, 30000, 32, 1000, 256

local function digits(number) return string.format('%.0f', number) end

-- Later than any before, also when the clock was set back.
local function next_use()
    local time = redis.call('TIME')
    local last = redis.call('ZREVRANGE', 'chorus:mapped' .. SHARD, 0, 0, 'WITHSCORES')[2]
    return math.max(time[1] * 1000000 + time[2], (tonumber(last) or 0) + 1)
end

local function mark_used(video)
    local use = digits(next_use())
    redis.call('ZADD', 'chorus:mapped' .. SHARD, use, video)
    redis.call('ZADD', 'chorus:uncommented' .. SHARD, 'XX', use, video)
    redis.call('ZADD', 'chorus:unmapped' .. SHARD, 'XX', use, video)
end

local function watch_clock()
    local time = redis.call('TIME')
    local wall = time[1] * 1000 + math.floor(time[2] / 1000)
    local last = redis.call('HMGET', 'chorus:clock' .. SHARD, 'wall', 'at')
    local passed = wall - (tonumber(last[1]) or wall)
    local at = (tonumber(last[2]) or 0) + math.max(0, math.min(passed, STEP_MS))
    redis.call('HSET', 'chorus:clock' .. SHARD, 'wall', digits(wall), 'at', digits(at))
    return at
end

-- A log stays for as long as its newest entry.
local function is_commented_now(video) return redis.call('EXISTS', '{video:' .. video .. '}:log') == 1 end

local function was_commented(video)
    local seq = string.match(redis.call('GET', '{video:' .. video .. '}:pos') or '', '^%d+%-(%d+)')
    return seq and seq ~= '0'
end

local function is_in_use(video, at)
    local marked = redis.call('ZSCORE', 'chorus:watched' .. SHARD, video)
    return marked and at - marked < WATCHED_MS or is_commented_now(video)
end

local function mapping_of(video)
    return SHARD == '' and 'video:' .. video .. ':reader' or '{video:' .. video .. '}:reader'
end

local function forget(video)
    local log = '{video:' .. video .. '}:'
    redis.call('UNLINK', mapping_of(video), log .. 'pos', log .. 'log', log .. 'tokens', log .. 'tokens:older',
        log .. 'room', log .. 'bans', log .. 'slow', log .. 'texts', log .. 'paced', log .. 'held', log .. 'audit', log .. 'audit:automatic',
        log .. 'retracted', log .. 'set')
    redis.call('ZREM', 'chorus:mapped' .. SHARD, video)
    redis.call('ZREM', 'chorus:uncommented' .. SHARD, video)
    redis.call('ZREM', 'chorus:unmapped' .. SHARD, video)
    redis.call('ZREM', 'chorus:watched' .. SHARD, video)
end

-- Examines the least recently used. A video in use is marked as used now, so that it is not examined again soon.
local function evict_from(set, at)
    local start = next_use()
    for _ = 1, LOOKED_AT / CHUNK do
        local oldest = redis.call('ZRANGE', set, 0, CHUNK - 1, 'WITHSCORES')
        if #oldest == 0 then return false end
        for i = 1, #oldest, 2 do
            local video = oldest[i]
            if tonumber(oldest[i + 1]) >= start then return false end
            if is_in_use(video, at) then
                mark_used(video)
            elseif set == 'chorus:mapped' .. SHARD or not was_commented(video) then
                forget(video)
                return true
            end
            -- By an earlier version, which does not keep this set.
            if set ~= 'chorus:mapped' .. SHARD and was_commented(video) then redis.call('ZREM', set, video) end
        end
    end
    return false
end

-- Adds a video, unless there are already `most` and all are in use: else the least recently used of the others is
-- evicted, those without any comment first. Returns whether there is room.
local function admit(video, most)
    if not redis.call('ZSCORE', 'chorus:mapped' .. SHARD, video) then
        redis.call('ZADD', 'chorus:unmapped' .. SHARD, 0, video) -- first: a full Redis may refuse it, before anything is evicted
        local over = most > 0 and redis.call('ZCARD', 'chorus:mapped' .. SHARD) + 1 - most or 0
        local at = over > 0 and watch_clock()
        for _ = 1, math.min(over, EVICTED_AT_ONCE) do
            if not evict_from('chorus:uncommented' .. SHARD, at) and not evict_from('chorus:mapped' .. SHARD, at) then break end
            over = over - 1
        end
        if over > 0 then
            redis.call('ZREM', 'chorus:unmapped' .. SHARD, video)
            return false
        end
        if not was_commented(video) then redis.call('ZADD', 'chorus:uncommented' .. SHARD, 0, video) end
    end
    mark_used(video)
    return true
end
