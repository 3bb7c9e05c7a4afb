-- All keys, as JSON: name, milliseconds it has left to live (-1: for ever), and what it holds, in hex.
local kept = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local held = redis.call('DUMP', key):gsub('.', function(c) return string.format('%02x', c:byte()) end)
  kept[#kept + 1] = { key, redis.call('PTTL', key), held }
end
return cjson.encode(kept)
