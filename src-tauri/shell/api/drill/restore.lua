-- Puts keys back as `keep.lua` gave them, and removes others: `{"back": [[name, ttl, hex]], "gone": [name]}`.
-- Of the stand-ins' own keys only those stay that come back.
local wanted = cjson.decode(ARGV[1])
for _, key in ipairs(redis.call('KEYS', 'lab:*')) do redis.call('DEL', key) end
for _, key in ipairs(wanted.gone) do redis.call('DEL', key) end
for _, one in ipairs(wanted.back) do
  local held = one[3]:gsub('%x%x', function(pair) return string.char(tonumber(pair, 16)) end)
  redis.call('RESTORE', one[1], math.max(one[2], 0), held, 'REPLACE')
end
return #wanted.back
