-- In a Cluster each key of all videos exists once a slot: the last key of a call names the one of its slot, such as
-- `chorus:mapped:{tag}`. Elsewhere SHARD is empty.
local SHARD = string.match(KEYS[#KEYS], '^chorus:%a+(:{.*)$') or ''
