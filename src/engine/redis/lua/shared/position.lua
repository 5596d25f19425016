-- The position of a video's log, and how an epoch begins. Loaded in front of append.lua and head.lua.
-- KEYS  1 log  2 position
-- ARGV  1 the highest position of this video that the caller knows, or empty  2 the highest epoch it has seen of any
--       video  3 channel  4 for how long entries are kept, ms  5 for how long a position is kept, ms
--
-- A position reads `<epoch>-<seq> <run> <prevs>`; prevs is where the log stood when this epoch and up to three before it
-- began, newest first with commas between: 0-0 when there was none (an earlier version wrote nothing there). In front of
-- one behind which a loss has been announced stands a space instead: an earlier version reads prevs up to there.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function text_of(number) return string.format('%d', number) end -- whole; '%.0f' takes four times as long

-- Returns id, epoch, seq, run and prevs; nothing for a video that has no position. A log may outlive its position.
local stored -- the position as it is written
local function read_position()
    stored = redis.call('GET', KEYS[2])
    local id, epoch, seq, run, prevs = string.match(stored or '', '^((%d+)%-(%d+)) (%S+) ?(.*)$')
    if not id then
        local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
        if not last then return end
        id, run, prevs = last[1], nil, ''
        epoch, seq = string.match(id, '^(%d+)%-(%d+)$')
    end
    return id, tonumber(epoch), tonumber(seq), run, prevs
end

-- The history that the data belongs to. The replication id changes when a server starts with the data, is promoted or
-- takes over another's data, also while its connections stay; the process's run id does not.
local function read_run()
    local info = redis.call('INFO', 'replication')
    if not string.find(info, 'role:master', 1, true) then return nil end
    local at = string.find(info, 'master_replid:', 1, true)
    return at and string.sub(info, at + 14, at + 53) or string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
local BEGINNING = '0-0'
local NO_MASTER = 'READONLY This server is a replica.'

-- Returns an entry as it is published and kept in `j`; without a body, the number alone. An earlier version
-- reads an epoch's first number without a body as a loss, unless it is of another kind.
local function compose(id, prev, body, kind)
    if prev == '' then return body == '' and '{"id":"' .. id .. '"}' or '{"id":"' .. id .. '",' .. body .. '}' end
    if body ~= '' then return '{"id":"' .. id .. '","prev":"' .. prev .. '",' .. body .. '}' end
    return '{"id":"' .. id .. '","prev":"' .. prev .. (kind and '","kind":' .. kind .. ',"body":null}' or '"}')
end

-- Stores an entry and publishes it, all or nothing. Returns an error reply, or nil. The position comes first: it is what
-- a full store refuses. An entry that is neither comment nor tombstone has its `kind` and `body` beside `json`. A comment is
-- counted. `remember`, if given, keeps a token for the id, and returns an error reply or nil.
--
-- Redis does not undo what a script has written when a later command is refused (a right that the user lacks or has
-- lost): so that nothing is left of an entry that could not be published, it is taken back here.
local function store(id, run, prevs, json, kind, body, is_comment, remember)
    local position = prevs == '' and id .. ' ' .. run or id .. ' ' .. run .. ' ' .. prevs
    local done, problem = 1, redis.pcall('SET', KEYS[2], position, 'PX', ARGV[5])
    if not problem.err then
        done = 2
        if kind then
            problem = redis.pcall('XADD', KEYS[1], id, 't', text_of(now), 'j', json, 'k', kind, 'b', '{' .. body .. '}')
        else
            problem = redis.pcall('XADD', KEYS[1], id, 't', text_of(now), 'j', json)
        end
    end
    if type(problem) ~= 'table' then
        done, problem = 3, redis.pcall('PEXPIRE', KEYS[1], ARGV[4])
    end
    if is_comment and type(problem) ~= 'table' then
        problem = redis.pcall('INCR', KEYS[3])
        if type(problem) ~= 'table' then done = 4 end
    end
    local remembers = remember and type(problem) ~= 'table'
    if remembers then problem = remember(id) end
    if type(problem) ~= 'table' then
        problem = redis.pcall(SHARD == '' and 'PUBLISH' or 'SPUBLISH', ARGV[3], json)
    end
    if type(problem) ~= 'table' then
        stored = position
        return nil
    end
    if remembers then redis.pcall('HDEL', KEYS[4], ARGV[10]) end
    if done >= 4 then redis.pcall('DECR', KEYS[3]) end
    if done >= 3 then
        -- Where that is refused, too, the number is used, and the position stays. From 8.0 on no stream goes back below an
        -- entry that was deleted.
        redis.call('XDEL', KEYS[1], id)
        local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
        if last and redis.pcall('XSETID', KEYS[1], last[1]).err then return problem end
        if not last then redis.call('DEL', KEYS[1]) end
    end
    if done >= 2 then
        if stored then redis.pcall('SET', KEYS[2], stored, 'PX', ARGV[5]) else redis.pcall('DEL', KEYS[2]) end
    end
    return problem
end

-- Each call of a script makes all functions that it meets: these, which few calls need, are made when epochs() is called.
local function epochs()
    local function split(id)
        local epoch, seq = string.match(id, '^(%d+)%-(%d+)$')
        return tonumber(epoch), tonumber(seq)
    end

    -- If the caller knows of entries that the store has lost, and has not announced: returns the last position before the
    -- loss, BEGINNING if nothing is left; also where a process that knew of none has begun the video again. Where an epoch
    -- began below what is known, what came after that is lost, unless the log stood that far in the known epoch. If that
    -- epoch is lost as a whole, it may have begun by announcing a loss, which is not announced any more: as far as the
    -- oldest prev, which was the farthest that it could reach back to.
    local function find_loss(id, prevs)
        local known = ARGV[1]
        if known == '' or known == id then return nil end
        if not id then return BEGINNING end
        local epoch, seq = split(id)
        local known_epoch, known_seq = split(known)
        if known_epoch == epoch then return known_seq > seq and id or nil end
        -- The entries of a lower epoch may be younger than what was lost.
        local oldest = string.match(prevs, '[^, ]+$')
        if known_epoch > epoch then return oldest or text_of(epoch) .. '-0' end
        for mark, prev in string.gmatch(prevs, '([, ]?)([^, ]+)') do
            local prev_epoch, prev_seq = split(prev)
            if known_epoch > prev_epoch then return mark ~= ' ' and oldest or nil end
            if known_epoch == prev_epoch then return mark ~= ' ' and known_seq > prev_seq and prev or nil end
        end
        return nil
    end

    -- Returns prevs for an epoch that begins behind `id`.
    local function add_prev(id, prevs)
        local kept = string.match(prevs, '^ ?[^, ]+[, ][^, ]+[, ][^, ]+') or prevs
        return id .. (string.find(kept, '^%d') and ',' or '') .. kept
    end

    -- Returns prevs for an epoch that announces a loss behind `kept`. Those below it stay: another process may know of
    -- another loss, behind one of them.
    local function add_loss(id, prevs, kept)
        local all = add_prev(id, prevs)
        for at, prev in string.gmatch(all, '()([^, ]+)') do
            if prev == kept then return ' ' .. string.sub(all, at) end
        end
        return ''
    end

    -- Returns an epoch that neither the store nor the caller has seen, whatever the clock says. A clock a second or
    -- more behind the newest epoch of any video was set back; with less, two videos were begun at the same time.
    -- Two masters side by side, with clocks that are behind, see the same: what is not the time leaves a remainder that
    -- is of the run and the microsecond, so that they do not begin the same epoch; nor does one that was flushed, whose
    -- run stays, begin the same twice.
    local function new_epoch(id, run)
        local stored = id and split(id) or 0
        local known = ARGV[1] ~= '' and split(ARGV[1]) or 0
        local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
        local logged = last and split(last[1]) or 0
        local seen = tonumber(ARGV[2])
        local least = math.max(stored + 1, known + 1, logged + 1, now + 1000 < seen and seen + 1 or 0)
        if now >= least then return now end
        return least + (tonumber(string.sub(run, 1, 4), 16) + time[2] - least) % 65536
    end

    -- Begins an epoch with a tombstone, which announces that entries after `kept` have been lost. Returns the epoch, its
    -- first id and its prevs, or nil and an error reply.
    local function announce_loss(id, kept, run, prevs)
        local epoch = new_epoch(id, run)
        local first, left = text_of(epoch) .. '-1', id and add_loss(id, prevs, kept) or ' ' .. BEGINNING
        local problem = store(first, run, left, compose(first, kept == BEGINNING and '' or kept, ''))
        if problem then return nil, problem end
        return epoch, first, left
    end

    -- What an entry is numbered after: announces a loss that the caller knows of, or begins an epoch if the history has
    -- changed. Returns epoch, seq, prevs and the prev that the entry carries, or nil and an error reply.
    local function enter_epoch(id, epoch, seq, at_run, run, prevs)
        local kept = find_loss(id, prevs)
        if kept then
            local loss, first, left = announce_loss(id, kept, run, prevs)
            if not loss then return nil, first end
            return loss, 1, left, ''
        end
        if at_run == run then return epoch, seq, prevs, '' end
        return new_epoch(id, run), 0, id and add_prev(id, prevs) or BEGINNING, id or ''
    end

    return find_loss, announce_loss, new_epoch, enter_epoch
end
