-- As shard.lua, for append.lua, whose third key is the count of comments.
local SHARD = string.sub(KEYS[3], 16)
