-- For scripts whose arguments end with the ends of keys (shard.lua) that this server has, elsewhere with an empty one: calls
-- read() with each, from this argument on.
local function each_shard(first, read)
    for i = first, #ARGV do
        if ARGV[i] == '' then read('') else pcall(read, ARGV[i]) end -- a slot may have moved
    end
end
